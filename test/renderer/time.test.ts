import { describe, expect, test } from 'vitest';
import { lifetime } from '../../src-renderer/state/lifetime.ts';
import {
  dayOrTime,
  localTime,
  ownZone,
  relative,
  savedAgo,
  secondsUntil,
  shortTime,
  showTimesIn,
  span,
  timed,
} from '../../src-renderer/state/time.ts';
import fc from '../support/fast-check.ts';
import { token } from './fake/cast.ts';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

describe('a length of time is said in one or two units, and never as more than it is', () => {
  test.each([
    [0, '0 s'],
    [-5, '0 s'],
    [0.9, '0 s'],
    [59.9, '59 s'],
    [MINUTE, '1 min'],
    [13 * MINUTE - 1, '12 min'],
    [HOUR - 1, '59 min'],
    [HOUR, '1 h'],
    [80 * MINUTE, '1 h 20 min'],
    [3 * HOUR - 1, '2 h 59 min'],
    [3 * HOUR, '3 h'],
    [2 * DAY - 1, '47 h'],
    [2 * DAY, '2 days'],
    [60 * DAY, '60 days'],
    [61 * DAY, '2 months'],
    [700 * DAY, '22 months'],
    [731 * DAY, '2 years'],
    [1e12, '31,688 years'],
  ])('%d s is "%s"', (seconds, words) => expect(span(seconds)).toBe(words));
});

test.each([
  [1000, 1000, 'now'],
  [1720, 1000, 'in 12 min'],
  [1000, 1000 + 2 * HOUR + 30, '2 h ago'],
  [1000, 1000 + 3 * DAY, '3 days ago'],
])('%d at %d is "%s"', (at, now, words) => expect(relative(at, now)).toBe(words));

test('what was saved is never said to be saved in the future', () => {
  expect(savedAgo(1000, 1002)).toBe('just now');
  expect(savedAgo(1000, 1059)).toBe('just now');
  expect(savedAgo(1000, 1060)).toBe('1 min ago');
  expect(savedAgo(5000, 1000)).toBe('just now');
});

describe('local time has as much of the date as it takes', () => {
  const now = Date.UTC(2026, 10, 22, 14, 56, 0) / 1000;
  test.each([
    [Date.UTC(2026, 10, 22, 14, 8, 22), 'UTC', 'today 14:08:22'],
    [Date.UTC(2026, 10, 22, 0, 0, 0), 'UTC', 'today 00:00:00'],
    [Date.UTC(2026, 10, 21, 23, 59, 59), 'UTC', 'yesterday 23:59:59'],
    [Date.UTC(2026, 10, 23, 0, 0, 0), 'UTC', 'tomorrow 00:00:00'],
    [Date.UTC(2025, 0, 3, 9, 5, 0), 'UTC', '3 Jan 2025, 09:05:00'],
    [Date.UTC(2026, 10, 22, 14, 8, 22), 'Asia/Tokyo', 'today 23:08:22'],
    [Date.UTC(2026, 10, 22, 16, 8, 22), 'Asia/Tokyo', 'tomorrow 01:08:22'],
  ])('%d in %s', (at, zone, words) => expect(localTime(at / 1000, now, zone)).toBe(words));

  test('yesterday and tomorrow are calendar days, also when a day has 23 or 25 hours', () => {
    const berlin = (at: number, then: number) => localTime(at / 1000, then / 1000, 'Europe/Berlin');
    // Summer time ends on 25 Oct 2026: 26 Oct 00:30 is 25.5 hours after 24 Oct 23:00 UTC+2 … and one day later.
    expect(berlin(Date.UTC(2026, 9, 24, 22, 30), Date.UTC(2026, 9, 25, 23, 15))).toBe('yesterday 00:30:00');
    expect(berlin(Date.UTC(2026, 9, 25, 23, 15), Date.UTC(2026, 9, 24, 22, 30))).toBe('tomorrow 00:15:00');
    // Summer time starts on 29 Mar 2026: at 00:10 on 30 Mar, 24 hours ago was 28 Mar.
    expect(berlin(Date.UTC(2026, 2, 29, 10, 0), Date.UTC(2026, 2, 29, 22, 10))).toBe('yesterday 12:00:00');
  });

  test('a time today, else a day', () => {
    expect(dayOrTime(Date.UTC(2026, 10, 22, 14, 2) / 1000, now, 'UTC')).toBe('14:02');
    expect(dayOrTime(Date.UTC(2026, 10, 23, 0, 2) / 1000, now, 'UTC')).toBe('23 Nov');
    expect(dayOrTime(Date.UTC(2025, 0, 3) / 1000, now, 'UTC')).toBe('3 Jan 2025');
    expect(dayOrTime(Number.NaN, now, 'UTC')).toBe('not a time');
  });

  test('without seconds for a line with more in it', () => {
    expect(shortTime(Date.UTC(2026, 10, 22, 14, 8, 22) / 1000, now, 'UTC')).toBe('14:08');
    expect(shortTime(Date.UTC(2025, 0, 3, 9, 5, 7) / 1000, now, 'UTC')).toBe('3 Jan 2025, 09:05');
  });

  test.each([1e300, -1e300, Number.NaN, Number.POSITIVE_INFINITY, 8.65e12])(
    '%d is no time, and throws nothing',
    (at) => {
      expect(localTime(at, now, 'UTC')).toBe('not a time');
      expect(shortTime(at, now, 'UTC')).toBe('not a time');
    },
  );
});

test('a countdown of 30 s starts at 30 wherever in the second it starts, and ends at 0', () => {
  for (const start of [5_000, 5_001, 5_999]) {
    expect(secondsUntil(start + 30_000, Math.floor(start / 1000))).toBe(30);
    expect(secondsUntil(start + 30_000, Math.floor((start + 30_000) / 1000))).toBe(0);
  }
  expect(secondsUntil(0, 100)).toBe(0);
});

describe('each text says until when it is true', () => {
  const now = Date.UTC(2026, 9, 24, 21, 0, 0) / 1000;
  const texts: Record<string, (at: number) => (now: number) => unknown> = {
    relative: (at) => (then) => relative(at, then),
    savedAgo: (at) => (then) => savedAgo(at, then),
    localTime: (at) => (then) => localTime(at, then, 'Europe/Berlin'),
    dayOrTime: (at) => (then) => dayOrTime(at, then, 'Europe/Berlin'),
    secondsUntil: (at) => (then) => secondsUntil(at * 1000, then),
    lifetime: (at) => (then) =>
      lifetime(
        token({ id: 't', type: 'AccessToken', cached_at: at - 3600, expires_on: at, refresh_on: at - 1800 }),
        then,
      ),
  };
  test.each(Object.keys(texts))('%s: it does not change before, and it may then', (name) => {
    fc.assert(
      fc.property(
        fc.integer({ min: -90_000, max: 90_000 }),
        fc.integer({ min: 0, max: 90_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (away, later, share) => {
          const say = texts[name]!(now + away);
          const { value, until } = timed(say, now + later);
          if (until === Number.POSITIVE_INFINITY) {
            expect(say(now + later + 86_400 * 3)).toEqual(value);
            return;
          }
          expect(until).toBeGreaterThan(now + later);
          const last = Math.ceil(until) - 1;
          const between = now + later + Math.floor(share * (last - now - later));
          expect(say(between)).toEqual(value);
          expect(say(last)).toEqual(value);
        },
      ),
      { numRuns: 300, examples: [[78_379, 77_875, 0]] },
    );
  });

  test('a token with an hour left wakes the window a few times a minute at most', () => {
    const item = token({ id: 't', type: 'AccessToken', cached_at: now, expires_on: now + 3600 });
    let wakes = 0;
    for (let then = now; then < now + 3500; wakes += 1) then = timed((at) => lifetime(item, at), then).until;
    expect(wakes).toBeLessThan(300);
  });
});

test('times are shown in UTC, marked as such, or in both zones, if the user chooses so', () => {
  const at = Date.UTC(2026, 10, 26, 14, 2, 11) / 1000;
  showTimesIn('utc');
  try {
    expect(localTime(at, at)).toBe('today 14:02:11 UTC');
    expect(shortTime(at, at)).toBe('14:02 UTC');
    expect(localTime(at, at, 'Europe/Oslo')).toBe('today 15:02:11');
    showTimesIn('both');
    const own = localTime(at, at, ownZone());
    expect(localTime(at, at)).toMatch(/ \((?:\d+ Nov 2026, )?14:02:11 UTC\)$/);
    expect(localTime(at, at).startsWith(own)).toBe(true);
    expect(shortTime(at, at)).toBe(shortTime(at, at, ownZone()));
    expect(dayOrTime(at, at)).toBe(dayOrTime(at, at, ownZone()));
    expect(localTime(at, at, 'Europe/Oslo')).toBe('today 15:02:11');
    expect(localTime(Number.NaN, at)).toBe('not a time');
  } finally {
    showTimesIn('local');
  }
});
