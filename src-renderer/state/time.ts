/** Formats times (seconds since the epoch) as text. The current time and the time zone are passed in, so that tests can cover every case.
 */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTH = 30.44 * DAY;
const YEAR = 365.25 * DAY;

/** The largest time of a `Date` in seconds (ECMA-262 §21.4.1.1). A hostile document may contain more. */
const LAST = 8.64e12;

/** Formats a duration, rounded down: "45 s", "12 min", "1 h 20 min", "3 days". */
export function span(seconds: number): string {
  const left = Math.max(0, Math.floor(seconds));
  if (left < MINUTE) return `${left} s`;
  if (left < HOUR) return `${Math.floor(left / MINUTE)} min`;
  if (left < 3 * HOUR) {
    const minutes = Math.floor((left % HOUR) / MINUTE);
    return `${Math.floor(left / HOUR)} h${minutes === 0 ? '' : ` ${minutes} min`}`;
  }
  if (left < 2 * DAY) return `${Math.floor(left / HOUR)} h`;
  if (left < 2 * MONTH) return `${Math.floor(left / DAY)} days`;
  if (left < 2 * YEAR) return `${Math.floor(left / MONTH)} months`;
  return `${Math.floor(left / YEAR).toLocaleString('en')} years`;
}

/** "in 12 min", "2 h ago", "now". */
export function relative(at: number, now: number): string {
  if (Math.abs(at - now) < 1) return 'now';
  return at > now ? `in ${span(at - now)}` : `${span(now - at)} ago`;
}

/** Like `relative`, but "just now" for the first seconds. Never in the future. */
export function savedAgo(at: number, now: number): string {
  return now - at < 5 ? 'just now' : relative(Math.min(at, now), now);
}

/** Formats a local time with as much of the date as needed: "today 15:08:22", "22 Nov 2026, 15:08:22". The format does not depend on the system's language, because the window is in English.
 */
export function localTime(at: number, now: number, timeZone?: string): string {
  if (!isTime(at)) return 'not a time';
  const day = dayOf(at, timeZone);
  const clock = format(
    at,
    { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
    timeZone,
  );
  if (day === dayOf(now, timeZone)) return `today ${clock}`;
  if (day === dayOf(now - DAY, timeZone)) return `yesterday ${clock}`;
  if (day === dayOf(now + DAY, timeZone)) return `tomorrow ${clock}`;
  return `${day}, ${clock}`;
}

/** Like `localTime`, without seconds and "today": "14:08", "yesterday 14:08", "3 Nov 2026, 14:08". */
export function shortTime(at: number, now: number, timeZone?: string): string {
  const text = localTime(at, now, timeZone);
  return isTime(at) ? text.replace(/^today /, '').replace(/:\d\d$/, '') : text;
}

export function isTime(at: number): boolean {
  return Number.isFinite(at) && Math.abs(at) <= LAST;
}

function dayOf(at: number, timeZone?: string): string {
  return format(at, { day: 'numeric', month: 'short', year: 'numeric' }, timeZone);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(at: number, options: Intl.DateTimeFormatOptions, timeZone?: string): string {
  const key = `${Object.keys(options).join()} ${timeZone ?? ''}`;
  let known = formats.get(key);
  if (known === undefined) {
    known = new Intl.DateTimeFormat('en-GB', timeZone === undefined ? options : { ...options, timeZone });
    formats.set(key, known);
  }
  return known.format(at * 1000);
}

/** Returns the whole seconds from `now` (seconds) until `moment` (milliseconds), for countdowns. */
export function secondsUntil(moment: number, now: number): number {
  return Math.max(0, Math.floor(moment / 1000) - now);
}
