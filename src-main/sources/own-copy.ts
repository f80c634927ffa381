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

/**
 * Returns a message: the sign-out does not change the file that the accounts were imported from.
 *
 * @param shown makes a path safe to show
 */
export function ownCopyText({ program, file }: OwnCopy, shown: (path: string) => string): string {
  const keeper =
    program === null
      ? `The program that wrote ${shown(file)} keeps its own copy.`
      : `${program} keeps its own copy in ${shown(file)}.`;
  return `Only Tokenkeep’s copy is removed. ${keeper}`;
}
