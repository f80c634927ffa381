import { useState } from 'react';
import { Form, Input, Label, Text, TextField } from 'react-aria-components';
import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrame.tsx';
import { useModel, useStore } from '../parts/model.ts';
import type { DialogOf } from '../state/dialogs.ts';
import { AUDIENCES, draftOf, type Fields, fieldsOf, KINDS, withKind } from '../state/profileDraft.ts';

/** A sign-in profile: which provider, as which app. It holds no secret. */
export function ProfileDialog({ dialog: { profile } }: { dialog: DialogOf<'profile'> }) {
  const { dialogs, signIn } = useModel();
  const some = useStore(signIn.view, (view) => (view.profiles?.length ?? 0) > 0);
  const [fields, set] = useState(() => fieldsOf(profile));
  const [problem, setProblem] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  const change = (name: keyof Fields) => (value: string) => set({ ...fields, [name]: value });
  const microsoft = fields.kind === 'microsoft';

  const save = async () => {
    setSaving(true);
    setProblem(await signIn.save(draftOf(fields), profile?.id ?? null));
    setSaving(false);
  };
  return (
    <DialogFrame title={profile === null ? 'Where do you sign in?' : 'Edit the profile'}>
      <Form
        className="profile-form"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <fieldset className="choice">
          <legend className="unseen">Kind of provider</legend>
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
        {microsoft ? (
          <Audience authority={fields.authority} onChange={change('authority')} />
        ) : (
          <Field
            label="Issuer"
            value={fields.authority}
            onChange={change('authority')}
            hint="An https address, as the provider names it"
          />
        )}
        <Field
          label="Client ID"
          value={fields.client_id}
          onChange={change('client_id')}
          hint={
            microsoft
              ? 'The application ID of your app registration, as a public client'
              : 'Of an app that is registered there as a public (native) client'
          }
        />
        <Field
          label="Scopes"
          value={fields.scopes}
          onChange={change('scopes')}
          hint="Spaces between them; offline_access lets it stay signed in"
        />
        <Field
          label="Redirect URI"
          value={fields.redirect_uri}
          onChange={change('redirect_uri')}
          hint="Register this one. Without a port, any free one is used"
        />
        <Field
          label="Name"
          value={fields.name}
          onChange={change('name')}
          hint="What you call it"
          optional={!microsoft}
        />
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="dialog-buttons">
          {profile !== null && (
            <Action kind="danger" onPress={() => void signIn.remove(profile.id)}>
              Remove
            </Action>
          )}
          <Action onPress={() => (some ? dialogs.open({ kind: 'sign-in' }) : dialogs.close())}>Cancel</Action>
          <Action kind="primary" type="submit" pending={saving ? 'Saving…' : null}>
            Save
          </Action>
        </div>
      </Form>
    </DialogFrame>
  );
}

/** Whose accounts: one of Microsoft's names for many, or a tenant. */
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
      {!known && (
        <Field label="Tenant" value={authority} onChange={onChange} hint="Its ID or one of its domains" />
      )}
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
