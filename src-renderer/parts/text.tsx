import { pieces, visible } from '../state/text.ts';
import { useModel, useStore } from './hooks.ts';

/** Shows untrusted text with its direction isolated and its invisible characters written out. */
export function UserText({ children }: { children: string }) {
  return <bdi>{visible(children)}</bdi>;
}

/** A sentence from the main process. It may quote untrusted text, and names of fields and commands are in backticks. */
export function Message({ children }: { children: string }) {
  return (
    <bdi>
      {visible(children)
        .split(/`([\w.-]+)`/)
        .map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}
    </bdi>
  );
}

/** Highlights the search words in a text that is safe to show (`visible`). */
export function Highlight({ children }: { children: string }) {
  const { accounts } = useModel();
  const words = useStore(accounts.view, (view) => view.words);
  return (
    <bdi>
      {pieces(children, words).map(({ text, hit }, index) =>
        // Pieces never move, so the index identifies them.
        hit ? <mark key={index}>{text}</mark> : text,
      )}
    </bdi>
  );
}
