/** Grants in the window and in the command, beside MSAL's tokens. */
import { expect, it } from 'vitest';
import { inMemory, TokenCache } from '../../src-main/index.ts';
import { peopleIn, VAULT } from '../../src-main/cli/people.ts';
import { openGrants } from '../../src-main/oauth/index.ts';
import { jwt, signIn } from '../cache/events.ts';
import { windowOver } from '../ipc/window.ts';

const W = 'the window';
const ISSUER = 'https://id.example/realms/main';
const START = Date.UTC(2026, 5, 1, 12, 30) / 1000;

const GRANT = {
  tokens: {
    access_token: jwt({ aud: 'https://api.example', n: 1 }),
    refresh_token: 'rt-secret',
    id_token: jwt({ iss: ISSUER, sub: 'ada', preferred_username: 'ada@id.example', name: 'Ada' }),
    expires_in: 300,
    scope: 'files.read',
  },
  client: { client_id: 'dyn', client_secret: 'client-secret' },
  keys: { dpop: { kty: 'EC', d: 'key-secret' } },
};

async function stage() {
  const cache = new TokenCache({ now: () => START });
  const grants = openGrants(inMemory(cache), { issuer: ISSUER, client_id: 'my-app', now: () => START });
  await grants.add('work', GRANT);
  cache.add(signIn());
  return { cache, grants, ...windowOver(cache) };
}

it('lists the account with its tokens, and no secret', async () => {
  const { ask } = await stage();
  const list = await ask.accounts(W);
  expect(list.totals).toMatchObject({ accounts: 2, tokens: 6, notUnderstood: 0 });
  const account = list.accounts.find(({ home_account_id }) => home_account_id === 'ada')!;
  expect(account).toMatchObject({
    kind: 'user',
    issuer: ISSUER,
    username: 'ada@id.example',
    name: 'Ada',
    authority_type: 'OAuth',
    clients: ['my-app'],
    tokens: { AccessToken: 1, RefreshToken: 1, IdToken: 1 },
    status: { state: 'renews', activeUntil: START + 300 },
    nextExpiry: START + 300,
    since: START,
  });
  const tokens = await ask.tokens(W, account.id);
  expect(
    tokens.map(({ type, client_id, scopes, audience, expires_on }) => [
      type,
      client_id,
      scopes,
      audience,
      expires_on,
    ]),
  ).toEqual([
    ['AccessToken', 'my-app', ['files.read'], 'https://api.example', START + 300],
    ['RefreshToken', 'my-app', ['files.read'], null, null],
    ['IdToken', 'my-app', ['files.read'], 'my-app', null],
  ]);
  expect(await ask.search(W, 'ada my-app')).toEqual([account.id]);
  const decoded = [];
  for (const { id } of tokens) decoded.push(await ask.claims(W, id));
  const seen = JSON.stringify([list, tokens, decoded]);
  for (const secret of ['rt-secret', 'client-secret', 'key-secret', GRANT.tokens.access_token])
    expect(seen).not.toContain(secret);
});

it('reveals and copies one token, once the user agrees, and nothing beside it', async () => {
  const { ask, copied, user } = await stage();
  const { accounts } = await ask.accounts(W);
  const [access, refresh] = await ask.tokens(
    W,
    accounts.find(({ home_account_id }) => home_account_id === 'ada')!.id,
  );
  expect(await ask.reveal(W, refresh!.id)).toBe('rt-secret');
  await ask.copy(W, access!.id, 'header');
  expect(copied).toEqual([`Authorization: Bearer ${GRANT.tokens.access_token}`]);
  user.agrees = false;
  expect(await ask.reveal(W, access!.id)).toBeNull();
});

it('signs out the account with its grants, and counts them', async () => {
  const { ask, grants, cache } = await stage();
  const { accounts } = await ask.accounts(W);
  const { id } = accounts.find(({ home_account_id }) => home_account_id === 'ada')!;
  expect(await ask.removalCount(W, [id])).toMatchObject({ grants: 1, AccessToken: 0 });
  expect(await ask.removalCount(W, null)).toMatchObject({ grants: 1, AccessToken: 1 });
  expect(await ask.signOut(W, [id])).toMatchObject([{ removed: { grants: 1 }, remaining: 0 }]);
  expect(await grants.list()).toEqual([]);
  expect(cache.accounts()).toHaveLength(1);
});

it('says that the user must sign in where the provider refused', async () => {
  const { ask, grants } = await stage();
  await grants
    .fresh('work', () => Promise.reject(Object.assign(new Error(), { error: 'invalid_grant' })), {
      minLifetime: 1e6,
    })
    .catch(() => undefined);
  const { accounts } = await ask.accounts(W);
  expect(accounts.find(({ home_account_id }) => home_account_id === 'ada')?.status).toMatchObject({
    state: 'needs-sign-in',
    reason: 'refused',
    code: 'invalid_grant',
  });
});

it('a grant without tokens, or of unknown lifetime, is an account too', async () => {
  const { ask, grants } = await stage();
  await grants.add('server', { client: { client_id: 'dyn', client_secret: 'client-secret' } });
  await grants.add('forever', { tokens: { access_token: 'opaque' } });
  const { accounts } = await ask.accounts(W);
  expect(
    accounts
      .filter(({ authority_type }) => authority_type === 'OAuth')
      .map(({ username, status, kind }) => [username, status.state, kind]),
  ).toEqual([
    ['ada@id.example', 'renews', 'user'],
    ['server', 'unknown', 'user'],
    ['forever', 'unknown', 'user'],
  ]);
});

it('the command lists them too', async () => {
  const { cache } = await stage();
  const people = peopleIn([{ name: VAULT, cache, accounts: cache.accounts() }], START);
  const ada = people.find(({ account }) => account.home_account_id === 'ada')!;
  expect(ada.tokens.map(({ type }) => type)).toEqual(['access', 'refresh', 'ID']);
  expect(ada.status).toEqual({ is: 'Active' });
});
