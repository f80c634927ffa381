import type { TimesShown } from '../../app/contract.ts';

/**
 * Formats times (seconds since the epoch) as text. The current time and the time zone are passed in, so that tests
 * can cover every case.
 */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTH = 30.44 * DAY;
const YEAR = 365.25 * DAY;

/** The largest time of a `Date` in seconds (ECMA-262 §21.4.1.1). A hostile document may contain more. */
const LAST = 8.64e12;

/**
 * The time until which the texts being made stay true, in seconds since the epoch. Every function below that compares a
 * time with `now` reports when its result changes, so that the window needs no ticking clock.
 */
let changes: { now: number; earliest: number } | null = null;

/** Makes a text (or other value) for `now` and returns until when it stays true; Infinity if it never changes. */
export function timed<T>(say: (now: number) => T, now: number): { value: T; until: number } {
  const outer = changes;
  const own = { now, earliest: Number.POSITIVE_INFINITY };
  changes = own;
  try {
    return { value: say(now), until: own.earliest };
  } finally {
    changes = outer;
  }
}

/**
 * Reports that a text made for `now` changes at that time. A text may be made for another time than the one that `timed` was given, such as the
 * ticks of a timeline, so a change that is over by then is not reported: the window would wait for it for ever.
 */
export function changesAt(at: number, now: number): void {
  if (changes !== null && at > Math.max(now, changes.now)) changes.earliest = Math.min(changes.earliest, at);
}

/** Whether `at` has been reached. */
export function isPast(at: number, now: number): boolean {
  changesAt(at, now);
  return at <= now;
}

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

/** Returns the range of durations with the same `span`: from the first, up to but not including the second. */
function sameSpan(seconds: number): [number, number] {
  const left = Math.max(0, Math.floor(seconds));
  const [unit, limit] = SPANS.find(([, end]) => left < end) ?? [YEAR, Number.POSITIVE_INFINITY];
  const start = SPANS.reduce((last, [, end]) => (end <= left ? end : last), 0);
  const step = Math.floor(left / unit) * unit;
  return [Math.max(start, step), Math.min(limit, step + unit)];
}

/** Units of `span`, each with the duration up to which it is used, in seconds. */
const SPANS: readonly (readonly [number, number])[] = [
  [1, MINUTE],
  [MINUTE, 3 * HOUR],
  [HOUR, 2 * DAY],
  [DAY, 2 * MONTH],
  [MONTH, 2 * YEAR],
];

/** The time left until `at`: "12 min". */
export function spanUntil(at: number, now: number): string {
  const [shortest] = sameSpan(at - now);
  // `span` rounds down, so the text changes a second after the shortest duration that has it.
  changesAt(at - shortest + 1, now);
  return span(at - now);
}

/** The time since `at`: "12 min". */
export function spanSince(at: number, now: number): string {
  const [, longest] = sameSpan(now - at);
  changesAt(at + longest, now);
  return span(now - at);
}

/** "in 12 min", "2 h ago", "now". */
export function relative(at: number, now: number): string {
  if (Math.abs(at - now) < 1) {
    changesAt(at + 1, now);
    return 'now';
  }
  return at > now ? `in ${spanUntil(at, now)}` : `${spanSince(at, now)} ago`;
}

/** Like `relative`, but "just now" for the first minute, so that the text doesn't change every second. Never in the future. */
export function savedAgo(at: number, now: number): string {
  return isPast(at + MINUTE, now) ? relative(Math.min(at, now), now) : 'just now';
}

/**
 * Formats a local time with as much of the date as needed: "today 15:08:22", "22 Nov 2026, 15:08:22". The format
 * does not depend on the system's language, because the window is in English.
 */
export function localTime(at: number, now: number, timeZone?: string): string {
  if (!isTime(at)) return 'not a time';
  if (timeZone === undefined && shown === 'both') return inBothZones(at, now);
  const zone = timeZone === undefined && shown === 'utc' ? ' UTC' : '';
  const clock = `${format(at, CLOCK, timeZone)}${zone}`;
  if (isTime(now)) changesAt(midnightAfter(now, timeZone), now);
  const days = calendarDay(at, timeZone) - dayNow(now, timeZone);
  if (days === 0) return `today ${clock}`;
  if (days === -1) return `yesterday ${clock}`;
  if (days === 1) return `tomorrow ${clock}`;
  return `${dayOf(at, timeZone)}, ${clock}`;
}

/** "today 15:08:22 (14:08:22 UTC)", with the day in UTC where it is another one. */
function inBothZones(at: number, now: number): string {
  const own = ownZone();
  const day = calendarDay(at, own) === calendarDay(at, 'UTC') ? '' : `${dayOf(at, 'UTC')}, `;
  return `${localTime(at, now, own)} (${day}${format(at, CLOCK, 'UTC')} UTC)`;
}

/** The zone of this computer. */
export function ownZone(): string {
  return own;
}

const systemZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;

let own = systemZone();

/** Takes over the zone of this computer, which changes when the user travels. Returns whether it has changed. */
export function takeZone(): boolean {
  const before = own;
  own = systemZone();
  return own !== before;
}

/**
 * Like `localTime`, without seconds and "today": "14:08", "yesterday 14:08", "3 Nov 2026, 14:08". If both zones are shown
 * elsewhere, only the local time, because its rows have room for one.
 */
export function shortTime(at: number, now: number, timeZone?: string): string {
  const text = localTime(at, now, timeZone ?? (shown === 'both' ? ownZone() : undefined));
  return isTime(at) ? text.replace(/^today /, '').replace(/:\d\d( \w+)?$/, '$1') : text;
}

/** The time of a moment today, else the day: "14:02", "23 Nov", "3 Jan 2025". */
export function dayOrTime(at: number, now: number, timeZone?: string): string {
  if (!isTime(at) || !isTime(now)) return 'not a time';
  changesAt(midnightAfter(now, timeZone), now);
  if (calendarDay(at, timeZone) === dayNow(now, timeZone)) return format(at, CLOCK, timeZone).slice(0, 5);
  const day = dayOf(at, timeZone);
  const year = dayOf(now, timeZone).slice(-5);
  return day.endsWith(year) ? day.slice(0, -5) : day;
}

/** The heading of a day: "Today, 26 November", "Saturday, 21 November", "3 January 2025". */
export function dayTitle(at: number, now: number, timeZone?: string): string {
  if (!isTime(at) || !isTime(now)) return 'Not a time';
  changesAt(midnightAfter(now, timeZone), now);
  const days = dayNow(now, timeZone) - calendarDay(at, timeZone);
  const [day, month, year] = format(at, LONG_DAY, timeZone).split(' ');
  const date = `${day} ${month}`;
  if (days === 0) return `Today, ${date}`;
  if (days === 1) return `Yesterday, ${date}`;
  if (year !== format(now, LONG_DAY, timeZone).split(' ')[2]) return `${date} ${year}`;
  return `${format(at, { weekday: 'long' }, timeZone)}, ${date}`;
}

/** "14:02:11". */
export function clockTime(at: number, timeZone?: string): string {
  return isTime(at) ? format(at, CLOCK, timeZone) : 'not a time';
}

/** The start of the local day, or of the day so many days later, in seconds since the epoch. */
export function dayStart(at: number, timeZone?: string, later = 0): number {
  const next = nextMidnight(at, timeZone);
  // A day has 23, 24 or 25 hours.
  const start = nextMidnight(next - 26 * HOUR, timeZone);
  return later === 0 ? start : dayStart(start + later * DAY + DAY / 2, timeZone);
}

/** The first moment at or after that hour of the local clock, on the day that starts at `start`. */
export function atHour(start: number, hour: number, timeZone?: string): number {
  const at = start + hour * HOUR;
  const [hours = 0, minutes = 0, seconds = 0] = format(at, CLOCK, timeZone).split(':').map(Number);
  const found = at + (hour - hours) * HOUR - minutes * MINUTE - seconds;
  // An hour that the clock skips is not found: `at` is when it skips it.
  return Number(format(found, CLOCK, timeZone).slice(0, 2)) === hour ? found : at;
}

/** "2026-11-22T15:08:22.000Z"; "" if it is not a time, for which a `Date` would throw. */
export function isoTime(at: number): string {
  return isTime(at) ? new Date(at * 1000).toISOString() : '';
}

export function isTime(at: number): boolean {
  return Number.isFinite(at) && Math.abs(at) <= LAST;
}

/** Whether a number is a time in milliseconds (from 1979) rather than in seconds. "Never" of .NET is the last second of the year 9999. */
export function isMilliseconds(at: number): boolean {
  return at > 3e11 && at < 1e14;
}

/** "22 Nov 2026". */
export function dayOf(at: number, timeZone?: string): string {
  return format(at, { day: 'numeric', month: 'short', year: 'numeric' }, timeZone);
}

/** Returns the number of the local calendar day: midnight, not 24 hours, separates "yesterday" from "today". */
function calendarDay(at: number, timeZone?: string): number {
  const [day = 0, month = 1, year = 0] = format(at, DATE, timeZone).split('/').map(Number);
  return Math.round(Date.UTC(year, month - 1, day) / 86_400_000);
}

/** Returns the start of the next local day. */
function nextMidnight(now: number, timeZone?: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = format(now, CLOCK, timeZone).split(':').map(Number);
  const whole = Math.floor(now) + DAY - hours * HOUR - minutes * MINUTE - seconds;
  const today = calendarDay(now, timeZone);
  const isTomorrow = (at: number) => calendarDay(at, timeZone) !== today;
  if (isTomorrow(whole) && !isTomorrow(whole - 1)) return whole;
  // A day may be up to an hour shorter or longer.
  return [-2, -1, 1, 2].map((step) => whole + (step * HOUR) / 2).find(isTomorrow) ?? whole;
}

/** Remembers the last answer: the rows of a table ask about the same moment, and `Intl` takes longer than all the rest of a row. */
function remembering(ask: (at: number, timeZone?: string) => number): typeof ask {
  let last: { at: number; zone: string; answer: number } | undefined;
  return (at, timeZone) => {
    const zone = timeZone ?? (shown === 'utc' ? 'UTC' : own);
    if (last?.at !== at || last.zone !== zone) last = { at, zone, answer: ask(at, timeZone) };
    return last.answer;
  };
}

const dayNow = remembering(calendarDay);
const midnightAfter = remembering(nextMidnight);

const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
const LONG_DAY = { day: 'numeric', month: 'long', year: 'numeric' } as const;
const DATE = { day: '2-digit', month: '2-digit', year: 'numeric' } as const;

let shown: TimesShown = 'local';

/** Chooses the zone of all times that are shown from now on. */
export function showTimesIn(times: TimesShown): void {
  shown = times;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(at: number, options: Intl.DateTimeFormatOptions, zone?: string): string {
  const timeZone = zone ?? (shown === 'utc' ? 'UTC' : undefined);
  const key = `${JSON.stringify(options)} ${timeZone ?? own}`;
  let known = formats.get(key);
  if (known === undefined) {
    known = new Intl.DateTimeFormat('en-GB', timeZone === undefined ? options : { ...options, timeZone });
    formats.set(key, known);
  }
  return known.format(at * 1000);
}

/** Returns the whole seconds from `now` (seconds) until `moment` (milliseconds), for countdowns. */
export function secondsUntil(moment: number, now: number): number {
  if (moment / 1000 > now) changesAt(now + 1, now);
  return Math.max(0, Math.floor(moment / 1000) - now);
}
