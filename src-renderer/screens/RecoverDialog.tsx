import { useModel, useStore } from '../parts/model.ts';
import { QuestionFrame } from '../parts/QuestionFrame.tsx';
import { UserText } from '../parts/UserText.tsx';
import { recovered } from '../state/notices.ts';

/** The damaged file: what is kept, who is lost, and that the file itself stays. */
export function RecoverDialog() {
  const { vault, dialogs } = useModel();
  const { status, doing } = useStore(vault.view);
  const lost = status?.recovered?.lost ?? [];

  const recover = async () => {
    const answer = await vault.ask('recover');
    if (answer === null) return;
    if (answer.ok) dialogs.close();
    else dialogs.fail('Nothing was changed', answer.error);
  };
  return (
    <QuestionFrame
      title="Keep what was recovered?"
      yes="Keep"
      pending={doing === 'recover' ? 'Keeping…' : null}
      start="no"
      onYes={() => void recover()}
    >
      {status !== null && (
        <p>{recovered(status)}. They go into a new file; the damaged one is kept beside it, as it is.</p>
      )}
      {lost.length > 0 && (
        <>
          <p id="lost">Lost, and to be signed in again by their apps:</p>
          <ul className="lost" aria-labelledby="lost" tabIndex={0}>
            {lost.map((name, index) => (
              <li key={`${String(index)} ${name}`}>
                <UserText>{name}</UserText>
              </li>
            ))}
          </ul>
        </>
      )}
    </QuestionFrame>
  );
}
