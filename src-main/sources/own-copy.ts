/**
 * The file that an account was imported from, as the window and the command show it. Uses nothing of Node, which the window does not have.
 */

/** The file of another program that accounts were imported from, which keeps its own copy of their tokens. */
export interface OwnCopy {
  /** null if the path does not belong to a known program. */
  program: string | null;
  /** Its path, with `~` for the home folder. */
  file: string;
}

/** The maximum number of files of one program that are named. */
const MOST_FILES = 3;

/**
 * Returns a message: the sign-out does not change the files that the accounts were imported from.
 *
 * @param shown makes a path safe to show
 */
export function ownCopyText(copies: readonly OwnCopy[], shown: (path: string) => string): string {
  const programs = new Set(copies.map(({ program }) => program));
  const keepers = [...programs].map((program) => {
    const files = copies.filter((copy) => copy.program === program).map(({ file }) => shown(file));
    const isOne = files.length === 1;
    return program === null
      ? `The ${isOne ? 'program' : 'programs'} that wrote ${listed(files)} ${isOne ? 'keeps its own copy' : 'keep their own copies'}.`
      : `${program} keeps its own ${isOne ? 'copy' : 'copies'} in ${listed(files)}.`;
  });
  return ['Only Tokenkeep’s copy is removed.', ...keepers].join(' ');
}

/** "a", "a and b", "a, b and c", "a, b, c and 4 other files". */
function listed(files: readonly string[]): string {
  const more = files.length - MOST_FILES;
  const parts = files.slice(0, MOST_FILES);
  const last = more > 0 ? `${String(more)} other ${more === 1 ? 'file' : 'files'}` : parts.pop();
  return parts.length === 0 ? (last ?? '') : `${parts.join(', ')} and ${last ?? ''}`;
}
