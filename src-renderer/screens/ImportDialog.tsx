import { useModel } from '../parts/model.ts';
import { QuestionFrame } from '../parts/QuestionFrame.tsx';
import { UserText } from '../parts/UserText.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { planLines, planNames } from '../state/importing.ts';
import { bytes } from '../state/words.ts';

/** What would be merged, before it is. */
export function ImportDialog({ dialog: { plan, merging } }: { dialog: DialogOf<'import-plan'> }) {
  const { importing } = useModel();
  const names = planNames(plan);
  return (
    <QuestionFrame
      title="Import this document?"
      yes="Import"
      pending={merging ? 'Importing…' : null}
      start="yes"
      onYes={() => void importing.confirm()}
      onCancel={importing.cancel}
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
    </QuestionFrame>
  );
}
