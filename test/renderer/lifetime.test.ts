import { describe, expect, test } from 'vitest';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { accountStatus, statusId, statusSentence } from '../../src-renderer/state/accountStatus.ts';
import { lifetime, nextToExpire } from '../../src-renderer/state/lifetime.ts';
import { account, token } from './fake/cast.ts';

const NOW = 1_700_000_000;
const access = (changes: object) =>
  token({ id: 't', type: 'AccessToken', cached_at: NOW - 2700, ...changes });

describe('where an access token stands, by the rules the MSAL libraries decide with', () => {
  test.each([
    [{ expires_on: NOW + 3600 }, 'ok', '1 h'],
    [{ expires_on: NOW + 901 }, 'ok', '15 min'],
    [{ expires_on: NOW + 900 }, 'soon', 'Expires in 15 min'],
    [{ expires_on: NOW + 301 }, 'soon', 'Expires in 5 min'],
    [{ expires_on: NOW + 300 }, 'soon', 'Expires in 5 min'],
    [{ expires_on: NOW + 1 }, 'soon', 'Expires in 1 s'],
    [{ expires_on: NOW - 7200 }, 'gone', 'Expired 2 h ago'],
    [{ expires_on: null }, 'none', 'Not known'],
    [{ cached_at: NOW + 10, expires_on: NOW + 3600 }, 'none', 'Uncertain'],
    [{ cached_at: NOW + 10, expires_on: NOW - 5 }, 'none', 'Uncertain'],
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
    text: 'No fixed end',
  });
  const id = token({ id: 'i', type: 'IdToken', expires_on: NOW + 200 });
  expect(lifetime(id, NOW)).toMatchObject({ tone: 'soon', text: 'Expires in 3 min', why: null });
});

describe('a token expires soon in the last quarter of its lifetime, at most 15 minutes before its end', () => {
  test.each([
    [7 * 60, 106, 'ok'],
    [7 * 60, 105, 'soon'],
    [3600, 901, 'ok'],
    [3600, 900, 'soon'],
    [86_400, 901, 'ok'],
    [86_400, 900, 'soon'],
    [4, 2, 'ok'],
  ])('of %d s, with %d s left: %s', (whole, left, tone) => {
    const item = access({ cached_at: NOW - whole + left, expires_on: NOW + left });
    expect(lifetime(item, NOW).tone).toBe(tone);
  });
});

describe('the status of an account', () => {
  const tokens = (AccessToken: number, RefreshToken: number, IdToken = 0) => ({
    AccessToken,
    RefreshToken,
    IdToken,
  });
  const refused = (reason: 'refused' | 'expired' | 'revoked', at: number) =>
    ({ state: 'needs-sign-in', reason, at, code: null, activeUntil: null }) as const;
  test.each([
    [{ status: { state: 'renews', activeUntil: NOW + 9 } }, 'ok', 'Active, renews itself'],
    [{ status: { state: 'renews', activeUntil: null } }, 'ok', 'Active, renews itself'],
    [{ status: { state: 'renews', activeUntil: NOW + 9, untried: true } }, 'ok', 'Active, renews itself'],
    [{ status: { state: 'renews', activeUntil: NOW, untried: true } }, 'none', 'Unknown, never tried'],
    [{ status: { state: 'active', until: NOW + 299 } }, 'soon', 'Active until 22:18, can’t renew itself'],
    [{ status: { state: 'active', until: NOW } }, 'gone', 'Needs sign-in, expired 22:13'],
    [{ status: refused('expired', NOW - 300) }, 'gone', 'Needs sign-in, expired 22:08'],
    [{ status: refused('refused', NOW - 300) }, 'gone', 'Needs sign-in, refused 22:08'],
    [{ status: refused('revoked', NOW - 5 * 86_400) }, 'gone', 'Needs sign-in, revoked 9 Nov'],
    [{ tokens: tokens(0, 0, 1), status: { state: 'unknown' } }, 'none', 'Unknown, only an ID token'],
    [{ tokens: tokens(0, 0), status: { state: 'unknown' } }, 'none', 'Unknown, no tokens'],
    [{ tokens: tokens(1, 0), status: { state: 'unknown' } }, 'none', 'Unknown, expiry not known'],
    [{ kind: 'app', status: { state: 'active', until: NOW + 9 } }, 'ok', 'Active, renews itself'],
    [{ kind: 'app', status: refused('expired', NOW - 300) }, 'none', 'Unknown, expired 22:08'],
    [
      { kind: 'orphan', status: { state: 'renews', activeUntil: NOW + 9 } },
      'none',
      'Unknown, no account entry',
    ],
  ] as [Partial<AccountItem>, string, string][])('%o is %s: "%s"', (changes, tone, text) => {
    const item = account({ id: 'a', ...changes });
    const status = accountStatus(item, NOW, 'UTC');
    expect([status.tone, statusSentence(status)]).toEqual([tone, text]);
    expect(statusId(item, NOW)).toBe(status.id);
  });
});

test('an expiry is uncertain for the row and for the account by the same rule', () => {
  const uncertain = access({ cached_at: NOW + 10, expires_on: NOW + 3600 });
  expect(lifetime(uncertain, NOW).text).toBe('Uncertain');
  expect(nextToExpire([uncertain], NOW)).toBeNull();
  expect(nextToExpire([uncertain], NOW + 10)).toBe(NOW + 3600);
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
