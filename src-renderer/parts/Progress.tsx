import { ProgressBar } from 'react-aria-components';

/** Something is under way and can't say how far it is. */
export function Progress({ says }: { says: string }) {
  return (
    <ProgressBar className="progress" aria-label={says} isIndeterminate>
      <span className="progress-track">
        <span className="progress-bar" />
      </span>
    </ProgressBar>
  );
}
