import { expect, test } from 'vitest';
import { initials, shortId, visible, visibleLines } from '../../src-renderer/state/text.ts';

test.each([
  ['plain', 'plain'],
  ['<b>&amp;', '<b>&amp;'],
  ['a\u0000b', 'a⟨U+0000⟩b'],
  ['a\nb\tc', 'a⟨U+000A⟩b⟨U+0009⟩c'],
  ['exe.\u202egnp', 'exe.⟨U+202E⟩gnp'],
  ['a\u2066b\u2069', 'a⟨U+2066⟩b⟨U+2069⟩'],
  ['a\u200bb\ufeff', 'a⟨U+200B⟩b⟨U+FEFF⟩'],
  ['a\u0085\u009b', 'a⟨U+0085⟩⟨U+009B⟩'],
  ['\ud800x', '⟨U+D800⟩x'],
  ['👩\u200d💻 می\u200cخواهم', '👩\u200d💻 می\u200cخواهم'],
])('%j is shown as %j', (text, shown) => {
  expect(visible(text)).toBe(shown);
  expect(visible(shown)).toBe(shown); // a second call changes nothing
});

test('a text without end is cut, and says how much of it is missing', () => {
  expect(visible('x'.repeat(20_000))).toHaveLength(20_000);
  const cut = `${'x'.repeat(20_000)}… and 1,000,000 more characters`;
  expect(visible('x'.repeat(1_020_000))).toBe(cut);
  expect(visible(cut)).toBe(cut);
});

test('in pretty-printed text the lines stay lines', () => {
  expect(visibleLines('{\n  "a\u202e": 1\n}')).toBe('{\n  "a⟨U+202E⟩": 1\n}');
});

test.each([
  ['short', 'short'],
  ['nightly-report-for-sales', 'nightly-report-for-sales'],
  ['9f0c1b2a-3344-4556-8778-99aabbccc11e', '9f0c…c11e'],
])('%s is shortened to %s', (id, short) => expect(shortId(id)).toBe(short));

test.each([
  ['Ada Marsh', 'AM'],
  ['Ada Quincy Marsh', 'AM'],
  ['rosa.stein@example.org', 'RS'],
  ['rosa@example.org', 'RO'],
  ['Ada Berg 300', 'AB'],
  ['  ', '?'],
  ['', '?'],
  ['12345', '?'],
  ['𝒜da', '𝒜D'],
])('the initials of %j are %j', (name, letters) => expect(initials(name)).toBe(letters));
