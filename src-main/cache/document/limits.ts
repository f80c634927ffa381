/**
 * Limits of a document, checked on its text before it is parsed. Parsing blocks the program: five million opening brackets take three
 * seconds, and a document of 128 MB can hold 25 times as many. Strings are skipped, so a real document takes about 1 ms per megabyte.
 */
import { endOfString, MAX_DEPTH } from '../json.ts';

/** Roots, and the entries or whatever else stands in them. 10,000 accounts have fewer than 100,000. */
const MAX_ENTRIES = 300_000;
/** Values of any kind. 10,000 accounts have about two million. */
const MAX_VALUES = 10_000_000;

export interface Excess {
  code: 'document_not_a_cache' | 'document_too_large';
  /** Part of a sentence about the document. */
  why: string;
}

/** Returns which limit a JSON text exceeds; `null` if none. Only counts: the text may be invalid JSON otherwise. */
export function excessIn(text: string): Excess | null {
  let [depth, entries, values] = [0, 0, 0];
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        break;
      case '{':
      case '[':
        depth += 1;
        if (depth > MAX_DEPTH)
          return { code: 'document_not_a_cache', why: `it is nested more than ${MAX_DEPTH} levels deep` };
        break;
      case '}':
      case ']':
        depth -= 1;
        break;
      case ',':
        values += 1;
        if (depth <= 2) entries += 1;
        if (entries >= MAX_ENTRIES) return tooMany(MAX_ENTRIES, 'entries');
        if (values >= MAX_VALUES) return tooMany(MAX_VALUES, 'values');
        break;
      default:
    }
  }
  return null;
}

const tooMany = (most: number, what: string): Excess => ({
  code: 'document_too_large',
  why: `it has more than ${most} ${what}`,
});
