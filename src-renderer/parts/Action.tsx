import { Button, type ButtonProps, ProgressBar } from 'react-aria-components';

/** A button. `danger` removes something; `primary` is the one to take. */
export function Action({
  kind = 'plain',
  pending = null,
  children,
  onPress,
  ...props
}: {
  kind?: 'plain' | 'primary' | 'danger' | 'danger-solid' | 'quiet';
  /** What it began and is under way, in place of its own words. It keeps the focus, and pressing it does nothing. */
  pending?: string | null;
  children: string;
} & Omit<ButtonProps, 'children' | 'className' | 'isPending' | 'aria-disabled'>) {
  const busy = pending !== null;
  return (
    <Button
      {...props}
      {...(busy || onPress === undefined ? {} : { onPress })}
      aria-disabled={busy}
      className={`button ${kind}`}
      data-busy={busy}
    >
      {pending ?? children}
    </Button>
  );
}

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
