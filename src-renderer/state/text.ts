import { number } from './words.ts';

/**
 * Makes untrusted text (names, scopes, claims) safe to read. React escapes markup; this module handles characters
 * that disguise text.
 */

/**
 * Control characters (C0, C1), line and paragraph separators, zero-width space, byte-order mark and bidirectional
 * controls (Unicode TR #36 §2.6). Joiners stay: Persian and emoji need them.
 */
const UNSEEN = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]|\p{Cs}/gu;

/** Maximum characters shown of one text. */
const LONGEST = 20_000;

/** Returns the text with invisible characters written out: "⟨U+202E⟩". */
export function visible(text: string): string {
  return writtenOut(shortened(text));
}

/** Like `visible`, but keeps line breaks, for pretty-printed JSON. */
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
  // The added words can exceed the limit; a shortened text is not shortened again.
  return more > 100 ? `${text.slice(0, LONGEST)}… and ${number(more)} more characters` : text;
}

/**
 * Start of a cell that a spreadsheet would evaluate as a formula, from a file or the clipboard. Anyone can choose such a display name.
 * If a file is split at semicolons or bars, a cell also begins after one within a text. Full-width signs count as well. Quotation marks
 * are dropped from the start of a cell before it is evaluated.
 */
const FORMULA = /(^|[;|])(?=[\s"]*[=+\-@＝＋－＠])/g;

/** Text that no rule for cells changes, as most is: a list of 10,000 accounts has 70,000 cells. */
const HARMLESS = /^[a-z0-9](?:[\w.,@:/()-]| (?! ))*(?<! )$/i;

/** Returns untrusted text as one line of a table for spreadsheets, which must not evaluate it. */
export function plainCell(text: string): string {
  if (text.length <= LONGEST && HARMLESS.test(text)) return text;
  return visible(text.replaceAll(/\s+/g, ' ').trim()).replaceAll(FORMULA, "$1'");
}

/** Returns rows of plain cells as a CSV file (RFC 4180). */
export function csvText(rows: readonly (readonly string[])[]): string {
  // The byte order mark tells spreadsheets that the file is UTF-8.
  return `\ufeff${rows.map((cells) => `${cells.map(quoted).join(',')}\r\n`).join('')}`;
}

/** Returns rows of plain cells as tab-separated text for the clipboard. */
export function tabbedText(rows: readonly (readonly string[])[]): string {
  // A cell that begins with a quotation mark would take the following cells in, up to the next mark.
  const cellOf = (text: string) => (text.startsWith('"') ? quoted(text) : text);
  return rows.map((cells) => cells.map(cellOf).join('\t')).join('\n');
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** Longest identifier shown in full. A GUID has 36 characters. */
const READABLE = 24;

/** Shortens a long identifier to its ends: "9f0c…c11e". */
export function shortId(id: string): string {
  const text = visible(id);
  return text.length <= READABLE ? text : `${text.slice(0, 4)}…${text.slice(-4)}`;
}

/** Returns two letters for an avatar: of the first and last word, or of the name before the @. */
export function initials(name: string): string {
  const words = (name.split('@')[0] ?? '').split(/[\s._-]+/u).filter((word) => /^\p{L}/u.test(word));
  const first = words[0];
  const last = words.at(-1);
  if (first === undefined || last === undefined) return '?';
  const letters =
    words.length === 1 ? Array.from(first).slice(0, 2) : [first, last].map((word) => Array.from(word)[0]);
  return letters.join('').toUpperCase();
}

/** Returns a text in the form used for comparisons: lower case, NFC, and straight quotes as on a keyboard. */
export function plainText(text: string): string {
  return text.normalize('NFC').toLowerCase().replaceAll(/[‘’]/g, "'").replaceAll(/[“”]/g, '"');
}

/** A piece of a text for highlighting. */
export interface Piece {
  text: string;
  hit: boolean;
}

/** Splits the text into matches and the text between them. Adjacent matches are merged. */
export function pieces(text: string, words: readonly string[]): Piece[] {
  if (words.length === 0 || text === '') return [{ text, hit: false }];
  // Lower-casing may change the number of code units: `origin` maps each unit to its character.
  const characters = Array.from(text.normalize('NFC'));
  const origin: number[] = [];
  let lower = '';
  characters.forEach((character, at) => {
    const small = plainText(character);
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
