import type { Sliced } from '../cache/sliced.ts';

/** How long work may keep everything else in the process waiting, in milliseconds: less than a frame of a window. */
const SLICE = 12;

/** Runs long work, and lets the process answer its windows and its timers in between. */
export async function paced<T>(work: Sliced<T>): Promise<T> {
  for (;;) {
    const until = performance.now() + SLICE;
    do {
      const step = work.next();
      if (step.done === true) return step.value;
    } while (performance.now() < until);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
