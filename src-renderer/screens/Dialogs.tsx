import { type ReactNode, useLayoutEffect, useRef } from 'react';
import { Modal, ModalOverlay } from 'react-aria-components';
import { focusOrigin, returnFocus } from '../focus.ts';
import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrames.tsx';
import { useModel, useStore } from '../parts/hooks.ts';
import { UserText } from '../parts/text.tsx';
import type { Dialog, DialogOf } from '../state/dialogs.ts';
import type { Store } from '../state/store.ts';
import { AboutDialog } from './AboutDialog.tsx';
import { ExportDialog } from './ExportDialog.tsx';
import { RepairDialog } from './HealthPage.tsx';
import { ImportDialog, LockedImportDialog, ReadingDialog } from './ImportDialogs.tsx';
import { ProfileDialog } from './ProfileDialog.tsx';
import { SignInAgainDialog, SignInDialog, SigningInDialog } from './SignInDialog.tsx';
import { ReceiptDialog, SignOutDialog } from './SignOutDialog.tsx';
import { TenantNameDialog } from './TenantNameDialog.tsx';
import { RecoverDialog, RotateKeyDialog, StartFreshDialog } from './VaultDialogs.tsx';

/**
 * Renders the open dialog. The overlay stays while one dialog replaces another (sign-out, receipt), so that the
 * focus returns to where it was before the first one.
 */
export function Dialogs() {
  const { dialogs, importing, signIn, signOut } = useModel();
  const dialog = useStore(dialogs.view);
  useFocusReturn(dialogs.view);
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
        else if (dialog.kind === 'receipt') signOut.done();
        else dialogs.close();
      }}
    >
      <Modal className="modal">{contents(dialog)}</Modal>
    </ModalOverlay>
  );
}

/** Returns the focus to where it was before the first dialog, once the last one has closed. */
function useFocusReturn(view: Store<Dialog | null>): void {
  const origin = useRef<HTMLElement | null>(null);
  const isOpen = useStore(view, (dialog) => dialog !== null);
  useLayoutEffect(() => {
    let wasOpen = view.get() !== null;
    return view.subscribe(() => {
      const opens = view.get() !== null && !wasOpen;
      wasOpen = view.get() !== null;
      // Before the dialog is rendered and takes the focus.
      if (opens) origin.current = focusOrigin();
    });
  }, [view]);
  useLayoutEffect(() => {
    if (!isOpen) returnFocus(origin.current);
  }, [isOpen]);
}

/** A dialog can't be closed while its action is in progress. */
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
