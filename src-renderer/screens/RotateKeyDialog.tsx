import type { KeyReceipt } from '../../src-main/ipc/contract.ts';
import { useModel, useNow, useStore } from '../parts/model.ts';
import { QuestionFrame } from '../parts/QuestionFrame.tsx';
import { ReceiptFrame, ReceiptLines } from '../parts/ReceiptFrame.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { oldKeyLine } from '../state/receipt.ts';
import { localTime } from '../state/time.ts';
import { named } from '../state/words.ts';

/** What a new key means; then the proof that there is one. */
export function RotateKeyDialog({ dialog: { working, receipt } }: { dialog: DialogOf<'rotate-key'> }) {
  const { security, vault } = useModel();
  const keychain = useStore(vault.view, (view) => named(view.status?.keychain ?? 'your keychain'));
  if (receipt !== null) return <Done receipt={receipt} keychain={keychain} />;
  return (
    <QuestionFrame
      title="Replace the key?"
      yes="Replace the key"
      pending={working ? 'Replacing…' : null}
      start="no"
      onYes={() => void security.rotateKey()}
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

function Done({ receipt: { slot, oldKey, at }, keychain }: { receipt: KeyReceipt; keychain: string }) {
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
