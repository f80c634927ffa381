import type { ReactNode } from 'react';
import { Dialog, Heading } from 'react-aria-components';

/** Title, text, buttons. Traps the focus; Escape closes where that is safe. */
export function DialogFrame({
  title,
  alert = false,
  children,
  buttons,
}: {
  title: string;
  /** It warns of something, or asks for something that can't be taken back. */
  alert?: boolean;
  children: ReactNode;
  buttons?: ReactNode;
}) {
  return (
    <Dialog className="dialog" role={alert ? 'alertdialog' : 'dialog'}>
      <Heading slot="title">{title}</Heading>
      <div className="dialog-body">{children}</div>
      {buttons !== undefined && <div className="dialog-buttons">{buttons}</div>}
    </Dialog>
  );
}
