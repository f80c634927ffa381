/**
 * Prevents prompt fatigue attacks: opening a dialog, a file or a browser requires a real input event in the window, one for
 * each, and after repeated refusals the window must wait longer and longer before it may ask again.
 */
import { QuestionError } from '../errors.ts';

/** One window's input and questions. */
export interface UserGestures {
  /** The main process saw the user click or type in the window, or choose a command in the menu. */
  input(): void;
  /**
   * Consumes the last input. Each input allows one action.
   *
   * @throws QuestionError `no_user_gesture`, `asked_too_often`; nothing was opened then
   */
  use(): void;
  /** Records the answer to a question. */
  answered(yes: boolean): void;
}

/** Milliseconds: how long an input is valid, the pause after the second refusal in a row, and the longest pause. */
const GOOD_FOR = 5_000;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;
/** Milliseconds without a question after which earlier refusals are forgotten. */
const FORGOTTEN_AFTER = 10 * 60_000;

/** @param now milliseconds of a monotonic clock */
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
      // A user may decline once and choose something else at once; after two refusals, a pause applies.
      const pause = refusals < 2 ? 0 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (refusals - 2));
      const left = refusedAt + pause - now();
      if (left > 0) {
        throw new QuestionError(
          'asked_too_often',
          `You declined a moment ago, so Tokenkeep did not ask again. Try again in ${Math.ceil(left / 1000)} s.`,
        );
      }
      if (now() - last > GOOD_FOR) {
        throw new QuestionError(
          'no_user_gesture',
          'This needs a click or a key press in the window, and there was none in the last seconds. Nothing was opened. Click the button again.',
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
