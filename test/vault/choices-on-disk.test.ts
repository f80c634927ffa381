import { afterEach, expect, test, vi } from 'vitest';
import { StorageError } from '../../src-main/errors.ts';
import { memoryKeychain } from '../../src-main/keychain/keychain.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { errno } from './disk.ts';
import { Scene } from './fakes.ts';
import { signIn } from './people.ts';

afterEach(() => {
  vi.useRealTimers();
});

const CODES = [
  ['ENOSPC', 'disk_full'],
  ['EROFS', 'read_only_disk'],
  ['EACCES', 'no_permission'],
] as const;

async function damaged(): Promise<{ scene: Scene; vault: Vault }> {
  const scene = new Scene();
  const first = await scene.open();
  await first.update((cache) => signIn(cache, 'ada'));
  await first.update((cache) => signIn(cache, 'ben'));
  const bytes = Buffer.from(scene.disk.bytes(scene.file));
  const last = bytes.length - 30;
  bytes.writeUInt8(bytes.readUInt8(last) ^ 1, last);
  scene.disk.put(scene.file, bytes);
  const vault = await scene.open();
  expect(vault.status.state).toBe('damaged');
  return { scene, vault };
}

async function older(): Promise<{ scene: Scene; vault: Vault }> {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => signIn(cache, 'ada'));
  const before = Buffer.from(scene.disk.bytes(scene.file));
  await vault.update((cache) => signIn(cache, 'ben'));
  scene.disk.put(scene.file, before);
  await vault.read(() => undefined, { held: true });
  expect(vault.status.state).toBe('older');
  return { scene, vault };
}

test.each(
  CODES.flatMap(([system, code]) =>
    (
      [
        ['recover', damaged],
        ['startFresh', damaged],
        ['keepMine', older],
        ['takeFile', older],
      ] as const
    ).map(([method, made]) => [method, system, code, made] as const),
  ),
)('%s on a disk that says %s: %s, in words', async (method, system, code, made) => {
  const { scene, vault } = await made();
  scene.disk.fault = () => {
    throw errno(system);
  };
  const error: unknown = await vault[method]().catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(StorageError);
  expect(error).toMatchObject({ code });
  scene.disk.fault = () => undefined;
  await vault[method]();
  expect(vault.status.state).toBe('ready');
});

test('a keychain of one’s own that never answers: the vault is locked, and waits, after ten seconds', async () => {
  const keychain = memoryKeychain();
  const file = `${temporaryFolder()}/cache.vault`;
  const first = await openVault({ file, keychain });
  await first.update((cache) => signIn(cache, 'ada'));
  await first.close();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let vault: Vault | undefined;
  const silent = { ...keychain, get: () => new Promise<never>(() => undefined) };
  void openVault({ file, keychain: silent }).then((opened) => (vault = opened));
  await vi.waitFor(async () => {
    await vi.advanceTimersByTimeAsync(10_000);
    expect(vault?.status).toMatchObject({ state: 'locked', waiting: true });
  }, 20_000);
});
