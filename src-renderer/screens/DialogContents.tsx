import type { ReactNode } from 'react';
import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrames.tsx';
import { useModel } from '../parts/hooks.ts';
import { Message } from '../parts/text.tsx';
import type { Dialog, DialogOf } from '../state/dialogs.ts';
import { AboutDialog } from './AboutDialog.tsx';
import { ExportDialog } from './ExportDialog.tsx';
import { RepairDialog } from './HealthPage.tsx';
import { ImportDialog, LockedImportDialog, ReadingDialog } from './ImportDialogs.tsx';
import { ProfileDialog } from './ProfileDialog.tsx';
import { SignInAgainDialog, SignInDialog, SigningInDialog } from './SignInDialog.tsx';
import { ReceiptDialog, SignOutDialog } from './SignOutDialog.tsx';
import { TenantNameDialog } from './TenantNameDialog.tsx';
import { RecoverDialog, RotateKeyDialog, StartFreshDialog } from './VaultDialogs.tsx';

/** What an open dialog shows. */
export function DialogContents({ dialog }: { dialog: Dialog }): ReactNode {
  switch (dialog.kind) {
    case 'about':
      return <AboutDialog />;
    case 'tenant-name':
      return <TenantNameDialog dialog={dialog} />;
    case 'sign-in':
      return <SignInDialog />;
    case 'sign-in-again':
      return <SignInAgainDialog dialog={dialog} />;
    case 'profile':
      return <ProfileDialog dialog={dialog} />;
    case 'signing-in':
      return <SigningInDialog />;
    case 'start-fresh':
      return <StartFreshDialog dialog={dialog} />;
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

/** An action failed: shows main's message. */
function FailureDialog({ dialog }: { dialog: DialogOf<'failure'> }) {
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
        <Message>{dialog.error.message}</Message>
      </p>
    </DialogFrame>
  );
}
