import { useState } from 'react';
import { Action } from '../parts/Action.tsx';
import { QuestionFrame, ReceiptFrame } from '../parts/DialogFrames.tsx';
import { PassphraseField } from '../parts/PassphraseField.tsx';
import { useModel } from '../parts/hooks.ts';
import { UserText } from '../parts/text.tsx';
import { Problem } from '../parts/Problem.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { strength, suggestion } from '../state/passphrase.ts';
import { count } from '../state/words.ts';

/**
 * Asks for a passphrase twice; the system's dialog asks for the location. The passphrase is kept in these fields
 * only.
 */
export function ExportDialog({ dialog }: { dialog: DialogOf<'export'> }) {
  return dialog.receipt === null ? <Ask dialog={dialog} /> : <Done receipt={dialog.receipt} />;
}

function Ask({ dialog: { working, error } }: { dialog: DialogOf<'export'> }) {
  const { maintenance, ports } = useModel();
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [shown, setShown] = useState(false);
  const { level, says } = strength(passphrase);
  const good = (level === 'fair' || level === 'strong' || level === 'weak') && again === passphrase;
  // The error appears once the confirmation is as long as the passphrase, not while it is being typed.
  const differ = again.length >= passphrase.length && again !== passphrase;
  const suggest = () => {
    const made = suggestion(ports.random);
    setPassphrase(made);
    setAgain(made);
    setShown(true);
  };
  return (
    <QuestionFrame
      title="Export all accounts"
      yes="Choose location…"
      pending={working ? 'Exporting…' : null}
      isDisabled={!good}
      start="field"
      onYes={() => {
        if (good) void maintenance.exportAll(passphrase);
      }}
    >
      <p>
        One file with all accounts and tokens, encrypted with this passphrase. The passphrase can’t be
        recovered: keep it in a password manager, not beside the file.
      </p>
      {error !== null && <Problem>{error.message}</Problem>}
      <PassphraseField
        label="Passphrase"
        value={passphrase}
        onChange={setPassphrase}
        shown={shown}
        onShow={setShown}
        isReadOnly={working}
        autoFocus
      >
        <span className="strength" data-level={level}>
          <span className="strength-scale" aria-hidden="true" />
          <span role="status">{says}</span>
          <Action kind="quiet" onPress={suggest} isDisabled={working}>
            Generate
          </Action>
        </span>
      </PassphraseField>
      <PassphraseField
        label="Confirm passphrase"
        value={again}
        onChange={setAgain}
        shown={shown}
        onShow={setShown}
        isReadOnly={working}
        problem={differ ? 'The passphrases don’t match.' : null}
      />
    </QuestionFrame>
  );
}

function Done({
  receipt: { fileName, accounts, tokens },
}: {
  receipt: NonNullable<DialogOf<'export'>['receipt']>;
}) {
  return (
    <ReceiptFrame title="Exported">
      <p className="file-name">
        <b>
          <UserText>{fileName}</UserText>
        </b>
        <span>
          {count(accounts, 'account')}, {count(tokens, 'token')} · encrypted and checked
        </span>
      </p>
      <p>
        Open it here with Import…, elsewhere with <code>age --decrypt</code>. Signing out does not change this
        file.
      </p>
    </ReceiptFrame>
  );
}
