import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrame.tsx';
import { useModel } from '../parts/model.ts';
import { UserText } from '../parts/UserText.tsx';
import type { DialogOf } from '../state/dialogs.ts';

/** Something that was asked for did not happen: main's own sentence. */
export function FailureDialog({ dialog }: { dialog: DialogOf<'failure'> }) {
  const { dialogs } = useModel();
  return (
    <DialogFrame
      alert
      title={dialog.title}
      buttons={
        <Action kind="primary" onPress={dialogs.close} autoFocus>
          Close
        </Action>
      }
    >
      <p>
        <UserText>{dialog.error.message}</UserText>
      </p>
    </DialogFrame>
  );
}
