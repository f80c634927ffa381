import { useState } from 'react';
import { Form } from 'react-aria-components';
import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrame.tsx';
import { useModel } from '../parts/model.ts';
import { PassphraseField } from '../parts/PassphraseField.tsx';
import { Progress } from '../parts/Progress.tsx';
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
    <DialogFrame title="This file needs its passphrase">
      <p className="file-name">
        <b>
          <UserText>{file.fileName}</UserText>
        </b>
        <span>{bytes(file.bytes)} · encrypted, in the age format</span>
      </p>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          void importing.unlock(passphrase);
        }}
      >
        <PassphraseField
          label="The passphrase it was exported with"
          value={passphrase}
          onChange={setPassphrase}
          problem={error === null ? null : error.message}
          isReadOnly={opening}
          autoFocus
        />
        <div className="dialog-buttons">
          {opening && <Progress says="Opening the file" />}
          <Action onPress={importing.cancel} isDisabled={opening}>
            Cancel
          </Action>
          <Action
            kind="primary"
            type="submit"
            isDisabled={passphrase === ''}
            pending={opening ? 'Opening…' : null}
          >
            Open
          </Action>
        </div>
      </Form>
    </DialogFrame>
  );
}
