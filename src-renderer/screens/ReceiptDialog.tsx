import { Fragment } from 'react';
import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrame.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useModel, useNow } from '../parts/model.ts';
import type { DialogOf } from '../state/dialogs.ts';
import { leavingLines } from '../state/leaving.ts';
import { receiptWords } from '../state/receipt.ts';
import { removals } from '../state/words.ts';

/** The proof of a sign-out: what was removed, what remains, what became of the key. */
export function ReceiptDialog({ dialog: { user, who, receipts, leaving } }: { dialog: DialogOf<'receipt'> }) {
  const { dialogs } = useModel();
  const words = receiptWords(user, who, receipts, useNow());
  return (
    <DialogFrame
      title={words.title}
      buttons={
        <Action kind="primary" onPress={dialogs.close} autoFocus>
          Done
        </Action>
      }
    >
      <dl className="pairs receipt">
        <dt>Removed</dt>
        <dd>
          <ul>
            {removals(words.removed).map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </dd>
        <dt>Remaining</dt>
        <dd>
          {words.remaining === 0 && <Icon name="check" size={14} />}
          {words.remaining}, counted afresh
        </dd>
        <dt>When</dt>
        <dd>{words.when}</dd>
        {words.oldKey !== null && (
          <>
            <dt>Old key</dt>
            <dd>{words.oldKey}</dd>
          </>
        )}
        {leavingLines(leaving).map(({ says, value, tone }) => (
          <Fragment key={says}>
            <dt>{says}</dt>
            <dd data-tone={tone}>
              {tone === 'ok' && <Icon name="check" size={14} />}
              <span role="status">{value}</span>
            </dd>
          </Fragment>
        ))}
      </dl>
    </DialogFrame>
  );
}
