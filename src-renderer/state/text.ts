import { number } from './words.ts';

/**
 * Text that others wrote (names, scopes, claims), made safe to read. React never treats it as markup; this is about
 * characters that would make it look like something that it isn't.
 */

/**
 * Controls (C0, C1), line and paragraph separators, zero-width space and byte-order mark, and the marks that turn the
 * direction of text around (Unicode TR #36 §2.6). Joiners stay: Persian and emoji need them.
 */
const UNSEEN = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]|\p{Cs}/gu;

/** Characters of one text that are shown: no name and no claim that someone means to be read is longer. */
const LONGEST = 20_000;

/** The same text with every character that can't be seen written out: "⟨U+202E⟩". */
export function visible(text: string): string {
  return writtenOut(shortened(text));
}

/** As `visible`, where line breaks are part of the layout: pretty-printed JSON. */
export function visibleLines(text: string): string {
  return shortened(text).split('\n').map(writtenOut).join('\n');
}

function writtenOut(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

function shortened(text: string): string {
  const more = text.length - LONGEST;
  // The words about what is missing may push a text over the limit that was cut before; it is not cut again.
  return more > 100 ? `${text.slice(0, LONGEST)}… and ${number(more)} more characters` : text;
}

/** Room for what people call things; identifiers that nobody reads are longer (a GUID has 36 characters). */
const READABLE = 24;

/** A long identifier, told by its ends: "9f0c…c11e". */
export function shortId(id: string): string {
  const text = visible(id);
  return text.length <= READABLE ? text : `${text.slice(0, 4)}…${text.slice(-4)}`;
}

/** Two letters for a face that isn't known: of the first and the last word, or of the name before the @. */
export function initials(name: string): string {
  const words = (name.split('@')[0] ?? '').split(/[\s._-]+/u).filter((word) => /^\p{L}/u.test(word));
  const first = words[0];
  const last = words.at(-1);
  if (first === undefined || last === undefined) return '?';
  const letters =
    words.length === 1 ? Array.from(first).slice(0, 2) : [first, last].map((word) => Array.from(word)[0]);
  return letters.join('').toUpperCase();
}
