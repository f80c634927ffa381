import { useEffect, useState } from 'react';
import { onFiles, onPaste, textIn } from '../bridge.ts';
import { holdsToken, isTokenFile, LONGEST_INPUT } from '../state/inspect.ts';
import { Icon } from './Icon.tsx';
import { useModel } from './hooks.ts';

/** Accepts files and tokens dropped anywhere on the window. The keyboard alternatives are Import… and the field of Inspect. */
export function DropZone() {
  const { dialogs, importing, inspect, pages } = useModel();
  const [over, setOver] = useState(false);
  useEffect(() => {
    const isInspecting = () => pages.view.get() === 'inspect';
    /** Shows text with a token in Inspect, unless a dialog is open. */
    const show = (input: string): boolean => {
      if (dialogs.view.get() !== null) return false;
      if (!isInspecting()) {
        pages.show('inspect');
        inspect.compare(false);
      }
      inspect.take(input);
      return true;
    };
    // The page itself takes any text, and says if it has no token.
    const text = (input: string) => (isInspecting() || holdsToken(input)) && show(input);
    /** A file can be a saved token or token response. */
    const drop = async (files: File[]) => {
      const [file] = files;
      if (files.length === 1 && file !== undefined && file.size <= LONGEST_INPUT) {
        const input = await textIn(file).catch(() => ''); // a folder, or a file that may not be read
        if (isTokenFile(input) && show(input)) return;
      }
      await importing.drop(files);
    };
    const endFiles = onFiles({ over: setOver, drop: (files) => void drop(files), text });
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
        <b>Drop a cache document or a token here</b>
        <span>You see its contents before anything is imported.</span>
      </div>
    </div>
  );
}
