// [Note: refused once] One refresh token that is stored for several scopes.
import { expect, test } from 'vitest';
import { acquireTokenSilent } from '../../src-main/cache/acquire.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { type CacheHandle, inMemory } from '../../src-main/cache/handle.ts';
import type { Redeem } from '../../src-main/cache/index.ts';
import { jwt } from './events.ts';

const REQUEST = { client_id: 'app', home_account_id: 'ada', environment: 'id.example', scopes: ['x'] };
const ACCOUNT = { home_account_id: 'ada', environment: 'id.example', realm: '', authority_type: 'Generic' };

function cacheOfTwo(): SerializableTokenCache {
  const token = { ...REQUEST, scopes: undefined, credential_type: 'RefreshToken', secret: 'one' };
  const RefreshToken = { a: { ...token, target: 'x' }, b: { ...token, target: 'y' } };
  const cache = new SerializableTokenCache({ now: () => 2000 });
  const Account = { u: { ...ACCOUNT, local_account_id: 'ada', username: 'ada' } };
  cache.deserialize(JSON.stringify({ RefreshToken, Account }));
  return cache;
}

/** Asks three times, and returns the refresh tokens that were sent. */
async function sentBy(handle: CacheHandle, redeem: Redeem): Promise<string[]> {
  const sent: string[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const asked: Redeem = (token, ...rest) => {
      sent.push(token.secret);
      return redeem(token, ...rest);
    };
    await expect(acquireTokenSilent(handle, REQUEST, asked, () => 2000)).rejects.toThrow(Error);
  }
  return sent;
}

const REFUSED: Redeem = () => Promise.reject(Object.assign(new Error('refused'), { error: 'invalid_grant' }));
const OF_EVE: Redeem = () =>
  Promise.resolve({
    token_endpoint: 'https://id.example/token',
    response: {
      access_token: 'a',
      refresh_token: 'two',
      expires_in: 3600,
      id_token: jwt({ iss: 'https://id.example', sub: 'eve' }),
    },
  });

test.each([
  ['is refused', REFUSED],
  ['yields another user’s tokens', OF_EVE],
])('a refresh token that %s is sent once, and each entry of it is marked once', async (_what, redeem) => {
  const cache = cacheOfTwo();
  expect(await sentBy(inMemory(cache), redeem)).toEqual(['one']);
  const marks = cache.find('RefreshToken').map(({ refusals }) => (refusals as unknown[]).length);
  expect(marks).toEqual([1, 1]);
});

test('so it is where the refusal can’t be stored', async () => {
  const handle = inMemory(cacheOfTwo());
  const unwritable: CacheHandle = { ...handle, update: () => Promise.reject(new Error('read-only')) };
  expect(await sentBy(unwritable, REFUSED)).toEqual(['one']);
});

test('a token that fails for another reason is sent once in each turn', async () => {
  const failing: Redeem = () => Promise.reject(new Error('offline'));
  expect(await sentBy(inMemory(cacheOfTwo()), failing)).toEqual(['one', 'one', 'one']);
});
