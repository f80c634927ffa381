import { visible } from '../state/text.ts';

/** Text that others wrote: its direction stays inside, its unseen characters are seen. */
export function UserText({ children }: { children: string }) {
  return <bdi>{visible(children)}</bdi>;
}
