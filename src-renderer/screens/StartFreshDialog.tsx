import { useState } from 'react';
import { Input, Label, TextField } from 'react-aria-components';
import { useModel, useStore } from '../parts/model.ts';
import { QuestionFrame } from '../parts/QuestionFrame.tsx';

const WORD = 'start fresh';

/** Begins an empty file. Typed, because one click should not put a whole cache out of sight. */
export function StartFreshDialog() {
  const { vault, dialogs } = useModel();
  const file = useStore(vault.view, (view) => view.status?.file ?? '');
  const doing = useStore(vault.view, (view) => view.doing);
  const [typed, setTyped] = useState('');
  const meant = typed.trim().toLowerCase() === WORD;

  const start = async () => {
    if (!meant) return;
    const answer = await vault.ask('startFresh');
    if (answer === null) return;
    if (answer.ok) dialogs.close();
    else dialogs.fail('Nothing was changed', answer.error);
  };
  return (
    <QuestionFrame
      alert
      danger
      title="Start with an empty file?"
      yes="Start fresh"
      pending={doing === 'startFresh' ? 'Starting fresh…' : null}
      isDisabled={!meant}
      start="field"
      onYes={() => void start()}
    >
      <p>
        The file that can’t be opened is set aside under another name, in the same folder. It is not deleted;
        should its key come back, it can be opened again.
      </p>
      <p className="path">
        <bdi>{file}</bdi>
      </p>
      <TextField className="field" value={typed} onChange={setTyped} autoFocus autoComplete="off">
        <Label>
          To go on, type <b>{WORD}</b>
        </Label>
        <Input spellCheck={false} />
      </TextField>
    </QuestionFrame>
  );
}
