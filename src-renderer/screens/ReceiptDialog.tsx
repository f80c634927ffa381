import { useNow } from '../parts/model.ts';
import { ReceiptFrame, ReceiptLines } from '../parts/ReceiptFrame.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { leavingLines } from '../state/leaving.ts';
import { receiptWords } from '../state/receipt.ts';
import { removals } from '../state/words.ts';

/** The proof of a sign-out: what was removed, what remains, what became of the key. */
export function ReceiptDialog({ dialog: { user, who, receipts, leaving } }: { dialog: DialogOf<'receipt'> }) {
  const { title, removed, remaining, when, oldKey } = receiptWords(user, who, receipts, useNow());
  const list = (
    <ul>
      {removals(removed).map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
  return (
    <ReceiptFrame title={title}>
      <ReceiptLines
        lines={[
          { says: 'Removed', value: list },
          {
            says: 'Remaining',
            value: `${remaining}, counted afresh`,
            tone: remaining === 0 ? 'ok' : 'plain',
          },
          { says: 'When', value: when },
          ...(oldKey === null ? [] : [oldKey]),
          // These come when the provider has answered.
          ...leavingLines(leaving).map((line) => ({
            ...line,
            value: <span role="status">{line.value}</span>,
          })),
        ]}
      />
    </ReceiptFrame>
  );
}
