import { expect, test } from 'vitest';
import { copyLines, keptCopyText, filesWithCopies } from '../../src-renderer/state/importedCopies.ts';

const AZURE = '/home/ada/.azure/msal_token_cache.json';
const OTHER = '/home/ada/cache.json';

test.each([
  [AZURE, `Removed from Tokenkeep only. Azure CLI keeps its own copy in ${AZURE}.`],
  [
    'C:\\Users\\Ada\\.azure\\msal_token_cache.bin',
    'Removed from Tokenkeep only. Azure CLI keeps its own copy in C:\\Users\\Ada\\.azure\\msal_token_cache.bin.',
  ],
  [OTHER, `Removed from Tokenkeep only. The program that wrote it keeps its own copy in ${OTHER}.`],
])('names the file that keeps a copy, and its program if it is known: %s', (file, words) => {
  expect(keptCopyText(file)).toBe(words);
});

test.each([
  [['~/.azure/msal_token_cache.json'], [OTHER]],
  [[AZURE], [OTHER]],
  [[OTHER], [AZURE]],
  [['~/.azure/other.json'], [AZURE, OTHER]],
  [[], [AZURE, OTHER]],
])('names each file once, and none that is signed out of: %o', (signedOut, left) => {
  expect(filesWithCopies([AZURE, null, OTHER, AZURE], signedOut)).toEqual(left);
});

test('a receipt has a line for each file, unless the accounts were signed out there', () => {
  const receipts = [{ source: AZURE }, { source: null }, { source: OTHER }];
  const at = (result: 'signed-out' | 'still') => [{ file: '~/.azure/msal_token_cache.json', result }];
  const files = (result: 'signed-out' | 'still') =>
    copyLines({ receipts, places: at(result) }).map(({ value }) => value);
  expect(files('signed-out')).toEqual([keptCopyText(OTHER)]);
  expect(files('still')).toEqual([keptCopyText(AZURE), keptCopyText(OTHER)]);
});
