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

/** The text in pieces: what is part of a word that was found, and what is not. Hits that touch are one. */
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
