import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrame.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useModel, useNow, useStore } from '../parts/model.ts';
import type { DialogOf } from '../state/dialogs.ts';
import { localTime } from '../state/time.ts';
import { named } from '../state/words.ts';

/** What a new key means; then the proof that there is one. */
export function RotateKeyDialog({ dialog: { working, receipt } }: { dialog: DialogOf<'rotate-key'> }) {
  const { dialogs, security, vault } = useModel();
  const keychain = useStore(vault.view, (view) => named(view.status?.keychain ?? 'your keychain'));
  const now = useNow();
  if (receipt !== null) {
    return (
      <DialogFrame
        title="The key is replaced"
        buttons={
          <Action kind="primary" onPress={dialogs.close} autoFocus>
            Done
          </Action>
        }
      >
        <dl className="pairs receipt">
          <dt>New key</dt>
          <dd>
            In slot {receipt.slot} of {keychain}
          </dd>
          <dt>The file</dt>
          <dd>Written anew under it, and read back</dd>
          <dt>Old key</dt>
          <dd>
            {receipt.oldKey === 'destroyed' ? (
              <>
                <Icon name="check" size={14} />
                Destroyed: older copies and backups of the file can no longer be opened
              </>
            ) : (
              'To be destroyed when the keychain can be asked; until then it still opens older copies'
            )}
          </dd>
          <dt>When</dt>
          <dd>{localTime(receipt.at, now)}</dd>
        </dl>
      </DialogFrame>
    );
  }
  return (
    <DialogFrame
      title="Replace the key?"
      busy={working ? 'Replacing the key' : null}
      buttons={
        <>
          <Action onPress={dialogs.close} isDisabled={working} autoFocus>
            Cancel
          </Action>
          <Action
            kind="primary"
            onPress={() => void security.rotateKey()}
            pending={working ? 'Replacing…' : null}
          >
            Replace the key
          </Action>
        </>
      }
    >
      <p>
        A new key goes into {keychain}, the file is written anew under it and read back, and then the old key
        is destroyed. Your sign-ins stay as they are.
      </p>
      <p>
        <b>Copies and backups of the file made until now can then be opened by nobody,</b> you included. Do it
        when a copy may be in the wrong hands. To keep a copy, export one first.
      </p>
    </DialogFrame>
  );
}
