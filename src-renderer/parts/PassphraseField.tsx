import { useState } from 'react';
import { Button, FieldError, Input, Label, TextField, type TextFieldProps } from 'react-aria-components';
import { Icon } from './Icon.tsx';

/** Something typed that is not to be read over a shoulder, unless the user wants to see it. */
export function PassphraseField({
  label,
  problem = null,
  shown,
  onShow,
  children,
  ...props
}: {
  label: string;
  /** What is wrong with it, below the field. */
  problem?: string | null;
  /** Several fields are shown and hidden together; without these it keeps to itself. */
  shown?: boolean;
  onShow?: (shown: boolean) => void;
  children?: React.ReactNode;
} & Omit<TextFieldProps, 'children' | 'className' | 'isInvalid' | 'type'>) {
  const [own, setOwn] = useState(false);
  const seen = shown ?? own;
  return (
    <TextField
      {...props}
      className="field"
      type={seen ? 'text' : 'password'}
      autoComplete="off"
      isInvalid={problem !== null}
      // Main's word on the last one must not keep the form from sending another, as the browser's own check would.
      validationBehavior="aria"
      maxLength={1024}
    >
      <Label>{label}</Label>
      <span className="field-row">
        <Input spellCheck={false} className="passphrase" />
        <Button
          className="button quiet icon-only"
          aria-label={seen ? 'Hide the passphrase' : 'Show the passphrase'}
          aria-pressed={seen}
          onPress={() => (onShow ?? setOwn)(!seen)}
        >
          <Icon name={seen ? 'hide' : 'show'} />
        </Button>
      </span>
      {children}
      {problem !== null && <FieldError className="problem">{problem}</FieldError>}
    </TextField>
  );
}
