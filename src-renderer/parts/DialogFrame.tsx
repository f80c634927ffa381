import type { ReactNode } from 'react';
import { Dialog, Heading } from 'react-aria-components';
import { Progress } from './Progress.tsx';

/** Title, text, buttons. Traps the focus; Escape closes where that is safe. */
export function DialogFrame({
  title,
  alert = false,
  busy = null,
  children,
  buttons,
}: {
  title: string;
  /** It warns of something, or asks for something that can't be taken back. */
  alert?: boolean;
  /** What is under way, for those who listen; a bar moves over the buttons meanwhile. */
  busy?: string | null;
  children: ReactNode;
  buttons?: ReactNode;
}) {
  return (
    <Dialog className="dialog" role={alert ? 'alertdialog' : 'dialog'}>
      <Heading slot="title">{title}</Heading>
      <div className="dialog-body">{children}</div>
      {buttons !== undefined && (
        <div className="dialog-buttons">
          {busy !== null && <Progress says={busy} />}
          {buttons}
        </div>
      )}
    </Dialog>
  );
}
