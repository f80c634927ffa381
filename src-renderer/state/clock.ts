import type { Ports } from './ports.ts';
import { takeZone } from './time.ts';

/** Tells the time, and makes calls at given times. No call is made while the window is hidden. */
export interface Clock {
  /** Seconds since the epoch. */
  now: () => number;
  /**
   * Calls once when the time in seconds is reached, and each time that the clock or the time zone was changed before. Returns a function
   * that cancels the calls.
   */
  wake: (at: number, call: () => void) => () => void;
}

/** The longest timer, because neither sleep nor a change of the computer's clock or zone moves a timer that runs. Milliseconds. */
const LONGEST = 60_000;

/** The clock was changed, or the computer slept, if the time of day and the time that passed differ by more. Milliseconds. */
const JUMP = 2_000;

/** A clock with one timer, for the earliest of all waiting calls. */
export function createClock({ time, visibility }: Pick<Ports, 'time' | 'visibility'>): Clock {
  const waiting = new Set<{ at: number; call: () => void }>();
  let stop = () => {};
  /** When the timer fires; Infinity without a timer. */
  let next = Number.POSITIVE_INFINITY;
  /** The time of day, less the time that has passed since the window was opened. */
  const offset = () => time.now() - time.spent();
  let known = offset();

  const set = () => {
    if (!visibility.isVisible()) {
      stop();
      next = Number.POSITIVE_INFINITY;
      return;
    }
    let earliest = Number.POSITIVE_INFINITY;
    for (const { at } of waiting) earliest = Math.min(earliest, at);
    if (earliest === next) return;
    stop();
    next = earliest;
    if (earliest !== Number.POSITIVE_INFINITY)
      stop = time.after(Math.min(LONGEST, Math.max(0, earliest * 1000 - time.now())), fire);
  };
  const fire = () => {
    next = Number.POSITIVE_INFINITY;
    const now = time.now();
    const isJump = takeZone() || Math.abs(offset() - known) > JUMP;
    known = offset();
    const due = [...waiting].filter(({ at }) => isJump || at * 1000 <= now);
    // After a jump, what is said may be true until the same time as before: then nobody asks again to be called then.
    for (const entry of due) if (entry.at * 1000 <= now) waiting.delete(entry);
    for (const { call } of due) call();
    set();
  };
  visibility.onChange(() => {
    if (visibility.isVisible()) fire();
    else set();
  });

  return {
    now: () => Math.floor(time.now() / 1000),
    wake(at, call) {
      const entry = { at, call };
      waiting.add(entry);
      if (at < next) set();
      return () => {
        waiting.delete(entry);
        // A timer that fires too early finds nothing to do and sets the next one.
      };
    },
  };
}
