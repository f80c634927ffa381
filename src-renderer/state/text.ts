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

/** Where the words that are searched stand in a text that is shown, by the rule that main searches by (ipc/search.ts). */

/** A piece of a text; the pieces in a row are the text. */
export interface Piece {
  text: string;
  hit: boolean;
}

/** The words of a search, as they are looked for: in any case, in one Unicode form. */
export function wordsOf(search: string): string[] {
  return plain(search)
    .split(/\s+/u)
    .filter((word) => word !== '');
}

/** The text in pieces: what is part of a word that was found, and what is not. Highlight that touch are one. */
export function pieces(text: string, words: readonly string[]): Piece[] {
  if (words.length === 0 || text === '') return [{ text, hit: false }];
  // In lower case a character may be another number of units: each unit remembers the character it comes from.
  const characters = Array.from(text.normalize('NFC'));
  const origin: number[] = [];
  let lower = '';
  characters.forEach((character, at) => {
    const small = character.toLowerCase();
    lower += small;
    for (let unit = 0; unit < small.length; unit += 1) origin.push(at);
  });
  const hit = new Set<number>();
  for (const word of words) {
    for (let at = lower.indexOf(word); at !== -1; at = lower.indexOf(word, at + 1)) {
      for (let unit = at; unit < at + word.length; unit += 1) hit.add(origin[unit] ?? -1);
    }
  }
  const found: Piece[] = [];
  characters.forEach((character, at) => {
    const last = found.at(-1);
    if (last !== undefined && last.hit === hit.has(at)) last.text += character;
    else found.push({ text: character, hit: hit.has(at) });
  });
  return found;
}

function plain(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
