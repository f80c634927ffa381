/** How long work may keep everything else in the process waiting, in milliseconds: less than a frame of a window. */
const TURN = 12;

/**
 * Returns a function that long work awaits between accounts: after a while it lets the process answer its windows and
 * timers.
 */
export function pauses(): () => Promise<void> {
  let until = performance.now() + TURN;
  return async () => {
    if (performance.now() < until) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    until = performance.now() + TURN;
  };
}
