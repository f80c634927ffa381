/**
 * Consent can't be worn down: what opens a dialog, a file or a browser follows a real input event in the window, one at a
 * time, and after each No the window has to wait longer before it may ask again.
 */
import { QuestionError } from '../errors.ts';

/** One window's input and questions. */
export interface UserGestures {
  /** The main process saw the user click or type in the window, or choose a command in the menu. */
  input(): void;
  /**
   * Uses up the last input: each is good for one thing.
   *
   * @throws QuestionError `no_user_gesture`, `asked_too_often`; nothing was opened then
   */
  use(): void;
  /** Tells how a question was answered. */
  answered(yes: boolean): void;
}

/** Milliseconds: how long an input counts, the pause after the second No in a row, and the longest. */
const GOOD_FOR = 5_000;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;
/** Milliseconds without a question after which earlier refusals are forgotten. */
const FORGOTTEN_AFTER = 10 * 60_000;

/** @param now milliseconds, of a clock that does not jump */
export function userGestures(now: () => number): UserGestures {
  let last = -Infinity;
  let refusals = 0;
  let refusedAt = -Infinity;

  return {
    input() {
      last = now();
    },
    use() {
      if (now() - refusedAt > FORGOTTEN_AFTER) refusals = 0;
      // A person may decline one thing and choose another at once; who declines twice is left alone for a while.
      const pause = refusals < 2 ? 0 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (refusals - 2));
      const left = refusedAt + pause - now();
      if (left > 0) {
        throw new QuestionError(
          'asked_too_often',
          `You declined a moment ago, so nothing was asked. Try again in ${Math.ceil(left / 1000)} s.`,
        );
      }
      if (now() - last > GOOD_FOR) {
        throw new QuestionError(
          'no_user_gesture',
          'Nobody clicked or typed in this window just now, so nothing was asked or opened. Choose the command in the window.',
        );
      }
      last = -Infinity;
    },
    answered(yes) {
      refusals = yes ? 0 : refusals + 1;
      refusedAt = yes ? -Infinity : now();
    },
  };
}
