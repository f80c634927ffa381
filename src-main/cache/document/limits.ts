/**
 * Limits of a document, checked on its text before it is parsed. Parsing blocks the program: five million opening brackets take three
 * seconds, and a document of 128 MB can hold 25 times as many. Strings are skipped, so a real document takes about 1 ms per megabyte.
 */
import { MAX_DEPTH } from '../json.ts';

/** The libraries write five roots, and apps a few of their own. */
const MAX_ROOTS = 10_000;
/** Entries, or whatever else stands in the roots. 10,000 accounts have fewer than 100,000. */
const MAX_ENTRIES = 300_000;
/** Values of any kind. 10,000 accounts have about two million. */
const MAX_VALUES = 10_000_000;

/**
 * Returns which limit a JSON text exceeds, as part of a sentence; `null` if none. Only counts: the text may be invalid JSON otherwise.
 */
export function excessIn(text: string): string | null {
  let [depth, roots, entries, values] = [0, 0, 0, 0];
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        break;
      case '{':
      case '[':
        depth += 1;
        if (depth > MAX_DEPTH) return `it is nested more than ${MAX_DEPTH} levels deep`;
        break;
      case '}':
      case ']':
        depth -= 1;
        break;
      case ',':
        values += 1;
        if (depth === 1) roots += 1;
        else if (depth === 2) entries += 1;
        if (roots >= MAX_ROOTS) return `it has more than ${MAX_ROOTS} roots`;
        if (entries >= MAX_ENTRIES) return `it has more than ${MAX_ENTRIES} entries`;
        if (values >= MAX_VALUES) return `it has more than ${MAX_VALUES} values`;
        break;
      default:
    }
  }
  return null;
}

/** Returns the index of the quotation mark that ends the string which begins at `start`, or that of the text's end. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
