/** Two users with the same id, told apart by their issuers, in a window. */
import { expect, test } from 'vitest';
import { TokenCache } from '../../src-main/cache/token-cache.ts';
import { jwt } from '../cache/events.ts';
import { windowOver } from './window.ts';

const W = 'the window';

test.each([
  ['https://sso.example/realms/alpha', 'https://sso.example/realms/beta'],
  ['https://sso.example:8443/alpha', 'https://sso.example:8443/beta'],
])('%s and %s: each is listed, revealed, copied and signed out alone', async (...issuers) => {
  const cache = new TokenCache();
  for (const issuer of issuers)
    cache.add({
      client_id: 'app',
      scope: ['read'],
      token_endpoint: `${issuer}/token`,
      grant_type: 'authorization_code',
      response: {
        access_token: `at ${issuer}`,
        refresh_token: `rt ${issuer}`,
        id_token: jwt({ iss: issuer, sub: '5' }),
        expires_in: 300,
      },
    });
  const { ask, copied } = windowOver(cache);
  const { accounts } = await ask.accounts(W);
  expect(accounts.map(({ issuer }) => issuer)).toEqual(issuers);
  expect(new Set(accounts.map(({ id }) => id)).size).toBe(2);
  const ids = new Set<string>();
  for (const { id, issuer } of accounts) {
    const tokens = await ask.tokens(W, id);
    for (const token of tokens) ids.add(token.id);
    expect(await ask.reveal(W, tokens[0]!.id)).toBe(`at ${issuer}`);
    await ask.copy(W, tokens[1]!.id);
    expect(copied.at(-1)).toBe(`rt ${issuer}`);
    expect(await ask.removalCount(W, [id])).toMatchObject({ AccessToken: 1, RefreshToken: 1, Account: 1 });
  }
  expect(ids.size).toBe(6);
  await ask.signOut(W, [accounts[0]!.id]);
  expect((await ask.accounts(W)).accounts.map(({ id }) => id)).toEqual([accounts[1]!.id]);
  expect(cache.find('RefreshToken').map(({ secret }) => secret)).toEqual([`rt ${issuers[1]}`]);
});
