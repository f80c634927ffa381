import { useState } from 'react';
import { Input, Label, Text, TextField } from 'react-aria-components';
import { QuestionFrame } from '../parts/DialogFrames.tsx';
import { useModel, useStore } from '../parts/hooks.ts';
import { UserText } from '../parts/text.tsx';
import { Problem } from '../parts/Problem.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { LONGEST_TENANT_NAME, nicknameOf } from '../state/groups.ts';

/** Asks for a name for a tenant. */
export function TenantNameDialog({ dialog }: { dialog: DialogOf<'tenant-name'> }) {
  const { realm } = dialog;
  const { accounts, dialogs } = useModel();
  const before = useStore(accounts.view, (view) => nicknameOf(view.nicknames, realm) ?? '');
  const [name, setName] = useState(before);
  const [problem, setProblem] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  const save = async () => {
    setSaving(true);
    setProblem(null);
    const error = await accounts.nameTenant(realm, name.trim());
    setSaving(false);
    if (error === null) dialogs.replace(dialog, null);
    else setProblem(error.message);
  };
  return (
    <QuestionFrame
      title="Name this tenant"
      yes="Save"
      start="field"
      pending={saving ? 'Saving…' : null}
      isDisabled={name.trim() === before}
      onYes={() => void save()}
    >
      <p className="path">
        <UserText>{realm}</UserText>
      </p>
      <TextField className="field" value={name} onChange={setName} autoComplete="off" autoFocus>
        <Label>Name</Label>
        <Input spellCheck={false} maxLength={LONGEST_TENANT_NAME} />
        <Text slot="description">
          Shown instead of the domain or the ID, on this computer only. Leave it empty to remove it.
        </Text>
      </TextField>
      {problem !== null && <Problem>{problem}</Problem>}
    </QuestionFrame>
  );
}
