import type { ReactNode } from 'react';
import { Dialog, Form, Heading } from 'react-aria-components';
import { Action, Progress } from './Action.tsx';
import { Icon } from './Icon.tsx';
import { useModel } from './hooks.ts';

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

/** A dialog that asks: Cancel, and the button that does it. What is under way can't be cancelled any more. */
export function QuestionFrame({
  title,
  alert = false,
  yes,
  danger = false,
  pending,
  isDisabled = false,
  start,
  onYes,
  onCancel,
  children,
}: {
  title: string;
  alert?: boolean;
  /** What the button that does it says. */
  yes: string;
  danger?: boolean;
  /** What it says while that is under way, else null. */
  pending: string | null;
  isDisabled?: boolean;
  /** What has the focus at first: a button, or one of the fields, which make it a form. */
  start: 'no' | 'yes' | 'field';
  onYes: () => void;
  /** Closes the dialog where it is not given. */
  onCancel?: () => void;
  children: ReactNode;
}) {
  const { dialogs } = useModel();
  const typed = start === 'field';
  return (
    <DialogFrame
      title={title}
      alert={alert}
      busy={pending === null ? null : pending.replace('…', '')}
      {...(typed ? { onSubmit: onYes } : {})}
      buttons={
        <>
          <Action
            onPress={onCancel ?? dialogs.close}
            isDisabled={pending !== null}
            autoFocus={start === 'no'}
          >
            Cancel
          </Action>
          <Action
            kind={danger ? 'danger-solid' : 'primary'}
            {...(typed ? { type: 'submit' as const } : { onPress: onYes })}
            isDisabled={isDisabled}
            pending={pending}
            autoFocus={start === 'yes'}
          >
            {yes}
          </Action>
        </>
      }
    >
      {children}
    </DialogFrame>
  );
}

/** A dialog that says what was done. There is nothing to decide in it. */
export function ReceiptFrame({ title, children }: { title: string; children: ReactNode }) {
  const { dialogs } = useModel();
  return (
    <DialogFrame
      title={title}
      buttons={
        <Action kind="primary" onPress={dialogs.close} autoFocus>
          Done
        </Action>
      }
    >
      {children}
    </DialogFrame>
  );
}

export interface ReceiptLine {
  says: string;
  value: ReactNode;
  /** ok: proved, and marked as such. bad: not done. */
  tone?: 'ok' | 'bad' | 'plain';
}

export function ReceiptLines({ lines }: { lines: readonly ReceiptLine[] }) {
  return (
    <dl className="pairs receipt">
      {lines.map(({ says, value, tone = 'plain' }) => (
        <div className="pair" key={says}>
          <dt>{says}</dt>
          <dd data-tone={tone}>
            {tone === 'ok' && <Icon name="check" size={14} />}
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}
