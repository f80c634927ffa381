/**
 * Cc: controls; Cf: formats, including direction overrides; Zl, Zp: line and paragraph separators. A joiner stays between the letters of
 * Persian, Hindi and others that need it, and in an emoji.
 */
const DISGUISING =
  /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?<![\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]|(?![\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])[\p{L}\p{M}])[\u200c\u200d]/gu;

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
  const visible = text.replace(DISGUISING, '\u{fffd}').trim();
  const characters = Array.from(visible); // Whole code points: half of one can't be displayed.
  return characters.length <= maxLength ? visible : `${characters.slice(0, maxLength - 1).join('')}…`;
}
