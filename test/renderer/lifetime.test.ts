import { describe, expect, test } from 'vitest';
import { lifetime, nextToExpire, standing } from '../../src-renderer/state/lifetime.ts';
import { account, token } from './fake/cast.ts';

const NOW = 1_700_000_000;
const access = (changes: object) => token({ id: 't', type: 'AccessToken', cached_at: NOW - 600, ...changes });

describe('where an access token stands, by the rules the MSAL libraries decide with', () => {
  test.each([
    [{ expires_on: NOW + 3600 }, 'ok', '1 h'],
    [{ expires_on: NOW + 901 }, 'ok', '15 min'],
    [{ expires_on: NOW + 900 }, 'soon', 'expires in 15 min'],
    [{ expires_on: NOW + 301 }, 'soon', 'expires in 5 min'],
    [{ expires_on: NOW + 300 }, 'soon', 'expires in 5 min'],
    [{ expires_on: NOW + 1 }, 'soon', 'expires in 1 s'],
    [{ expires_on: NOW - 7200 }, 'gone', 'expired 2 h ago'],
    [{ expires_on: null }, 'none', 'not known'],
    [{ cached_at: NOW + 10, expires_on: NOW + 3600 }, 'none', 'uncertain'],
    [{ cached_at: NOW + 10, expires_on: NOW - 5 }, 'none', 'uncertain'],
    [{ expires_on: NOW + 3600, refresh_on: NOW - 1 }, 'ok', '1 h'],
  ])('%o is %s: "%s"', (changes, tone, text) => {
    expect(lifetime(access(changes), NOW)).toMatchObject({ tone, text });
  });

  test('in its last five minutes it says that apps no longer use it; before that it does not', () => {
    expect(lifetime(access({ expires_on: NOW + 300 }), NOW).why).toContain('last 5 minutes');
    expect(lifetime(access({ expires_on: NOW + 301 }), NOW).why).toBeNull();
  });

  test('a due renewal is said, one to come is not', () => {
    expect(lifetime(access({ expires_on: NOW + 3600, refresh_on: NOW }), NOW).why).toContain(
      'Renewal is due',
    );
    expect(lifetime(access({ expires_on: NOW + 3600, refresh_on: NOW + 1 }), NOW).why).toBeNull();
  });

  test('the bar shows what is left of the whole life', () => {
    expect(lifetime(access({ cached_at: NOW - 900, expires_on: NOW + 2700 }), NOW).left).toBe(0.75);
    expect(lifetime(access({ expires_on: NOW - 1 }), NOW).left).toBe(0);
    expect(lifetime(access({ cached_at: null, expires_on: NOW + 7200 }), NOW).left).toBe(1);
    expect(lifetime(access({ expires_on: null }), NOW).left).toBeNull();
  });

  test('it follows the clock', () => {
    const item = access({ expires_on: NOW + 1000 });
    expect(lifetime(item, NOW).tone).toBe('ok');
    expect(lifetime(item, NOW + 200).tone).toBe('soon');
    expect(lifetime(item, NOW + 1000).tone).toBe('gone');
  });
});

test('a refresh token has no fixed end; an ID token has no five-minute rule', () => {
  expect(lifetime(token({ id: 'r', type: 'RefreshToken' }), NOW)).toMatchObject({
    tone: 'none',
    text: 'no fixed end',
  });
  const id = token({ id: 'i', type: 'IdToken', expires_on: NOW + 200 });
  expect(lifetime(id, NOW)).toMatchObject({ tone: 'soon', text: 'expires in 3 min', why: null });
});

describe('the dot of an account', () => {
  const tokens = (AccessToken: number, RefreshToken: number, IdToken = 0) => ({
    AccessToken,
    RefreshToken,
    IdToken,
  });
  test.each([
    [{ tokens: tokens(2, 1), nextExpiry: NOW + 3600, lastExpiry: NOW + 4000 }, 'ok', 'signed in'],
    [
      { tokens: tokens(2, 1), nextExpiry: NOW + 720, lastExpiry: NOW + 4000 },
      'soon',
      'next token expires in 12 min',
    ],
    [{ tokens: tokens(2, 1), nextExpiry: NOW - 1, lastExpiry: NOW + 4000 }, 'ok', 'signed in'],
    [
      { tokens: tokens(1, 1), nextExpiry: null, lastExpiry: NOW - 5 },
      'ok',
      'signed in; renews at the next use',
    ],
    [
      { tokens: tokens(1, 0), nextExpiry: NOW + 299, lastExpiry: NOW + 299 },
      'gone',
      'expired; needs to sign in again',
    ],
    [
      { tokens: tokens(1, 0), nextExpiry: null, lastExpiry: NOW - 5 },
      'gone',
      'expired; needs to sign in again',
    ],
    [{ tokens: tokens(0, 0, 1), lastExpiry: null }, 'none', 'known, but holds no token that opens anything'],
    [{ tokens: tokens(0, 0), lastExpiry: null }, 'none', 'no tokens'],
    [
      { kind: 'app' as const, tokens: tokens(1, 0), lastExpiry: NOW - 5 },
      'none',
      'expired; the app gets a new one by itself',
    ],
    [
      { kind: 'orphan' as const, tokens: tokens(1, 1), lastExpiry: NOW + 3600 },
      'none',
      'account not in the cache',
    ],
  ])('%o is %s: "%s"', (changes, tone, text) => {
    expect(standing(account({ id: 'a', ...changes }), NOW)).toEqual({ tone, text });
  });
});

test('next to expire is the soonest access token still to come', () => {
  const all = [
    access({ expires_on: NOW + 50 }),
    access({ expires_on: NOW + 20 }),
    access({ expires_on: NOW }),
    access({ expires_on: null }),
    token({ id: 'i', type: 'IdToken', expires_on: NOW + 5 }),
  ];
  expect(nextToExpire(all, NOW)).toBe(NOW + 20);
  expect(nextToExpire(all, NOW + 50)).toBeNull();
});
