import { careWords } from '../state/care.ts';
import { useModel, useStore, useTimed } from './model.ts';

/** Whether the account is kept fresh, when it is tried next, and what went wrong. */
export function CareLine({ accountId }: { accountId: string }) {
  const { care } = useModel();
  const { accountId: known, care: state, problem } = useStore(care.view);
  const words = useTimed((now) => (state === null ? '' : careWords(state, now)));
  if (known !== accountId || state === null || !state.refreshable) return null;
  const told = problem ?? (state.keepFresh ? state.problem : null);
  return (
    <div className="care">
      <label className="switch">
        <input
          type="checkbox"
          role="switch"
          checked={state.keepFresh}
          onChange={(event) => void care.keepFresh(event.target.checked)}
        />
        Keep fresh
      </label>
      <span className="care-words">{words}</span>
      {told !== null && (
        <p className="problem" role="alert">
          {told.message}
        </p>
      )}
    </div>
  );
}
