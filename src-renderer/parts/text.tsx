import { pieces, visible, wordsOf } from '../state/text.ts';
import { useModel, useStore } from './hooks.ts';

/** Text that others wrote: its direction stays inside, its unseen characters are seen. */
export function UserText({ children }: { children: string }) {
  return <bdi>{visible(children)}</bdi>;
}

/** Text that is safe to show (`visible`), with what is searched for marked in it. */
export function Highlight({ children }: { children: string }) {
  const { accounts } = useModel();
  const search = useStore(accounts.view, (view) => view.text);
  return (
    <bdi>
      {pieces(children, wordsOf(search)).map(({ text, hit }, index) =>
        // In a row that nothing is moved in, the place is what names a piece.
        hit ? <mark key={index}>{text}</mark> : text,
      )}
    </bdi>
  );
}
