/** Output of the command: tables and times, without control characters that a terminal would execute. */
import { exactJson } from '../cache/json.ts';
import type { World } from './world.ts';

/**
 * Formats a table with a heading. If it is wider than `columns`, the widest columns are cut, but to no less than 12 characters.
 */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  columns?: number,
  paint: (cell: string) => string = (cell) => cell,
): string {
  const all = [heading, ...rows].map((row) => row.map(printable));
  const widths = heading.map((_, index) => Math.max(...all.map((row) => row[index]?.length ?? 0)));
  const room = columns === undefined ? Infinity : columns;
  const total = (): number => widths.reduce((sum, width) => sum + width + 2, -2);
  while (total() > room) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= 12) break;
    widths[widest] = Math.max(12, (widths[widest] ?? 0) - (total() - room));
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) => {
        const padded = cut(cell, widths[index] ?? cell.length).padEnd(widths[index] ?? 0);
        return paint(index === row.length - 1 ? padded.trimEnd() : padded);
      })
      .join('  ')
      .trimEnd();
  return all.map((row) => `${line(row)}\n`).join('');
}

const [RED, YELLOW, GREEN] = [31, 33, 32];
/** Words that are coloured in a terminal. Their meaning does not depend on the colour. */
const COLOURS: readonly (readonly [RegExp, number])[] = [
  [/^(?:Needs sign-in|Still signed in|expired|refused)\b/, RED],
  [/^(?:Active until|Pending|locked by)\b/, YELLOW],
  [/^Signed out\b/, GREEN],
];

/** Colours a cell in a terminal, unless `NO_COLOR` is set (no-color.org). */
export function painted(cell: string, { out, env }: Pick<World, 'out' | 'env'>): string {
  if (!out.isTerminal || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return cell;
  const colour = COLOURS.find(([words]) => words.test(cell))?.[1];
  return colour === undefined ? cell : `\u001b[${colour}m${cell}\u001b[0m`;
}

/** Returns a function that colours the cells of a table. */
export function paintOf(world: Pick<World, 'out' | 'env'>): (cell: string) => string {
  return (cell) => painted(cell, world);
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Control characters, line separators and marks of direction. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Replaces control characters: names come from providers and files, and could move the cursor or hide a line. */
export function printable(text: string): string {
  return text.replace(CONTROLS, ' ');
}

/** Formats JSON and a line break. Characters that `printable` replaces are escaped: a terminal may show the output. */
export function json(value: unknown, indent = 2): string {
  return escaped(JSON.stringify(value, null, indent));
}

/** The same for a JSON text, whose numbers keep all their digits. */
export function jsonText(text: string): string {
  return escaped(exactJson(text, 2));
}

function escaped(text: string): string {
  // Outside of strings, JSON has none of them but the line breaks of the indentation.
  const harmless = text.replace(CONTROLS, (one) =>
    one === '\n' ? one : `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${harmless}\n`;
}

/** Formats a time relative to now: "in 12 min", "2 h ago". */
export function relative(seconds: number, now: number): string {
  const amount = duration(Math.abs(seconds - now));
  return seconds >= now ? `in ${amount}` : `${amount} ago`;
}

/** Formats a number of seconds: "12 min". */
export function duration(distance: number): string {
  if (distance < 60) return `${Math.round(distance)} s`;
  if (distance < 7200) return `${Math.round(distance / 60)} min`;
  return distance < 172_800 ? `${Math.round(distance / 3600)} h` : `${Math.round(distance / 86_400)} days`;
}

/** Formats a past time: "at 14:02" on the same day, else "on 23 Nov at 14:02", in the local time zone. */
export function moment(seconds: number, now: number): string {
  if (!isTime(seconds)) return `at ${clock(seconds)}`;
  const day = (time: number): string =>
    new Date(time * 1000).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return `${day(seconds) === day(now) && Math.abs(now - seconds) < 86_400 ? '' : `on ${day(seconds)} `}at ${clock(seconds)}`;
}

/** Formats a time as "14:20", in the local time zone. */
export function clock(seconds: number): string {
  if (!isTime(seconds)) return 'an invalid time';
  const at = new Date(seconds * 1000);
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
}

/** Whether a number of seconds is within the range of a `Date`. A cached document may contain any number. */
function isTime(seconds: number): boolean {
  return Math.abs(seconds) <= 8.64e12;
}
