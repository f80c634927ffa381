// Not in npm run check: it derives the keys of exports.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { memoryKeychain, openVault } from '../../src-main/index.ts';
import { type Grant, openGrants } from '../../src-main/oauth/index.ts';
import { jwt } from '../cache/events.ts';
import { temporaryFolder } from '../vault/fakes.ts';

const ISSUER = 'https://id.example/realms/main';
const AT = { issuer: ISSUER, client_id: 'my-app' };
const GRANT: Grant = {
  tokens: {
    access_token: 'at-1',
    refresh_token: 'rt-1',
    id_token: jwt({ iss: ISSUER, sub: 'ada', preferred_username: 'ada@id.example' }),
    token_type: 'DPoP',
    expires_in: 300,
    team: { id: 'T1', enterprise: null },
  },
  keys: { dpop: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'key-secret' } },
  client: { client_id: 'dyn-1', client_secret: 'client-secret' },
  data: { list: [1, 'two', { three: null }] },
};

it('a grant is in an export whole, and leaves the vault that imported it', async () => {
  const [folder, keychain] = [temporaryFolder(), memoryKeychain()];
  const [from, to] = await Promise.all(
    ['a.vault', 'b.vault'].map((name) => openVault({ file: join(folder, name), keychain })),
  );
  await openGrants(from!, AT).add('work', GRANT);
  await from!.exportTo(join(folder, 'a.age'), 'vole-quartz-hinge-92-morsel-tundra');
  await to!.importFrom(join(folder, 'a.age'), 'vole-quartz-hinge-92-morsel-tundra');
  expect(await openGrants(to!, AT).get('work')).toMatchObject(GRANT);
  expect(await openGrants(to!, AT).remove('work')).toBe(true);
  expect(await openGrants(to!, AT).remove('work')).toBe(false);
  expect(await to!.read((cache) => cache.accounts())).toEqual([]);
  await Promise.all([from!.close(), to!.close()]);
});
