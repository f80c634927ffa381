/**
 * Text from a document or the file system, for a sentence or a dialog of the system: no line break and no invisible
 * or direction-turning character can make it look like something else. User names come from whoever wrote the document.
 *
 * @param maxLength in characters (code points); what is longer ends in “…”
 */
export function printable(text: string, maxLength: number): string {
  // Cc: controls; Cf: formats, direction overrides among them; Zl, Zp: line and paragraph separators.
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}').trim();
  const characters = Array.from(visible); // whole code points: half of one can't be shown
  return characters.length <= maxLength ? visible : `${characters.slice(0, maxLength - 1).join('')}…`;
}
