import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrame.tsx';
import { useModel } from '../parts/model.ts';
import { UserText } from '../parts/UserText.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { planLines, planNames } from '../state/importing.ts';
import { bytes } from '../state/words.ts';

/** What would be merged, before it is. */
export function ImportDialog({ dialog: { plan, merging } }: { dialog: DialogOf<'import-plan'> }) {
  const { importing } = useModel();
  const names = planNames(plan);
  return (
    <DialogFrame
      title="Import this document?"
      busy={merging ? 'Importing' : null}
      buttons={
        <>
          <Action onPress={importing.cancel} isDisabled={merging}>
            Cancel
          </Action>
          <Action
            kind="primary"
            onPress={() => void importing.confirm()}
            pending={merging ? 'Importing…' : null}
            autoFocus
          >
            Import
          </Action>
        </>
      }
    >
      <p className="file-name">
        <b>
          <UserText>{plan.fileName}</UserText>
        </b>
        <span>
          {bytes(plan.bytes)} ·{' '}
          {plan.writtenBy === null ? 'writer not recognized' : `written by ${plan.writtenBy}`}
        </span>
      </p>
      <ul className="counts">
        {planLines(plan).map(({ text, soft }) => (
          <li key={text} data-soft={soft}>
            {text}
          </li>
        ))}
      </ul>
      {names !== '' && (
        <p className="names">
          <UserText>{names}</UserText>
        </p>
      )}
      <p className="note">
        The document itself is not changed. Its tokens stay in it, readable by whoever can read the file:
        delete it when no app needs it.
      </p>
    </DialogFrame>
  );
}
