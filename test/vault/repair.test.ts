import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { merge } from '../../src-main/cache/index.ts';
import { examine, repair, undoRepair } from '../../src-main/doctor/index.ts';
import { memoryKeychain, SerializableTokenCache } from '../../src-main/index.ts';
import { openVault } from '../../src-main/vault/vault.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a repair of a vault is one update, and its undo restores the secrets', async () => {
  const place = { file: join(temporaryFolder(), 'cache.vault'), keychain: memoryKeychain() };
  const sick = new SerializableTokenCache();
  const handover = new URL('../vectors/handovers/msal-node-3-then-msal-node-5.json', import.meta.url);
  sick.deserialize(readFileSync(handover, 'utf8'));
  const vault = await openVault(place);
  await vault.update((cache) => merge(cache, sick)); // Its access tokens expired in June 2026.
  await vault.update((cache) =>
    cache.modify('Account', cache.find('Account')[0]!, { tenantProfiles: ['{'] }),
  );
  const held = (cache: Parameters<typeof examine>[0]) =>
    (['Account', 'RefreshToken', 'AccessToken'] as const).flatMap((type) =>
      cache.find(type).map((entity) => ({ ...entity })),
    );
  const before = await vault.read(held);
  const found = await vault.read((cache) => examine(cache));
  expect(found.map(({ kind }) => kind)).toEqual(['unreadable', 'dead-weight']);
  const { difference, undo } = await vault.update((cache) => repair(cache, found));
  expect(difference.removed.map(({ type }) => type)).toContain('AccessToken');
  expect(await vault.read((cache) => examine(cache).filter(({ repair: by }) => by !== null))).toEqual([]);
  await vault.update((cache) => undoRepair(cache, undo));
  await vault.close();
  const again = await openVault(place);
  expect(await again.read(held)).toEqual(before);
  await again.close();
});
