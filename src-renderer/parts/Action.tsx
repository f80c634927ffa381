import { Button, type ButtonProps, ProgressBar } from 'react-aria-components';

/** A button. `primary` is the main action, `danger` removes something. */
export function Action({
  kind = 'plain',
  pending = null,
  children,
  onPress,
  ...props
}: {
  kind?: 'plain' | 'primary' | 'danger' | 'danger-solid' | 'quiet';
  /** Label while its action is in progress. The button keeps the focus and ignores presses. */
  pending?: string | null;
  children: string;
} & Omit<ButtonProps, 'children' | 'className' | 'isPending' | 'aria-disabled'>) {
  const busy = pending !== null;
  return (
    <Button
      {...props}
      data-autofocus={props.autoFocus === true}
      {...(busy || onPress === undefined ? {} : { onPress })}
      aria-disabled={busy}
      className={`button ${kind}`}
      data-busy={busy}
    >
      {pending ?? children}
    </Button>
  );
}

/** An indeterminate progress bar. */
export function Progress({ says }: { says: string }) {
  return (
    <ProgressBar className="progress" aria-label={says} isIndeterminate>
      <span className="progress-track">
        <span className="progress-bar" />
      </span>
    </ProgressBar>
  );
}
