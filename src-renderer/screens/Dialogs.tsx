import type { ReactNode } from 'react';
import { Modal, ModalOverlay } from 'react-aria-components';
import { useModel, useStore } from '../parts/model.ts';
import type { Dialog } from '../state/dialogs.ts';
import { AboutDialog } from './AboutDialog.tsx';
import { ExportDialog } from './ExportDialog.tsx';
import { FailureDialog } from './FailureDialog.tsx';
import { ImportDialog } from './ImportDialog.tsx';
import { LockedImportDialog } from './LockedImportDialog.tsx';
import { ProfileDialog } from './ProfileDialog.tsx';
import { ReadingDialog } from './ReadingDialog.tsx';
import { ReceiptDialog } from './ReceiptDialog.tsx';
import { RecoverDialog } from './RecoverDialog.tsx';
import { RepairDialog } from './RepairDialog.tsx';
import { RotateKeyDialog } from './RotateKeyDialog.tsx';
import { SignInDialog } from './SignInDialog.tsx';
import { SigningInDialog } from './SigningInDialog.tsx';
import { SignOutDialog } from './SignOutDialog.tsx';
import { StartFreshDialog } from './StartFreshDialog.tsx';

/**
 * The one place where dialogs open. The overlay stays while one dialog gives way to the next (a sign-out to its
 * receipt), so that the focus returns to where it was before the first.
 */
export function Dialogs() {
  const { dialogs, importing, signIn } = useModel();
  const dialog = useStore(dialogs.view);
  if (dialog === null) return null;
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      isKeyboardDismissDisabled={isBusy(dialog)}
      onOpenChange={(open) => {
        if (open || isBusy(dialog)) return;
        if (dialog.kind === 'import-plan' || dialog.kind === 'import-locked') importing.cancel();
        else if (dialog.kind === 'signing-in') signIn.cancel();
        else dialogs.close();
      }}
    >
      <Modal className="modal">{contents(dialog)}</Modal>
    </ModalOverlay>
  );
}

/** What is under way can't be closed: it would end all the same, unseen. */
function isBusy(dialog: Dialog): boolean {
  if (dialog.kind === 'import-plan') return dialog.merging;
  if (dialog.kind === 'import-locked') return dialog.opening;
  if (dialog.kind === 'rotate-key' || dialog.kind === 'export' || dialog.kind === 'repair')
    return dialog.working;
  return dialog.kind === 'import-reading' || (dialog.kind === 'sign-out' && dialog.working);
}

function contents(dialog: Dialog): ReactNode {
  switch (dialog.kind) {
    case 'about':
      return <AboutDialog />;
    case 'sign-in':
      return <SignInDialog />;
    case 'profile':
      return <ProfileDialog dialog={dialog} />;
    case 'signing-in':
      return <SigningInDialog />;
    case 'start-fresh':
      return <StartFreshDialog />;
    case 'recover':
      return <RecoverDialog />;
    case 'rotate-key':
      return <RotateKeyDialog dialog={dialog} />;
    case 'export':
      return <ExportDialog dialog={dialog} />;
    case 'repair':
      return <RepairDialog dialog={dialog} />;
    case 'failure':
      return <FailureDialog dialog={dialog} />;
    case 'import-reading':
      return <ReadingDialog dialog={dialog} />;
    case 'import-locked':
      return <LockedImportDialog dialog={dialog} />;
    case 'import-plan':
      return <ImportDialog dialog={dialog} />;
    case 'sign-out':
      return <SignOutDialog dialog={dialog} />;
    case 'receipt':
      return <ReceiptDialog dialog={dialog} />;
  }
}
