import { describe, expect, test } from 'vitest';
import {
  localTime,
  relative,
  savedAgo,
  secondsUntil,
  shortTime,
  span,
} from '../../src-renderer/state/time.ts';

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
  expect(savedAgo(1000, 1012)).toBe('12 s ago');
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
