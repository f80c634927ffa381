import { useEffect, useState } from 'react';
import { onFiles, onPaste } from '../bridge.ts';
import { readToken, tokensIn } from '../state/inspect.ts';
import { Icon } from './Icon.tsx';
import { useModel } from './hooks.ts';

/** Accepts files dropped anywhere on the window. The keyboard alternative is Import…. */
export function DropZone() {
  const { dialogs, importing, inspect, pages } = useModel();
  const [over, setOver] = useState(false);
  useEffect(() => {
    /** Shows pasted or dropped text in Inspect, if it contains a token. */
    const text = (input: string) => {
      const isToken = tokensIn(input).some(
        ({ field, token }) => field !== null || readToken(token).format !== 'opaque',
      );
      if (!isToken || dialogs.view.get() !== null) return;
      pages.show('inspect');
      inspect.compare(false);
      inspect.set('first', input);
    };
    const endFiles = onFiles({ over: setOver, drop: (files) => void importing.drop(files), text });
    const endPaste = onPaste(text);
    return () => {
      endFiles();
      endPaste();
    };
  }, [dialogs, importing, inspect, pages]);
  if (!over) return null;
  return (
    <div className="drop">
      <div>
        <Icon name="file" size={28} />
        <b>Drop a cache document here</b>
        <span>You see its contents before anything is imported.</span>
      </div>
    </div>
  );
}
