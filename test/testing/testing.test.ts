import { existsSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TokenCache } from '../../src-main/cache/token-cache.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import type { VaultState } from '../../src-main/vault/state.ts';
import {
  testClock,
  testKeychain,
  testVault,
  type TestVaultOptions,
  tokenResponse,
} from '../../src-main/testing/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** What an update is refused with, and what leads out of the state. */
const STATES: Readonly<Record<VaultState, { code?: string; retry: 'ready' | 'stays' }>> = {
  ready: { retry: 'ready' },
  locked: { code: 'vault_locked', retry: 'ready' },
  'no-keychain': { code: 'vault_no_keychain', retry: 'ready' },
  'key-missing': { code: 'vault_key_missing', retry: 'ready' },
  'wrong-key': { code: 'vault_wrong_key', retry: 'ready' },
  damaged: { code: 'vault_damaged', retry: 'ready' },
  newer: { code: 'vault_newer', retry: 'ready' },
  'read-only': { code: 'vault_read_only', retry: 'ready' },
  unreadable: { code: 'vault_unreadable', retry: 'ready' },
  busy: { code: 'vault_busy', retry: 'ready' },
  older: { code: 'vault_older', retry: 'stays' },
  copy: { code: 'vault_copy', retry: 'stays' },
};

it.each(Object.entries(STATES))('a vault in state %s, and out of it', async (name, { code, retry }) => {
  const state = name as VaultState;
  const { vault, file, mend, dispose } = await testVault({ state });
  onTestFinished(dispose);
  expect(vault.status.state).toBe(state);
  const update = vault.update((cache) => void cache.add(tokenResponse({ username: 'noor@example.org' })));
  if (code === undefined) await update;
  else await expect(update).rejects.toMatchObject({ code });
  await mend();
  await vault.retry();
  expect(vault.status.state).toBe(retry === 'ready' ? 'ready' : state);
  if (retry === 'ready') {
    const names = await vault.read((cache) => cache.accounts().map(({ username }) => username));
    expect(names).toContain('ada@example.org');
  }
  if (state === 'older') await vault.takeFile();
  if (state === 'copy') await vault.makeOwn();
  expect(vault.status.state).toBe('ready');
  await dispose();
  expect(existsSync(dirname(file))).toBe(false);
});

describe.each<[string, TestVaultOptions, number]>([
  ['nobody', { users: [] }, 0],
  ['one user twice', { users: ['ada@example.org', 'ada@example.org'] }, 1],
  ['two users', { users: ['ada@example.org', 'noor@example.org'] }, 2],
  ['a clock of its own', { clock: testClock(1_000_000_000) }, 1],
  ['nobody, and memory for a keychain that is not there', { users: [], unprotected: 'memory' }, 0],
  ['memory for a keychain that is not there', { unprotected: 'memory' }, 1],
])('with %s', (_who, options, accounts) => {
  it.each(Object.entries(STATES))('a vault in state %s, and out of it', async (name, { retry }) => {
    const state = name as VaultState;
    const { vault, file, mend, dispose } = await testVault({ ...options, state });
    onTestFinished(dispose);
    expect(vault.status.state).toBe(state);
    await mend();
    await vault.retry();
    expect(vault.status.state).toBe(retry === 'ready' ? 'ready' : state);
    expect(await vault.read((cache) => cache.accounts().length)).toBe(accounts);
    await dispose();
    expect(existsSync(dirname(file))).toBe(false);
  });
});

it('that can’t be made leaves nothing behind', async () => {
  const folder = temporaryFolder();
  vi.stubEnv('TMPDIR', folder);
  vi.stubEnv('TEMP', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const state of Object.keys(STATES) as VaultState[])
    await expect(testVault({ state, users: [''] })).rejects.toMatchObject({ code: 'invalid_argument' });
  expect(readdirSync(folder)).toEqual([]);
});

it('a keychain that does not answer in time, and answers later', async () => {
  const { file, keychain, vault, dispose } = await testVault({ users: [] });
  onTestFinished(dispose);
  await vault.update((cache) => void cache.add(tokenResponse()));
  keychain.mode = 'silent';
  const waiting = await openVault({ file, keychain });
  onTestFinished(() => waiting.close());
  expect(waiting.status).toMatchObject({ state: 'locked', waiting: true });
  keychain.mode = 'open';
  await expect.poll(() => waiting.status.state).toBe('ready');
});

it('token responses of one user are one account, of several issuers several', () => {
  const cache = new TokenCache({ now: testClock().now });
  const entra = 'https://login.microsoftonline.com/contoso-tenant/v2.0';
  for (const username of ['ada@example.org', 'ada@example.org', 'noor@example.org'])
    cache.add(tokenResponse({ username }));
  cache.add(tokenResponse({ username: 'ada@example.org', issuer: entra }));
  expect(
    cache.accounts().map(({ username, issuer, environment }) => [username, issuer ?? environment]),
  ).toEqual([
    ['ada@example.org', 'https://id.example'],
    ['noor@example.org', 'https://id.example'],
    ['ada@example.org', 'login.microsoftonline.com'],
  ]);
  expect(() => tokenResponse({ user: 'ada' } as never)).toThrow(expect.objectContaining({ field: 'user' }));
});

it('time passes when the test says so', async () => {
  const { vault, clock, dispose } = await testVault();
  onTestFinished(dispose);
  const expiry = await vault.read((cache) => Number(cache.find('AccessToken')[0]?.expires_on));
  expect(expiry - clock.now()).toBe(3600);
  clock.advance(7200);
  await vault.update((cache) => void cache.add(tokenResponse()));
  expect(await vault.read((cache) => Number(cache.find('AccessToken')[0]?.expires_on))).toBe(expiry + 7200);
});

it('a test’s keychain counts, refuses and forgets', async () => {
  const keychain = testKeychain();
  await keychain.set('s', 'a', 'x');
  keychain.mode = 'locked';
  await expect(keychain.get('s', 'a')).rejects.toMatchObject({ code: 'keychain_locked' });
  keychain.mode = 'unavailable';
  await expect(keychain.get('s', 'a')).rejects.toMatchObject({ outcome: 'unavailable' });
  keychain.mode = 'open';
  await keychain.delete('s', 'a');
  expect(await keychain.get('s', 'a')).toBeNull();
  expect(keychain.calls).toBe(5);
});
