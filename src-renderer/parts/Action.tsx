import { Button, type ButtonProps } from 'react-aria-components';

/** A button. `danger` removes something; `primary` is the one to take. */
export function Action({
  kind = 'plain',
  ...props
}: { kind?: 'plain' | 'primary' | 'danger' | 'danger-solid' | 'quiet' } & ButtonProps) {
  return <Button {...props} className={`button ${kind}`} />;
}
