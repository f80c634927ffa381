/** The longest time that work may block the process, in milliseconds: less than one frame of a window. */
const TURN = 12;

/**
 * Returns a function that long work awaits between accounts. When enough time has passed, it yields to windows and
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
