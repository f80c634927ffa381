import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { memoryKeychain } from '../src-main/keychain/keychain.ts';
import { openVault } from '../src-main/vault/vault.ts';
import { signIn } from './cache/events.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

/** Listens to these channels and keeps what they publish, as it was at that moment. */
function hear(names: readonly string[]): { channel: string; message: string }[] {
  const heard: { channel: string; message: string }[] = [];
  for (const name of names) {
    const listener = (message: unknown): void =>
      void heard.push({ channel: name, message: JSON.stringify(message) });
    subscribe(name, listener);
    onTestFinished(() => {
      unsubscribe(name, listener);
    });
  }
  return heard;
}

const OPERATIONS = [
  'vault.open',
  'vault.update',
  'vault.read',
  'vault.erase',
  'keychain.get',
  'keychain.set',
];

it('calls are published with their duration, state and error code, and without what they are about', async () => {
  const events = OPERATIONS.flatMap((name) =>
    ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((event) => `tracing:tokenkeep.${name}:${event}`),
  );
  const heard = hear(events);
  const file = join(temporaryFolder(), 'a.vault');
  const vault = await openVault({ file, keychain: memoryKeychain() });
  await vault.update((cache) => void cache.add(signIn({ refresh_token: 'a refresh token' })));
  await vault.signOut(await vault.read((cache) => cache.accounts()[0]!));
  await expect(
    vault.update(() => {
      throw new RangeError('a refresh token');
    }),
  ).rejects.toThrow(RangeError);
  await vault.close();
  await expect(vault.read(() => 'a refresh token')).rejects.toThrow();

  const ends = heard.filter(({ channel: name }) => name.endsWith(':asyncEnd'));
  for (const operation of OPERATIONS) {
    const own = ends.find(({ channel: name }) => name.includes(operation));
    expect(JSON.parse(own?.message ?? '{}')).toMatchObject({ duration: expect.any(Number) });
  }
  const [opened] = ends.filter(({ channel: name }) => name.includes('vault.open'));
  expect(JSON.parse(opened!.message)).toMatchObject({ file, state: 'ready' });
  const codes = heard
    .filter(({ channel: name }) => name.endsWith(':error'))
    .map(({ message }) => (JSON.parse(message) as { code: string }).code);
  expect(codes).toEqual(['unexpected', 'vault_closed']);
  expect(JSON.stringify(heard)).not.toMatch(/a refresh token|john\.doe|uid\.utid/);
});

it('nothing is published, and nothing changes, while nobody listens', async () => {
  const file = join(temporaryFolder(), 'a.vault');
  const vault = await openVault({ file, keychain: memoryKeychain() });
  await expect(vault.read((cache) => cache.accounts())).resolves.toEqual([]);
  await vault.close();
});
