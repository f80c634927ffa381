import { type RefAttributes, useState } from 'react';
import { Button, FieldError, Input, Label, TextField, type TextFieldProps } from 'react-aria-components';
import { Icon } from './Icon.tsx';
import { Message } from './text.tsx';

/** A passphrase field with a button that shows its text. */
export function PassphraseField({
  label,
  problem = null,
  shown,
  onShow,
  children,
  ...props
}: {
  label: string;
  /** Error below the field; null for none. */
  problem?: string | null;
  /** Controls visibility from outside, so that several fields show their text together. */
  shown?: boolean;
  onShow?: (shown: boolean) => void;
  children?: React.ReactNode;
} & Omit<TextFieldProps, 'children' | 'className' | 'isInvalid' | 'type'> &
  RefAttributes<HTMLDivElement>) {
  const [own, setOwn] = useState(false);
  const seen = shown ?? own;
  return (
    <TextField
      {...props}
      data-autofocus={props.autoFocus === true}
      className="field"
      type={seen ? 'text' : 'password'}
      autoComplete="off"
      isInvalid={problem !== null}
      // Native validation would block a second submit after main's error.
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
      {problem !== null && (
        <FieldError className="problem">
          <Message>{problem}</Message>
        </FieldError>
      )}
    </TextField>
  );
}
