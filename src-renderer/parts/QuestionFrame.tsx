import type { ReactNode } from 'react';
import { Action } from './Action.tsx';
import { DialogFrame } from './DialogFrame.tsx';
import { useModel } from './model.ts';

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
