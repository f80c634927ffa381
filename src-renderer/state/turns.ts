import type { Ports } from './ports.ts';

/** Milliseconds of work at once: shorter than a task that delays a key press noticeably. */
const TURN = 20;

/** Does work for each item, and lets the window take input in between. */
export async function inTurns<T>(
  items: Iterable<T>,
  { spent, turn }: Pick<Ports['time'], 'spent' | 'turn'>,
  work: (item: T) => void,
): Promise<void> {
  let since = spent();
  for (const item of items) {
    work(item);
    if (spent() - since < TURN) continue;
    await turn();
    since = spent();
  }
}
