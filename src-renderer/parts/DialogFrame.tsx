import type { ReactNode } from 'react';
import { Dialog, Form, Heading } from 'react-aria-components';
import { Progress } from './Progress.tsx';

/** Title, text, buttons. Traps the focus; Escape closes where that is safe. */
export function DialogFrame({
  title,
  alert = false,
  busy = null,
  onSubmit,
  children,
  buttons,
}: {
  title: string;
  /** It warns of something, or asks for something that can't be taken back. */
  alert?: boolean;
  /** What is under way, for those who listen; a bar moves over the buttons meanwhile. */
  busy?: string | null;
  /** Makes it a form, which Enter in any of its fields sends as its button does. */
  onSubmit?: () => void;
  children: ReactNode;
  buttons?: ReactNode;
}) {
  const contents = (
    <>
      <div className="dialog-body">{children}</div>
      {buttons !== undefined && (
        <div className="dialog-buttons">
          {busy !== null && <Progress says={busy} />}
          {buttons}
        </div>
      )}
    </>
  );
  return (
    <Dialog className="dialog" role={alert ? 'alertdialog' : 'dialog'}>
      <Heading slot="title">{title}</Heading>
      {onSubmit === undefined ? (
        contents
      ) : (
        <Form
          className="dialog-form"
          onSubmit={(event) => {
            event.preventDefault();
            onSubmit();
          }}
        >
          {contents}
        </Form>
      )}
    </Dialog>
  );
}
