import { useState } from 'react';
import { Input, Label, TextField } from 'react-aria-components';
import type { KeyReceipt } from '../../src-main/ipc/contract.ts';
import { QuestionFrame, ReceiptFrame, ReceiptLines } from '../parts/DialogFrames.tsx';
import { useModel, useNow, useStore } from '../parts/hooks.ts';
import { UserText } from '../parts/text.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { recovered } from '../state/notices.ts';
import { oldKeyLine } from '../state/signOut.ts';
import { localTime } from '../state/time.ts';
import { named } from '../state/words.ts';

/** What a new key means; then the proof that there is one. */
export function RotateKeyDialog({ dialog: { working, receipt } }: { dialog: DialogOf<'rotate-key'> }) {
  const { maintenance, vault } = useModel();
  const keychain = useStore(vault.view, (view) => named(view.status?.keychain ?? 'your keychain'));
  if (receipt !== null) return <KeyRotated receipt={receipt} keychain={keychain} />;
  return (
    <QuestionFrame
      title="Replace the key?"
      yes="Replace the key"
      pending={working ? 'Replacing…' : null}
      start="no"
      onYes={() => void maintenance.rotateKey()}
    >
      <p>
        A new key goes into {keychain}, the file is written anew under it and read back, and then the old key
        is destroyed. Your sign-ins stay as they are.
      </p>
      <p>
        <b>Copies and backups of the file made until now can then be opened by nobody,</b> you included. Do it
        when a copy may be in the wrong hands. To keep a copy, export one first.
      </p>
    </QuestionFrame>
  );
}

function KeyRotated({ receipt: { slot, oldKey, at }, keychain }: { receipt: KeyReceipt; keychain: string }) {
  const now = useNow();
  return (
    <ReceiptFrame title="The key is replaced">
      <ReceiptLines
        lines={[
          { says: 'New key', value: `In slot ${slot} of ${keychain}` },
          { says: 'The file', value: 'Written anew under it, and read back' },
          oldKeyLine(oldKey),
          { says: 'When', value: localTime(at, now) },
        ]}
      />
    </ReceiptFrame>
  );
}

/** The damaged file: what is kept, who is lost, and that the file itself stays. */
export function RecoverDialog() {
  const { vault, dialogs } = useModel();
  const { status, doing } = useStore(vault.view);
  const lost = status?.recovered?.lost ?? [];

  const recover = async () => {
    const answer = await vault.ask('recover');
    if (answer === null) return;
    if (answer.ok) dialogs.close();
    else dialogs.fail('Nothing was changed', answer.error);
  };
  return (
    <QuestionFrame
      title="Keep what was recovered?"
      yes="Keep"
      pending={doing === 'recover' ? 'Keeping…' : null}
      start="no"
      onYes={() => void recover()}
    >
      {status !== null && (
        <p>{recovered(status)}. They go into a new file; the damaged one is kept beside it, as it is.</p>
      )}
      {lost.length > 0 && (
        <>
          <p id="lost">Lost, and to be signed in again by their apps:</p>
          <ul className="lost" aria-labelledby="lost" tabIndex={0}>
            {lost.map((name, index) => (
              <li key={`${String(index)} ${name}`}>
                <UserText>{name}</UserText>
              </li>
            ))}
          </ul>
        </>
      )}
    </QuestionFrame>
  );
}

const WORD = 'start fresh';

/** Begins an empty file. Typed, because one click should not put a whole cache out of sight. */
export function StartFreshDialog() {
  const { vault, dialogs } = useModel();
  const file = useStore(vault.view, (view) => view.status?.file ?? '');
  const doing = useStore(vault.view, (view) => view.doing);
  const [typed, setTyped] = useState('');
  const meant = typed.trim().toLowerCase() === WORD;

  const start = async () => {
    if (!meant) return;
    const answer = await vault.ask('startFresh');
    if (answer === null) return;
    if (answer.ok) dialogs.close();
    else dialogs.fail('Nothing was changed', answer.error);
  };
  return (
    <QuestionFrame
      alert
      danger
      title="Start with an empty file?"
      yes="Start fresh"
      pending={doing === 'startFresh' ? 'Starting fresh…' : null}
      isDisabled={!meant}
      start="field"
      onYes={() => void start()}
    >
      <p>
        The file that can’t be opened is set aside under another name, in the same folder. It is not deleted;
        should its key come back, it can be opened again.
      </p>
      <p className="path">
        <bdi>{file}</bdi>
      </p>
      <TextField className="field" value={typed} onChange={setTyped} autoFocus autoComplete="off">
        <Label>
          To go on, type <b>{WORD}</b>
        </Label>
        <Input spellCheck={false} />
      </TextField>
    </QuestionFrame>
  );
}
