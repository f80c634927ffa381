import { DialogFrame } from '../parts/DialogFrame.tsx';
import { Progress } from '../parts/Progress.tsx';
import { UserText } from '../parts/UserText.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { bytes } from '../state/words.ts';

export function ReadingDialog({ dialog }: { dialog: DialogOf<'import-reading'> }) {
  return (
    <DialogFrame title="Reading the document…">
      <p>
        <UserText>{dialog.fileName}</UserText>, {bytes(dialog.bytes)}. Nothing is merged yet.
      </p>
      <Progress says="Reading the document" />
    </DialogFrame>
  );
}
