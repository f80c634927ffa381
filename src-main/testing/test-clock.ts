import { AMOUNT, checkArgument, type Kind } from '../options.ts';

const SECONDS: Kind = { is: Number.isFinite, what: 'a number of seconds' };

/**
 * A clock that is set by hand.
 *
 * @example
 * import { TokenCache } from 'tokenkeep';
 * import { type TestClock, testClock } from 'tokenkeep/testing';
 *
 * const clock: TestClock = testClock();
 * const cache = new TokenCache({ now: clock.now });
 * clock.advance(3600);
 */
export interface TestClock {
  /** Seconds since the epoch, for everything that takes a `now`. Needs no `this`. */
  readonly now: () => number;
  /** Moves the clock on, or back with a negative number. In seconds. */
  advance(seconds: number): void;
}

/**
 * Returns a clock that stands still until it is advanced.
 *
 * @param start seconds since the epoch. Default: 2027-01-01T00:00:00Z
 * @example
 * import { testClock } from 'tokenkeep/testing';
 *
 * const clock = testClock();
 * clock.advance(300);
 */
export function testClock(start = 1_798_761_600): TestClock {
  checkArgument('testClock', 'start', start, AMOUNT);
  let seconds = start;
  return {
    now: () => seconds,
    advance(by) {
      checkArgument('advance', 'seconds', by, SECONDS);
      seconds += by;
    },
  };
}
