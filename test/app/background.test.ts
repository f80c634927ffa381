import { describe, expect, it } from 'vitest';
import { AwayError } from '../../app/away-lock.ts';
import { type BackgroundItem, expiryNotices, failedCopy, menuBarItems } from '../../app/background.ts';
import { StorageError } from '../../src-main/errors.ts';
import type { AccountItem } from '../../src-main/ipc/contract.ts';

const NOW = 1_800_000_000;
const account = (name: string, status: AccountItem['status'], kind: AccountItem['kind'] = 'user') =>
  ({
    id: name,
    name,
    username: `${name}@contoso.example`,
    kind,
    status,
    home_account_id: 'a.b',
    authority_type: 'MSSTS',
    environment: 'login.example',
    issuer: null,
    tokens: { AccessToken: 1, RefreshToken: 1, IdToken: 1 },
    source: null,
    places: ['vault'],
  }) as unknown as AccountItem;
const until = (seconds: number): AccountItem['status'] => ({ state: 'active', until: NOW + seconds });
const renews: AccountItem['status'] = { state: 'renews', activeUntil: NOW + 60 };
const refused: AccountItem['status'] = {
  state: 'needs-sign-in',
  reason: 'refused',
  at: NOW - 60,
  code: 'invalid_grant',
  activeUntil: null,
};
const labels = (items: readonly BackgroundItem[]): string[] =>
  items.flatMap(({ label, items: inner }) => [
    label,
    ...(inner === undefined ? [] : labels(inner).map((one) => `> ${one}`)),
  ]);

describe('names that anyone can choose', () => {
  const hostile = { name: `Sign out\n\u202e${'x'.repeat(500)}`, username: 'a\tb\u2066@x.example' };
  const of = (status: AccountItem['status']) => ({ ...account('id', status), ...hostile });
  const isPlain = (text: string) => !/[\n\t\u202e\u2066]/u.test(text) && text.length < 150;

  it('are short and of one line in the menu and in notices', () => {
    const token = { id: 't', api: `https\n${'y'.repeat(500)}`, account: hostile.name, tenant: 'a\nb' };
    const all = labels(menuBarItems([of(renews), of(refused), of(until(540))], [token], NOW));
    expect(all.filter((label) => label.includes('Sign out')).length).toBeGreaterThan(4);
    expect(all.filter((label) => !isPlain(label))).toEqual([]);
    const { due } = expiryNotices().look([of(until(540))], NOW);
    expect(due.map(({ title }) => isPlain(title))).toEqual([true]);
  });

  it('are not taken for a separator where they are blank', () => {
    const blank = { ...account('id', renews), name: '  ', username: '', home_account_id: null };
    expect(labels(menuBarItems([blank], [], NOW))).toContain('> No name');
  });
});

it('two realms of one host, with a user of one name, are told apart in the menu and in notices', () => {
  const of = (realm: string) => ({
    ...account('Ada', until(540)),
    id: realm,
    username: 'ada',
    authority_type: 'Generic',
    environment: 'id.example',
    issuer: `https://id.example/realms/${realm}`,
  });
  const both = [of('prod'), of('test')];
  const named = labels(menuBarItems(both, [], NOW)).filter((label) => label.includes('Ada'));
  expect(named.slice(0, 2)).toEqual([
    'Ada (id.example/realms/prod) · in 9 min',
    'Ada (id.example/realms/test) · in 9 min',
  ]);
  expect(named.filter((label) => !label.includes('id.example/realms/'))).toEqual([]);
  expect(
    expiryNotices()
      .look(both, NOW)
      .due.map(({ title }) => title),
  ).toEqual([
    'Ada (id.example/realms/prod) expires in 9 min',
    'Ada (id.example/realms/test) expires in 9 min',
  ]);
});

describe('the menu bar item', () => {
  it('lists accounts by what they need, tokens to copy, and the way out', () => {
    const accounts = [
      account('Mara', renews),
      account('Dana', refused),
      account('Tom', until(540)),
      account('Rosa', until(-1)),
      account('Lin', { state: 'unknown' }),
      account('nightly', refused, 'app'),
    ];
    expect(
      labels(
        menuBarItems(accounts, [{ id: 't', api: 'Microsoft Graph', account: 'Mara', tenant: null }], NOW),
      ),
    ).toEqual([
      'Needs sign-in',
      'Dana · Dana@contoso.example',
      'Rosa · Rosa@contoso.example',
      '',
      'Expires soon',
      'Tom · in 9 min',
      '',
      'Active: 1',
      '> Mara · Mara@contoso.example',
      'Unknown: 1',
      '> Lin · Lin@contoso.example',
      '',
      'Copy access token',
      '> Microsoft Graph · Mara',
      'Sign out',
      ...['Mara', 'Dana', 'Tom', 'Rosa', 'Lin'].map((name) => `> ${name} · ${name}@contoso.example`),
      'Hide revealed tokens',
      '',
      'Open Tokenkeep',
      'Settings…',
      'Quit Tokenkeep',
    ]);
  });

  it('tells tokens of several tenants apart, and says that there are more', () => {
    const tokens = Array.from({ length: 14 }, (_, at) => ({
      id: `t${at}`,
      api: 'Azure Resource Manager',
      account: 'Mara',
      tenant: at === 0 ? null : `customer-${at}.example`,
    }));
    const all = labels(menuBarItems([], tokens, NOW)).filter((label) => label.startsWith('> '));
    expect(all.slice(0, 2)).toEqual([
      '> Azure Resource Manager · Mara',
      '> Azure Resource Manager · Mara · customer-1.example',
    ]);
    expect(new Set(all).size).toBe(13);
    expect(all.at(-1)).toBe('> 2 more…');
  });

  it('stays short with many accounts, and usable with none', () => {
    const many = Array.from({ length: 500 }, (_, at) => account(`user ${at}`, refused));
    expect(labels(menuBarItems(many, [], NOW))).toContain('488 more…');
    expect(labels(menuBarItems(many, [], NOW)).length).toBeLessThan(40);
    expect(labels(menuBarItems([], [], NOW))).toEqual([
      'No accounts',
      '',
      'Hide revealed tokens',
      '',
      'Open Tokenkeep',
      'Settings…',
      'Quit Tokenkeep',
    ]);
  });
});

describe('the notice before an account ends', () => {
  it('is not for an account that auto-refresh renews before, unless that fails; nor is the menu’s group', () => {
    const end = NOW + 1800;
    const needs = {
      state: 'needs-sign-in',
      reason: 'expired',
      at: end,
      code: null,
      activeUntil: null,
    } as const;
    const mara = account('Mara', { ...renews, activeUntil: end, next: { at: end, status: needs } });
    const notices = expiryNotices();
    const isRenewed = (id: string, before: number) => id === 'Mara' && NOW + 1440 < before;
    expect(notices.look([mara], NOW + 1200, isRenewed)).toEqual({ due: [], next: NOW + 1260 });
    expect(labels(menuBarItems([mara], [], NOW + 1200, isRenewed))).not.toContain('Expires soon');
    const tom = account('Tom', until(540)); // nothing can renew it
    expect(expiryNotices().look([tom], NOW, () => true).due).toHaveLength(1);
    expect(notices.look([mara], NOW + 1500, () => false).due).toHaveLength(1);
    expect(labels(menuBarItems([mara], [], NOW + 1500))).toContain('Expires soon');
  });

  it('comes ten minutes before, once for each end, and says when to look again', () => {
    const notices = expiryNotices();
    const tom = account('Tom', until(3600));
    expect(notices.look([tom, account('Mara', renews)], NOW)).toEqual({ due: [], next: NOW + 3000 });
    const { due, next } = notices.look([tom], NOW + 3000);
    expect(due).toEqual([
      {
        accountId: 'Tom',
        title: 'Tom expires in 10 min',
        body: 'This sign-in can’t renew itself. Sign in to continue without a break.',
      },
    ]);
    expect(next).toBeNull();
    expect(notices.look([tom], NOW + 3010).due).toEqual([]);
    expect(notices.look([account('Tom', until(7200))], NOW + 6700).due).toHaveLength(1);
  });

  it('does not flood the screen: of many, there is one, and then none for a minute', () => {
    const notices = expiryNotices();
    const all = (seconds: number) =>
      Array.from({ length: 1000 }, (_, at) => account(`user ${at}`, until(seconds)));
    const { due, next } = notices.look(all(500), NOW);
    expect(due).toEqual([
      {
        accountId: null,
        title: '1000 accounts expire soon',
        body: 'Sign in again to continue without a break.',
      },
    ]);
    expect(next).toBeNull();
    // A script that writes another end at every look.
    for (let second = 1; second < 60; second++) {
      const again = notices.look(all(500 - second), NOW + second);
      expect(again).toEqual({ due: [], next: NOW + 60 });
    }
    expect(notices.look(all(440), NOW + 60).due).toHaveLength(1);
    expect(notices.look(all(-3200), NOW - 3600).due).toHaveLength(1); // the clock was set back
  });

  it('comes before a refresh token expires, and not again at each refresh of one that lives for minutes', () => {
    const renewsUntil = (seconds: number) =>
      account('Mara', {
        ...renews,
        next: {
          at: NOW + seconds,
          status: {
            state: 'needs-sign-in',
            reason: 'expired',
            at: NOW + seconds,
            code: null,
            activeUntil: null,
          },
        },
      });
    const notices = expiryNotices();
    expect(notices.look([renewsUntil(1800)], NOW)).toEqual({ due: [], next: NOW + 1200 });
    expect(notices.look([renewsUntil(1800)], NOW + 1200).due).toEqual([
      {
        accountId: 'Mara',
        title: 'Mara expires in 10 min',
        body: 'Its refresh token expires. Refresh the account, or sign in again, to continue without a break.',
      },
    ]);
    expect(notices.look([renewsUntil(1900)], NOW + 1500).due).toEqual([]);
    expect(notices.look([renewsUntil(5400)], NOW + 1800)).toEqual({ due: [], next: NOW + 4800 });
    expect(notices.look([renewsUntil(5400)], NOW + 4800).due).toHaveLength(1);
  });

  it('is not for those that renew themselves, have ended, or are apps', () => {
    const all = [
      account('a', renews),
      account('b', refused),
      account('c', until(-1)),
      account('d', until(60), 'app'),
    ];
    expect(expiryNotices().look(all, NOW)).toEqual({ due: [], next: null });
  });
});

describe('a token that could not be copied from the menu', () => {
  const reported: unknown[] = [];
  const ports = { onUnexpected: (error: unknown) => reported.push(error) };

  it('is told, in the words of the error', () => {
    const error = new StorageError('storage_failed', 'The disk is gone.');
    expect(failedCopy(error, ports)).toEqual({
      accountId: null,
      title: 'The token was not copied',
      body: 'The disk is gone.',
    });
    expect(reported).toEqual([]);
  });

  it('is told without the text of a foreign error, which may hold the token', () => {
    const error = new Error('eyJ0.secret.token');
    expect(JSON.stringify(failedCopy(error, ports))).not.toContain('secret');
    expect(reported).toEqual([error]);
  });

  it('is not told while the app is locked', () => {
    expect(failedCopy(new AwayError(), ports)).toBeNull();
  });
});
