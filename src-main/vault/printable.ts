/**
 * Makes text from a document or the file system safe for a message or a system dialog: removes line breaks, and
 * invisible and bidirectional control characters, that could disguise it. User names come from the document's author.
 *
 * @param maxLength in characters (code points); longer text ends in “…”
 *
 * @example
 * import { printable } from 'tokenkeep/vault';
 *
 * const line = printable('ada@contoso.example\u202e', 60); // without the character that reverses the text
 */
export function printable(text: string, maxLength: number): string {
  // Cc: controls; Cf: formats, including direction overrides; Zl, Zp: line and paragraph separators.
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}').trim();
  const characters = Array.from(visible); // Whole code points: half of one can't be displayed.
  return characters.length <= maxLength ? visible : `${characters.slice(0, maxLength - 1).join('')}…`;
}
