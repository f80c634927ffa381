/** Two users of one id, told apart by their issuers, in a vault. */
import { expect, test } from 'vitest';
import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import { jwt } from '../cache/events.ts';
import { Scene } from './fakes.ts';

function signIn(cache: TokenCache, realm: string): void {
  cache.add({
    client_id: 'app',
    scope: ['read'],
    token_endpoint: `https://id.example/realms/${realm}/protocol/openid-connect/token`,
    grant_type: 'authorization_code',
    response: {
      access_token: `at ${realm}`,
      refresh_token: `rt ${realm}`,
      id_token: jwt({ iss: `https://id.example/realms/${realm}`, sub: '5' }),
      expires_in: 300,
    },
  });
}

test('one is signed out, the other stays, and a late refresh does not bring the first one back', async () => {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => {
    signIn(cache, 'alpha');
    signIn(cache, 'beta');
  });
  const since = vault.epoch;
  await expect(vault.signOut('5')).rejects.toMatchObject({ code: 'ambiguous_account' });
  const [alpha] = await vault.read((cache) => cache.accounts());
  expect(await vault.signOut(alpha!)).toMatchObject({ remaining: 0, oldKey: 'destroyed' });
  await vault.update((cache) => signIn(cache, 'alpha'), { since });
  for (const handle of [vault, await scene.open()]) {
    const secrets = await handle.read((cache) => cache.find('RefreshToken').map(({ secret }) => secret));
    expect(secrets).toEqual(['rt beta']);
  }
});
