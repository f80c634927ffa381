import { Button, type ButtonProps, ProgressBar } from 'react-aria-components';

/** A button. `danger` removes something; `primary` is the one to take. */
export function Action({
  kind = 'plain',
  pending = null,
  children,
  ...props
}: {
  kind?: 'plain' | 'primary' | 'danger' | 'danger-solid' | 'quiet';
  /** What it began and is under way, in place of its own words. It keeps the focus, and can't be pressed again. */
  pending?: string | null;
  children: string;
} & Omit<ButtonProps, 'children' | 'className' | 'isPending'>) {
  return (
    <Button {...props} isPending={pending !== null} className={`button ${kind}`}>
      {pending ?? children}
      {pending !== null && <ProgressBar className="unseen" isIndeterminate aria-label={pending} />}
    </Button>
  );
}
