/** Estimates the strength of a passphrase while it is typed. Main enforces the rule. */

/** [Note: passphrase rule] The same number as in vault/passphrase.ts. */
export const SHORTEST = 12;

export interface Strength {
  level: 'empty' | 'short' | 'weak' | 'fair' | 'strong';
  says: string;
}

/** Bits. From FAIR on, guessing takes a determined attacker years. From STRONG on, it is infeasible. */
const FAIR = 50;
const STRONG = 75;
/** Bits of a word in a language that the attacker knows. */
const BITS_OF_A_WORD = 13;

export function strength(passphrase: string): Strength {
  const characters = Array.from(passphrase);
  if (characters.length === 0) return { level: 'empty', says: `At least ${SHORTEST} characters` };
  if (characters.length < SHORTEST) {
    const missing = SHORTEST - characters.length;
    return { level: 'short', says: `${missing} more ${missing === 1 ? 'character' : 'characters'}` };
  }
  const bits = Math.min(bitsOfCharacters(characters), bitsOfWords(passphrase));
  if (bits < FAIR) return { level: 'weak', says: 'Weak: can be guessed' };
  return bits < STRONG
    ? { level: 'fair', says: 'Fair: years of guessing' }
    : { level: 'strong', says: 'Strong' };
}

/** A character that repeats or continues the previous one adds nothing: "aaaa", "1234". */
function bitsOfCharacters(characters: readonly string[]): number {
  const codes = characters.map((character) => character.codePointAt(0) ?? 0);
  const steps = codes.filter((code, at) => Math.abs(code - (codes[at - 1] ?? -9)) > 1).length;
  const pools: [RegExp, number][] = [
    [/\p{Ll}/u, 26],
    [/\p{Lu}/u, 26],
    [/\p{N}/u, 10],
    [/[^\p{L}\p{N}]/u, 20],
    [/[\p{Lo}]/u, 1000],
  ];
  const text = characters.join('');
  const pool = pools.reduce((sum, [sort, size]) => sum + (sort.test(text) ? size : 0), 0);
  return steps * Math.log2(Math.max(2, pool));
}

/** Bits of a passphrase of words: each word is one choice. Infinite if it is not made of words. */
function bitsOfWords(passphrase: string): number {
  const words = passphrase.trim().split(/[\s._-]+/u);
  const one =
    words.length === 1 && /^(?!\p{Script=Latin})\p{L}{2,}$/u.test(passphrase) && !IDEOGRAPHS.test(passphrase);
  const plain = words.length > 1 && words.every((word) => /^\p{L}{2,}$/u.test(word));
  return plain || one ? new Set(words).size * BITS_OF_A_WORD : Number.POSITIVE_INFINITY;
}

/** A sign of these scripts is a word or a syllable. */
const IDEOGRAPHS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;

/** Crockford's Base32 alphabet: no letters that look like digits, five bits each. */
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';

/** Generates a passphrase of 125 bits that is easy to write down: "k7q2m-9xdfa-…". */
export function suggestion(random: (length: number) => Uint8Array): string {
  const letters = Array.from(random(25), (byte) => LETTERS[byte % 32] ?? '');
  return letters.join('').replace(/.{5}(?=.)/g, '$&-');
}
