import { useLayoutEffect, useRef, useState } from 'react';
import { Progress } from '../parts/Action.tsx';
import { DialogFrame, QuestionFrame } from '../parts/DialogFrames.tsx';
import { PassphraseField } from '../parts/PassphraseField.tsx';
import { useModel } from '../parts/hooks.ts';
import { UserText } from '../parts/text.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { intoEmpty, isNothingNew, planLines, planNames } from '../state/importing.ts';
import { bytes } from '../state/words.ts';

/** Shows what an import will merge. */
export function ImportDialog({ dialog: { plan, restores, merging } }: { dialog: DialogOf<'import-plan'> }) {
  const { importing } = useModel();
  const names = planNames(plan);
  // Main counts what is new beside what is in memory, which a restoring import replaces.
  const counted = restores ? intoEmpty(plan) : plan;
  const nothing = isNothingNew(counted);
  return (
    <QuestionFrame
      title={
        nothing ? 'Nothing to import' : restores ? 'Restore from this document?' : 'Import this document?'
      }
      yes={restores ? 'Restore' : 'Import'}
      isDisabled={nothing}
      pending={merging ? (restores ? 'Restoring…' : 'Importing…') : null}
      start={nothing ? 'no' : 'yes'}
      onYes={() => void importing.confirm()}
      onCancel={importing.cancel}
    >
      <p className="file-name">
        <b>
          <UserText>{plan.fileName}</UserText>
        </b>
        <span>
          {bytes(plan.bytes)} · {plan.writtenBy === null ? 'unknown writer' : `written by ${plan.writtenBy}`}
        </span>
      </p>
      <ul className="counts">
        {planLines(counted).map(({ text, soft }) => (
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
        The document is not changed. Anyone who can read it can use its tokens: delete it when no app needs
        it.
      </p>
    </QuestionFrame>
  );
}

/** Asks for the passphrase of an encrypted file. Deriving its key takes about a second by design. */
export function LockedImportDialog({
  dialog: { file, opening, error },
}: {
  dialog: DialogOf<'import-locked'>;
}) {
  const { importing } = useModel();
  const [passphrase, setPassphrase] = useState('');
  const field = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (error !== null) field.current?.querySelector('input')?.focus(); // to correct what was typed
  }, [error]);
  return (
    <QuestionFrame
      title="Enter the passphrase of this file"
      yes="Open"
      pending={opening ? 'Opening…' : null}
      isDisabled={passphrase === ''}
      start="field"
      onYes={() => void importing.unlock(passphrase)}
      onCancel={importing.cancel}
    >
      <p className="file-name">
        <b>
          <UserText>{file.fileName}</UserText>
        </b>
        <span>{bytes(file.bytes)} · encrypted (age)</span>
      </p>
      <PassphraseField
        label="Passphrase of the export"
        value={passphrase}
        onChange={setPassphrase}
        problem={error === null ? null : error.message}
        isReadOnly={opening}
        autoFocus
        ref={field}
      />
    </QuestionFrame>
  );
}

export function ReadingDialog({ dialog }: { dialog: DialogOf<'import-reading'> }) {
  return (
    <DialogFrame title="Reading the document…">
      <p>
        <UserText>{dialog.fileName}</UserText>, {bytes(dialog.bytes)}. Nothing is imported yet.
      </p>
      <Progress says="Reading the document" />
    </DialogFrame>
  );
}
