import type { ReactNode } from 'react';
import { Action } from './Action.tsx';
import { DialogFrame } from './DialogFrame.tsx';
import { Icon } from './Icon.tsx';
import { useModel } from './model.ts';

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
