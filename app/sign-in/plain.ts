import { TokenkeepError } from 'tokenkeep';
import type { PlainError } from 'tokenkeep/electron';

/** An error as the window may see it: of one that is not ours nothing crosses, for its text may hold anything. */
export function plainErrorOf(error: unknown, onUnexpected: (error: unknown) => void): PlainError {
  if (isOurs(error)) return { code: error.code, message: error.message };
  onUnexpected(error);
  return {
    code: 'unexpected',
    message:
      'Something went wrong that Tokenkeep did not expect. What was saved before is untouched; try again.',
  };
}

function isOurs(error: unknown): error is TokenkeepError {
  return error instanceof TokenkeepError;
}
