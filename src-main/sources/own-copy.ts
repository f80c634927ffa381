/** The file that an account was imported from, as the window and the command tell of it. The window has no Node, so nothing here needs it. */

/** The file of another program that accounts were imported from, which keeps its own copy of their tokens. */
export interface OwnCopy {
  /** null if the path is none of a known program. */
  program: string | null;
  /** Its path, with `~` for the home folder. */
  file: string;
}

/**
 * Says that a sign-out leaves the file alone that accounts were imported from.
 *
 * @param shown makes a path safe to show
 */
export function ownCopyText({ program, file }: OwnCopy, shown: (path: string) => string): string {
  const keeper =
    program === null
      ? `The program that wrote ${shown(file)} keeps its own copy.`
      : `${program} keeps its own copy in ${shown(file)}.`;
  return `Removed from Tokenkeep only. ${keeper}`;
}
