import { useState } from 'react';
import { useModel } from '../parts/model.ts';
import { PassphraseField } from '../parts/PassphraseField.tsx';
import { QuestionFrame } from '../parts/QuestionFrame.tsx';
import { UserText } from '../parts/UserText.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { bytes } from '../state/words.ts';

/** A file that was exported with a passphrase. Deriving its key takes a second, on purpose. */
export function LockedImportDialog({
  dialog: { file, opening, error },
}: {
  dialog: DialogOf<'import-locked'>;
}) {
  const { importing } = useModel();
  const [passphrase, setPassphrase] = useState('');
  return (
    <QuestionFrame
      title="This file needs its passphrase"
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
        <span>{bytes(file.bytes)} · encrypted, in the age format</span>
      </p>
      <PassphraseField
        label="The passphrase it was exported with"
        value={passphrase}
        onChange={setPassphrase}
        problem={error === null ? null : error.message}
        isReadOnly={opening}
        autoFocus
      />
    </QuestionFrame>
  );
}
