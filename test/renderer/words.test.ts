import { expect, test } from 'vitest';
import { addCounts, bytes, count, listing, removals } from '../../src-renderer/state/words.ts';

test.each([
  [0, '0 tokens'],
  [1, '1 token'],
  [10_000, '10,000 tokens'],
])('%d → %s', (n, words) => expect(count(n, 'token')).toBe(words));

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1000, '1 kB'],
  [61_204, '61 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [96_400_000, '96 MB'],
])('%d bytes → %s', (n, words) => expect(bytes(n)).toBe(words));

test('a listing reads as a sentence does', () => {
  expect(listing([])).toBe('');
  expect(listing(['a'])).toBe('a');
  expect(listing(['a', 'b'])).toBe('a and b');
  expect(listing(['a', 'b', 'c'])).toBe('a, b and c');
  expect(listing(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
  expect(listing(['a', 'b'], 2)).toBe('a and b');
  expect(listing(['a', 'b'], 2, 10_000)).toBe('a, b and 9,998 more');
});

test('removals name each kind there is, and none that there isn’t', () => {
  const counts = { Account: 2, AccessToken: 1, RefreshToken: 0, IdToken: 3, AppMetadata: 1 };
  expect(removals(counts)).toEqual([
    '2 account entries',
    '1 access token',
    '3 ID tokens',
    '1 app metadata entry',
  ]);
  expect(addCounts([counts, counts])).toEqual({
    Account: 4,
    AccessToken: 2,
    RefreshToken: 0,
    IdToken: 6,
    AppMetadata: 2,
  });
});
