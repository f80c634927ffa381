import { join } from 'node:path';
import { expect, it } from 'vitest';
import { memoryKeychain } from '../../src-main/index.ts';
import { openGrants } from '../../src-main/oauth/index.ts';
import { openVaultIn } from '../../src-main/vault/vault.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { AT, FULL } from './full-grant.ts';

it('a grant is in an export whole, and leaves the vault that imported it', async () => {
  const [folder, keychain] = [temporaryFolder(), memoryKeychain()];
  const [from, to] = await Promise.all(
    ['a.vault', 'b.vault'].map((name) =>
      openVaultIn({ file: join(folder, name), keychain }, { scryptWork: 4 }),
    ),
  );
  await openGrants(from!, AT).add('work', FULL);
  await from!.exportTo(join(folder, 'a.age'), 'vole-quartz-hinge-92-morsel-tundra');
  await to!.importFrom(join(folder, 'a.age'), 'vole-quartz-hinge-92-morsel-tundra');
  expect(await openGrants(to!, AT).get('work')).toMatchObject(FULL);
  expect(await openGrants(to!, AT).remove('work')).toBe(true);
  expect(await openGrants(to!, AT).remove('work')).toBe(false);
  expect(await to!.read((cache) => cache.accounts())).toEqual([]);
  await Promise.all([from!.close(), to!.close()]);
});
