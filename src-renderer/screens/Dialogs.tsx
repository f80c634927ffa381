import { useLayoutEffect, useRef } from 'react';
import { Modal, ModalOverlay } from 'react-aria-components';
import { focusOrigin, returnFocus } from '../focus.ts';
import { useModel, useStore } from '../parts/hooks.ts';
import { later } from '../parts/later.ts';
import type { Dialog } from '../state/dialogs.ts';
import type { Store } from '../state/store.ts';

export const dialogContents = later(() => import('./DialogContents.tsx'));

/**
 * Renders the open dialog. The overlay stays while one dialog replaces another (sign-out, receipt), so that the
 * focus returns to where it was before the first one.
 */
export function Dialogs() {
  const { dialogs, importing, signIn, signOut } = useModel();
  const dialog = useStore(dialogs.view);
  const isInProgress = useStore(dialogs.busy);
  const contents = dialogContents.use(dialog !== null);
  useFocusReturn(dialogs.view);
  if (dialog === null) return null;
  // A sign-in can be given up.
  const isBusy = (isInProgress && dialog.kind !== 'signing-in') || dialog.kind === 'import-reading';
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      isKeyboardDismissDisabled={isBusy}
      onOpenChange={(open) => {
        if (open || isBusy) return;
        if (dialog.kind === 'import-plan' || dialog.kind === 'import-locked') importing.cancel();
        else if (dialog.kind === 'signing-in') signIn.cancel();
        else if (dialog.kind === 'receipt') signOut.done();
        else dialogs.close();
      }}
    >
      <Modal className="modal">
        {contents !== null && <contents.DialogContents key={dialogs.key()} dialog={dialog} />}
      </Modal>
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
      // This runs before the dialog is rendered and takes the focus.
      if (opens) origin.current = focusOrigin();
    });
  }, [view]);
  useLayoutEffect(() => {
    if (!isOpen) returnFocus(origin.current);
  }, [isOpen]);
}
