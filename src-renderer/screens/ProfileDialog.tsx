import { useState } from 'react';
import { Input, Label, Text, TextField } from 'react-aria-components';
import { copyText } from '../bridge.ts';
import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrames.tsx';
import { useModel, useStore } from '../parts/hooks.ts';
import { Problem } from '../parts/Problem.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { AUDIENCES, draftOf, type Fields, fieldsOf, KINDS, TYPED, withKind } from '../state/profileDraft.ts';

/** The editor of a sign-in profile, which has no secrets. */
export function ProfileDialog({ dialog: { profile, draft, again } }: { dialog: DialogOf<'profile'> }) {
  const { dialogs, signIn } = useModel();
  const some = useStore(signIn.view, (view) => (view.profiles?.length ?? 0) > 0);
  const [fields, set] = useState(() => fieldsOf(profile ?? draft ?? null));
  const [problem, setProblem] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  const change = (name: keyof Fields) => (value: string) => set({ ...fields, [name]: value });

  const save = async () => {
    setSaving(true);
    setProblem(null);
    setProblem(await signIn.save(draftOf(fields), profile?.id ?? null, again));
    setSaving(false);
  };
  return (
    <DialogFrame
      title={profile === null ? 'Add a sign-in profile' : 'Edit sign-in profile'}
      busy={saving ? 'Saving' : null}
      onSubmit={() => void save()}
      buttons={
        <>
          {profile !== null && (
            <Action kind="danger" isDisabled={saving} onPress={() => void signIn.remove(profile.id)}>
              Remove
            </Action>
          )}
          <Action
            isDisabled={saving}
            onPress={() =>
              some && again === undefined ? dialogs.open({ kind: 'sign-in' }) : dialogs.close()
            }
          >
            Cancel
          </Action>
          <Action kind="primary" type="submit" pending={saving ? 'Saving…' : null}>
            Save
          </Action>
        </>
      }
    >
      {again !== undefined && (
        <p>
          No saved profile fits this account. The fields are filled in from its tokens: check them, and add
          what is missing.
        </p>
      )}
      <fieldset className="choice">
        <legend className="unseen">Type of provider</legend>
        {KINDS.map(({ kind, says }) => (
          <label key={kind} data-chosen={kind === fields.kind}>
            <input
              type="radio"
              name="kind"
              checked={kind === fields.kind}
              onChange={() => set(withKind(fields, kind))}
            />
            {says}
          </label>
        ))}
      </fieldset>
      {fields.kind === 'microsoft' && profile === null && again === undefined && <Steps />}
      {fields.kind === 'microsoft' && (
        <Audience authority={fields.authority} onChange={change('authority')} />
      )}
      {TYPED[fields.kind].map(({ name, ...field }) => (
        <Field key={name} {...field} value={fields[name]} onChange={change(name)} />
      ))}
      {problem !== null && <Problem>{problem}</Problem>}
    </DialogFrame>
  );
}

/** How to register an app with Microsoft, with the values that its form asks for. */
function Steps() {
  const { toasts } = useModel();
  const copy = (value: string) => () =>
    toasts.show(copyText(value) ? `${value} copied.` : 'The value could not be copied.');
  return (
    <ol className="steps">
      <li>In the Microsoft Entra admin center, open App registrations and choose New registration.</li>
      <li>
        As the redirect URI, choose Public client/native and enter <code>http://localhost</code>{' '}
        <Action kind="quiet" aria-label="Copy http://localhost" onPress={copy('http://localhost')}>
          Copy
        </Action>
      </li>
      <li>For device codes, turn on Allow public client flows under Authentication.</li>
      <li>Enter the Application (client) ID below.</li>
    </ol>
  );
}

/** The accounts of a Microsoft profile: an audience or a tenant. */
function Audience({ authority, onChange }: { authority: string; onChange: (value: string) => void }) {
  const known = AUDIENCES.some(({ id }) => id !== '' && id === authority);
  return (
    <>
      <div className="field">
        <label htmlFor="audience">Accounts</label>
        <select
          id="audience"
          value={known ? authority : ''}
          onChange={(event) => onChange(event.target.value)}
        >
          {AUDIENCES.map(({ id, says }) => (
            <option key={id} value={id}>
              {says}
            </option>
          ))}
        </select>
      </div>
      {!known && <Field label="Tenant" value={authority} onChange={onChange} hint="Tenant ID or domain" />}
    </>
  );
}

function Field({
  label,
  hint,
  optional = false,
  ...field
}: {
  label: string;
  hint: string;
  optional?: boolean;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <TextField className="field" {...field} isRequired={!optional} autoComplete="off">
      <Label>{label}</Label>
      <Input spellCheck={false} />
      <Text slot="description">{hint}</Text>
    </TextField>
  );
}
