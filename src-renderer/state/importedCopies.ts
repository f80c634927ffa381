/** What a sign-out says of the files that accounts were imported from: the programs that wrote them keep their copies. */
import type { KeptReceipt, PlaceReceipt } from '../../app/contract.ts';
import { visible } from './text.ts';

/** Programs by the end of the path of their cache. The others are not named. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/[\\/]\.azure[\\/]msal_token_cache\.(?:json|bin)$/i, 'Azure CLI'],
  [/[\\/]\.azd[\\/]/i, 'Azure Developer CLI'],
];

/** "Removed from Tokenkeep only. Azure CLI keeps its own copy in /home/ada/.azure/msal_token_cache.json." */
export function keptCopyText(file: string): string {
  const program = PROGRAMS.find(([path]) => path.test(file))?.[1] ?? 'The program that wrote it';
  return `Removed from Tokenkeep only. ${program} keeps its own copy in ${visible(file)}.`;
}

/**
 * Returns the files that still have a copy: each once, without those in which the accounts are signed out as well.
 *
 * @param signedOut the files of other programs in which they are, as they are displayed: "~/.azure/msal_token_cache.json"
 */
export function filesWithCopies(files: readonly (string | null)[], signedOut: readonly string[]): string[] {
  const isSignedOut = (file: string): boolean =>
    signedOut.some((one) => (one.startsWith('~') ? file.endsWith(one.slice(1)) : file === one));
  return [...new Set(files)].filter((file) => file !== null && !isSignedOut(file)) as string[];
}

export interface CopyLine {
  says: 'Imported file';
  value: string;
  tone: 'plain';
}

/** The lines of a receipt about imported files. */
export function copyLines({
  receipts,
  places,
}: {
  readonly receipts: readonly Pick<KeptReceipt, 'source'>[];
  readonly places: readonly Pick<PlaceReceipt, 'result' | 'file'>[];
}): CopyLine[] {
  const left = places.filter(({ result, file }) => result === 'signed-out' && file !== '');
  return filesWithCopies(
    receipts.map(({ source }) => source),
    left.map(({ file }) => file),
  ).map((file) => ({ says: 'Imported file', value: keptCopyText(file), tone: 'plain' }));
}
