import fc from '../support/fast-check.ts';
import { expect, test } from 'vitest';
import { highlightedWords } from '../../src-renderer/state/search.ts';
import { pieces } from '../../src-renderer/state/text.ts';

const marked = (text: string, search: string) =>
  pieces(text, highlightedWords(search))
    .map((piece) => (piece.hit ? `[${piece.text}]` : piece.text))
    .join('');

test.each([
  ['Ada Marsh', 'ada', '[Ada] Marsh'],
  ['Ada Marsh', 'a', '[A]d[a] M[a]rsh'],
  ['ada@contoso.example', 'ada contoso', '[ada]@[contoso].example'],
  ['aaa', 'aa', '[aaa]'],
  ['Mail.Read', 'read mail', '[Mail].[Read]'],
  ['abab', 'aba bab', '[abab]'],
  ['Zoë Åström', 'zoe\u0308', '[Zoë] Åström'],
  ['Zoe\u0308', 'zoë', '[Zoë]'],
  ['İstanbul', 'stan', 'İ[stan]bul'],
  ['İstanbul', 'i', '[İ]stanbul'],
  ['😀 smile', 'smile', '😀 [smile]'],
  ['a.b', '.', 'a[.]b'],
  ['nothing', 'x', 'nothing'],
  ['nothing', '  ', 'nothing'],
  ['', 'x', ''],
])('%s, searched for "%s": %s', (text, search, says) => {
  expect(marked(text, search)).toBe(says);
});

test('the pieces are the text, and a hit is there where main finds one', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary', maxLength: 3 }),
      (text, search) => {
        const words = highlightedWords(search);
        const found = pieces(text, words);
        // Without a search, the text stays as it was written; a search compares NFC forms.
        expect(found.map((piece) => piece.text).join('')).toBe(
          words.length === 0 ? text : text.normalize('NFC'),
        );
        // Except for final sigma, a text in lower case equals its characters in lower case, one by one.
        const known = Array.from(text.normalize('NFC'), (character) => character.toLowerCase()).join('');
        expect(found.some(({ hit }) => hit)).toBe(words.some((word) => known.includes(word)));
      },
    ),
  );
});
