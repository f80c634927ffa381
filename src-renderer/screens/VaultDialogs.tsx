import { useState } from 'react';
import { Input, Label, TextField } from 'react-aria-components';
import type { KeyReceipt } from '../../src-main/ipc/contract.ts';
import { QuestionFrame, ReceiptFrame, ReceiptLines } from '../parts/DialogFrames.tsx';
import { useModel, useTimed, useStore } from '../parts/hooks.ts';
import { UserText } from '../parts/text.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { recovered } from '../state/notices.ts';
import { oldKeyLine } from '../state/signOut.ts';
import { localTime } from '../state/time.ts';
import { capitalized, count, named } from '../state/words.ts';

/** Asks before a key rotation, then shows its receipt. */
export function RotateKeyDialog({ dialog: { working, receipt } }: { dialog: DialogOf<'rotate-key'> }) {
  const { maintenance, vault } = useModel();
  const keychain = useStore(vault.view, (view) => named(view.status?.keychain ?? 'your keychain'));
  if (receipt !== null) return <KeyRotated receipt={receipt} keychain={keychain} />;
  return (
    <QuestionFrame
      title="Rotate the key?"
      yes="Rotate key"
      pending={working ? 'Rotating…' : null}
      start="no"
      onYes={() => void maintenance.rotateKey()}
    >
      <p>
        A new key is stored in {keychain}. The file is rewritten with it and checked, then the old key is
        destroyed. Your accounts stay as they are.
      </p>
      <p>
        <b>Nobody, including you, can open older copies and backups of the file after that.</b> Do this if
        someone else may have a copy. To keep a backup, export one first.
      </p>
    </QuestionFrame>
  );
}

function KeyRotated({ receipt: { slot, oldKey, at }, keychain }: { receipt: KeyReceipt; keychain: string }) {
  const when = useTimed((now) => capitalized(localTime(at, now)));
  return (
    <ReceiptFrame title="Key rotated">
      <ReceiptLines
        lines={[
          { says: 'New key', value: `In slot ${slot} of ${keychain}` },
          { says: 'Vault file', value: 'Rewritten with the new key and checked' },
          oldKeyLine(oldKey),
          { says: 'When', value: when },
        ]}
      />
    </ReceiptFrame>
  );
}

/** Keeps the recovered accounts of a damaged file. */
export function RecoverDialog({ dialog }: { dialog: DialogOf<'recover'> }) {
  const { vault, dialogs } = useModel();
  const { status, doing } = useStore(vault.view);
  const lost = status?.recovered?.lost ?? [];

  const recover = async () => {
    const answer = await vault.ask('recover');
    if (answer === null) return;
    if (answer.ok) dialogs.replace(dialog, null);
    else dialogs.fail('Nothing was changed', answer.error, dialog);
  };
  return (
    <QuestionFrame
      title="Keep the recovered accounts?"
      yes="Keep"
      pending={doing === 'recover' ? 'Keeping…' : null}
      start="no"
      onYes={() => void recover()}
    >
      {status !== null && (
        <p>
          {recovered(status)}. They are written to a new file
          {status.copyOf === undefined
            ? ''
            : ', which becomes a vault of its own. The original does not change'}
          . The damaged file is kept beside it.
          {status.older === undefined ? '' : ' It is older, too, than the last one that was seen here.'}
        </p>
      )}
      {lost.length > 0 && (
        <>
          <p id="lost">Lost. Sign in to these accounts again:</p>
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

/**
 * Starts an empty vault. The user types a confirmation, because this hides a whole cache. Restoring needs none: nothing happens until an
 * export was opened and its import confirmed.
 */
export function StartFreshDialog({ dialog }: { dialog: DialogOf<'start-fresh'> }) {
  const { restore } = dialog;
  const { vault, dialogs, importing } = useModel();
  const status = useStore(vault.view, (view) => view.status);
  const doing = useStore(vault.view, (view) => view.doing);
  const [typed, setTyped] = useState('');
  const discarded = status?.kept ?? status?.recovered?.accounts ?? 0;
  const meant = restore || typed.trim().toLowerCase() === WORD;

  const start = async () => {
    if (restore) {
      await importing.restore();
      return;
    }
    if (!meant) return;
    const answer = await vault.ask('startFresh');
    if (answer === null) return;
    if (!answer.ok) dialogs.fail('Nothing was changed', answer.error, dialog);
    else dialogs.replace(dialog, null);
  };
  return (
    <QuestionFrame
      alert
      danger={!restore}
      title={restore ? 'Restore from an export?' : 'Start with an empty vault?'}
      yes={restore ? 'Choose export…' : 'Start fresh'}
      pending={doing === 'startFresh' ? 'Starting fresh…' : null}
      isDisabled={!meant}
      start={restore ? 'no' : 'field'}
      onYes={() => void start()}
    >
      {restore && <p>Choose the export and enter its passphrase. Then you see what is in it.</p>}
      <p>
        {restore && 'When you confirm, a new vault is created. '}
        {status?.state === 'damaged'
          ? 'The damaged file is renamed and stays in the same folder.'
          : 'The file that can’t be opened is renamed and stays in the same folder. If its key comes back, you can open it again.'}
      </p>
      {discarded > 0 && (
        <p>
          {count(discarded, 'account')} {discarded === 1 ? 'is' : 'are'} still in memory and will be lost.
        </p>
      )}
      <p className="path">
        <bdi>{status?.file ?? ''}</bdi>
      </p>
      {!restore && (
        <TextField
          className="field"
          value={typed}
          onChange={setTyped}
          data-autofocus="true"
          autoComplete="off"
        >
          <Label>
            To continue, type <b>{WORD}</b>
          </Label>
          <Input spellCheck={false} />
        </TextField>
      )}
    </QuestionFrame>
  );
}
