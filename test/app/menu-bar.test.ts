/**
 * The item in the menu bar never names a user after the vault was locked, whatever was in progress at that moment. It continues to poll
 * after a failed poll.
 */
import { readFileSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import type { BackgroundItem, Notice } from '../../app/background.ts';
import { menuBar } from '../../app/menu-bar.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import type { Vault } from '../../src-main/index.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';
import { fakeVault } from '../ipc/fake-vault.ts';

const DOCUMENT = readFileSync('test/vectors/documents/msal-python-aad-single.json', 'utf8');

/** A menu bar over a vault whose every call waits until it is let go on. */
function waiting() {
  const cache = new SerializableTokenCache();
  cache.deserialize(DOCUMENT);
  const vault = fakeVault(cache);
  const pending: (() => void)[] = [];
  const shown: string[] = [];
  const told: Notice[] = [];
  const state = { locked: false, removed: 0 };
  const hold = <T>(work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => pending.push(() => void work().then(resolve, reject)));
  const held = {
    on: () => () => undefined,
    read: (...args: Parameters<Vault['read']>) => hold(() => vault.read(...args)),
  } as unknown as Vault;
  const bar = menuBar({
    open: () => ({
      show: (items: readonly BackgroundItem[]) => void shown.push(JSON.stringify(items)),
      remove: () => void state.removed++,
    }),
    tell: (notice) => void told.push(notice),
    vault: () => hold(() => Promise.resolve(held)),
    wanted: () => ({ menuBar: true, notify: true }),
    isLocked: () => state.locked,
    isRenewed: () => false,
    onUnexpected: (error) => {
      throw error;
    },
  });
  /** Lets one call go on, and everything that follows from it. */
  const goOn = async (): Promise<boolean> => {
    const next = pending.shift();
    next?.();
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    return next !== undefined;
  };
  return { bar, shown, told, state, goOn };
}

const NAMED = /avery|contoso/i;

it.each([0, 1, 2, 3, 4])(
  'locked after %i calls of a look: the item says that it is locked, and no more',
  async (calls) => {
    const { bar, shown, told, state, goOn } = waiting();
    const look = bar.look();
    for (let call = 0; call < calls; call++) await goOn();
    const before = shown.length;
    state.locked = true;
    const locked = bar.look();
    while (await goOn());
    await Promise.all([look, locked]);
    expect(shown.at(-1)).toContain('Vault locked');
    expect(shown.slice(before).join('\n')).not.toMatch(NAMED);
    expect(told).toEqual([]);
    bar.stop();
  },
);

it('shows nothing if it is stopped while it reads the vault', async () => {
  const { bar, shown, state, goOn } = waiting();
  const look = bar.look();
  await goOn();
  bar.stop();
  while (await goOn());
  await look;
  expect(shown).toEqual([]);
  expect(state.removed).toBe(1);
});

it('names the accounts once the vault is unlocked', async () => {
  const { bar, shown, goOn } = waiting();
  const look = bar.look();
  while (await goOn());
  await look;
  expect(shown.at(-1)).toMatch(NAMED);
  bar.stop();
});

it('names an account whose name is a space by its user name', async () => {
  const made = new SerializableTokenCache();
  made.add(tokenResponse({ username: 'noor@example.org', name: ' ' }));
  const document = JSON.parse(made.serialize()) as { Account: Record<string, object> };
  for (const account of Object.values(document.Account)) Object.assign(account, { name: ' ' });
  const cache = new SerializableTokenCache();
  cache.deserialize(JSON.stringify(document));
  const vault = Object.assign(fakeVault(cache), { on: () => () => undefined }) as unknown as Vault;
  const { bar, shown } = barOf(() => Promise.resolve(vault));
  await bar.look();
  expect(shown.at(-1)).toMatch(/"label":"[^"]* · noor@example\.org","action":{"do":"copy"/);
  bar.stop();
});

afterEach(() => void vi.useRealTimers());

/** An account that can't renew itself. Default: it expires in five minutes. */
function expiring(expires_in = 300): Vault {
  const cache = new SerializableTokenCache();
  cache.add(tokenResponse({ expires_in, refresh_token: null }));
  return Object.assign(fakeVault(cache), { on: () => () => undefined }) as unknown as Vault;
}

function barOf(vault: () => Promise<Vault>) {
  const shown: string[] = [];
  const told: Notice[] = [];
  const unexpected: unknown[] = [];
  const wanted = { menuBar: true, notify: true };
  const bar = menuBar({
    open: () => ({ show: (items) => void shown.push(JSON.stringify(items)), remove: () => undefined }),
    tell: (notice) => void told.push(notice),
    vault,
    wanted: () => wanted,
    isLocked: () => false,
    isRenewed: () => false,
    onUnexpected: (error) => void unexpected.push(error),
  });
  return { bar, shown, told, unexpected, wanted };
}

it('looks again a minute after the vault could not be read', async () => {
  vi.useFakeTimers();
  let isDown = true;
  const vault = expiring();
  const { bar, shown, unexpected } = barOf(() =>
    isDown ? Promise.reject(new Error('down')) : Promise.resolve(vault),
  );
  await expect(bar.look()).rejects.toThrow('down');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(unexpected).toHaveLength(1);
  isDown = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(shown.at(-1)).toContain('Expires soon');
  bar.stop();
});

it('announces an expiry in time after the computer slept, or its clock was changed', async () => {
  vi.useFakeTimers();
  const vault = expiring(5 * 3600);
  const { bar, told, wanted } = barOf(() => Promise.resolve(vault));
  wanted.menuBar = false;
  await bar.look();
  vi.setSystemTime(Date.now() + (5 * 3600 - 590) * 1000); // timers don't notice
  await vi.advanceTimersByTimeAsync(300_000);
  expect(told).toMatchObject([{ title: expect.stringMatching(/expires in 5 min/) as string }]);
  bar.stop();
});

it('announces an expiry that came while notices were off once they are on', async () => {
  const vault = expiring();
  const { bar, told, wanted } = barOf(() => Promise.resolve(vault));
  wanted.notify = false;
  await bar.look();
  expect(told).toEqual([]);
  wanted.notify = true;
  await bar.look();
  expect(told).toHaveLength(1);
  await bar.look();
  expect(told).toHaveLength(1);
  bar.stop();
});
