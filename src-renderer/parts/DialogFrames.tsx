import { type ReactNode, useLayoutEffect, useRef } from 'react';
import { Dialog, Form, Heading } from 'react-aria-components';
import { focusDialog } from '../focus.ts';
import { Action, Progress } from './Action.tsx';
import { Icon } from './Icon.tsx';
import { useModel } from './hooks.ts';
import { UserText } from './text.tsx';

/** A dialog with title, contents and buttons. Traps the focus. */
export function DialogFrame({
  title,
  alert = false,
  busy = null,
  onSubmit,
  children,
  buttons,
}: {
  title: string;
  /** The dialog warns, or asks about something that can't be undone. */
  alert?: boolean;
  /** Label of the progress bar above the buttons; null for none. */
  busy?: string | null;
  /** Makes the dialog a form: Enter in a field submits it. */
  onSubmit?: () => void;
  children: ReactNode;
  buttons?: ReactNode;
}) {
  const { dialogs } = useModel();
  const place = useRef<HTMLElement>(null);
  const isBusy = busy !== null;
  useLayoutEffect(() => {
    dialogs.busy.set(isBusy);
    return () => dialogs.busy.set(false);
  }, [dialogs, isBusy]);
  useLayoutEffect(() => {
    if (place.current !== null) focusDialog(place.current);
  }, []);
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
    <Dialog ref={place} className="dialog" role={alert ? 'alertdialog' : 'dialog'}>
      <Heading slot="title">
        <UserText>{title}</UserText>
      </Heading>
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

/** A dialog with Cancel and an action. Cancel is disabled while the action is in progress. */
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
  /** Label of the action button. */
  yes: string;
  danger?: boolean;
  /** Label while the action is in progress; else null. */
  pending: string | null;
  isDisabled?: boolean;
  /** Initial focus: a button, or a field, which makes the dialog a form. */
  start: 'no' | 'yes' | 'field';
  onYes: () => void;
  /** Default: closes the dialog. */
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

/** A dialog that reports a result. `keep`: buttons that copy or save it. */
export function ReceiptFrame({
  title,
  keep,
  children,
}: {
  title: string;
  keep?: ReactNode;
  children: ReactNode;
}) {
  const { dialogs } = useModel();
  return (
    <DialogFrame
      title={title}
      buttons={
        <>
          {keep}
          <Action kind="primary" onPress={dialogs.close} autoFocus>
            Done
          </Action>
        </>
      }
    >
      {children}
    </DialogFrame>
  );
}

export interface ReceiptLine {
  says: string;
  value: ReactNode;
  /** ok: checked. bad: failed. */
  tone?: 'ok' | 'bad' | 'plain';
}

export function ReceiptLines({ lines }: { lines: readonly ReceiptLine[] }) {
  return (
    <dl className="pairs receipt">
      {lines.map(({ says, value, tone = 'plain' }, index) => (
        <div className="pair" key={`${String(index)} ${says}`}>
          <dt>
            <UserText>{says}</UserText>
          </dt>
          <dd data-tone={tone}>
            {tone === 'ok' && <Icon name="check" size={14} />}
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}
