import { pieces, wordsOf } from '../state/hits.ts';
import { useModel, useStore } from './model.ts';

/** Text that is safe to show (`visible`), with what is searched for marked in it. */
export function Hits({ children }: { children: string }) {
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
