// The list of accounts as a window gets it, from the index of a vault: no account is opened for it.
import fc from '../support/fast-check.ts';
import { describe, expect, test } from 'vitest';
import { Entry } from '../../src-main/cache/entry.ts';
import { hashText } from '../../src-main/cache/schema/match.ts';
import { storeOf, type TokenCache } from '../../src-main/cache/token-cache.ts';
import { accountList, search } from '../../src-main/ipc/account-views.ts';
import type { AccountList } from '../../src-main/ipc/contract.ts';
import { cachedAccounts, findAccount } from '../../src-main/accounts/cached-accounts.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import { Scene } from '../vault/fakes.ts';
import { homeOf, signIn } from '../vault/people.ts';

const NOW = 1_780_000_500;

const deferredIn = (vault: Vault): Promise<string[]> =>
  vault.read((cache) => [...storeOf(cache).deferred.keys()]);

const listOf = async (vault: Vault) => accountList(await vault.read((cache) => cache), NOW);

/** The list from the index, and the list after every account was read. */
async function bothLists(fill: (cache: TokenCache) => void) {
  const scene = new Scene();
  const first = await scene.open();
  await first.update(fill);
  await first.compact();
  await first.close();
  const [vault, other] = [await scene.open(), await scene.open()];
  const indexed = await listOf(vault);
  const unread = await deferredIn(vault);
  await other.read((cache) => cache.find('AccessToken'));
  expect(await deferredIn(other)).toEqual([]);
  const read = await listOf(other);
  await vault.close();
  await other.close();
  return { indexed: inOrder(indexed), read: inOrder(read), unread };
}

/** Sorts by id: in memory, accounts without an entity are listed last; the index lists them in their place. */
function inOrder(list: AccountList): AccountList {
  return { ...list, accounts: list.accounts.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
}

function grant(cache: TokenCache, user: string, label: string, expires_on?: number): void {
  const issuer = 'https://login.microsoftonline.com/tenant/v2.0';
  const item = {
    home_account_id: homeOf(user),
    environment: 'login.microsoftonline.com',
    authority: issuer,
    client_id: 'granted',
    label,
    holds: 'access_token refresh_token',
    cached_at: '1780000100',
    ...(expires_on === undefined ? {} : { expires_on: String(expires_on) }),
    secret: JSON.stringify({ v: 1, grant: {} }),
  };
  storeOf(cache).run(() => storeOf(cache).put(Entry.of('TokenkeepGrant', label, item)));
}

test('is the same as after reading every account, and reads none', async () => {
  const { indexed, read, unread } = await bothLists((cache) => {
    for (const user of ['ada', 'ben', 'cas']) signIn(cache, user);
    grant(cache, 'ada', 'one label', NOW + 60);
    grant(cache, 'eve', 'another');
  });
  expect(unread).toEqual(['ada', 'ben', 'cas', 'eve'].map(homeOf));
  expect(indexed).toEqual(read);
  expect(indexed.totals).toEqual({ accounts: 4, apps: 0, tokens: 13, notUnderstood: 0 });
});

type Odd =
  | 'refused'
  | 'orphan'
  | 'elsewhere'
  | 'no name'
  | 'expired'
  | 'unknown'
  | 'broken'
  | 'future'
  | 'grant';
const ODD: readonly Odd[] = [
  'refused',
  'orphan',
  'elsewhere',
  'no name',
  'expired',
  'unknown',
  'broken',
  'future',
  'grant',
];

/** Makes an account of a kind that the index might get wrong. */
function make(cache: TokenCache, user: string, odd: Odd): void {
  const store = storeOf(cache);
  const query = { home_account_id: homeOf(user) };
  signIn(cache, user);
  const [access] = cache.find('AccessToken', { query });
  const [refresh] = cache.find('RefreshToken', { query });
  const [account] = cache.find('Account', { query });
  if (access === undefined || refresh === undefined || account === undefined)
    throw new TypeError('no tokens');
  if (odd === 'refused') {
    const refusals = [{ client_id: refresh.client_id, secret: hashText(refresh.secret) }];
    cache.modify('RefreshToken', refresh, { refusals });
  } else if (odd === 'orphan') cache.modify('Account', account, null);
  else if (odd === 'elsewhere') {
    const moved = {
      ...access,
      environment: 'login.elsewhere.example',
      issuer: 'https://login.elsewhere.example',
    };
    store.run(() => store.put(Entry.of('AccessToken', `${homeOf(user)}-elsewhere`, moved)));
  } else if (odd === 'no name') cache.modify('Account', account, { username: '' });
  else if (odd === 'expired') cache.modify('AccessToken', access, { expires_on: String(NOW - 5) });
  else if (odd === 'unknown') cache.modify('AccessToken', access, { unknown_expiry: access.expires_on });
  else if (odd === 'broken')
    store.run(() => store.put(Entry.of('IdToken', `${homeOf(user)}-x`, { ...query, odd })));
  else if (odd === 'future') cache.modify('AccessToken', access, { cached_at: String(NOW + 999) });
  else grant(cache, user, `${user} label`, NOW - 7);
}

test('is the same whatever the accounts are like', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...ODD), { maxLength: 6 }), async (odds) => {
      const { indexed, read } = await bothLists((cache) =>
        odds.forEach((odd, n) => make(cache, `u${n}`, odd)),
      );
      expect(indexed).toEqual(read);
    }),
    { numRuns: 25 },
  );
});

describe('an account of the list', () => {
  async function opened(): Promise<{ vault: Vault; scene: Scene }> {
    const scene = new Scene();
    const vault = await scene.open();
    await vault.update((cache) => ['ada', 'ben'].forEach((user) => signIn(cache, user)));
    await vault.close();
    return { scene, vault: await scene.open() };
  }

  test('is read when its tokens are asked for, and no other', async () => {
    const { vault } = await opened();
    const [first] = (await listOf(vault)).accounts;
    const tokens = await vault.read((cache) => findAccount(cache, first?.id ?? '').refreshTokens);
    expect(tokens).toHaveLength(1);
    expect(await deferredIn(vault)).toEqual([homeOf('ben')]);
  });

  test('has the tokens that it was listed with, also after it was signed out', async () => {
    const { vault } = await opened();
    const listed = await vault.read((cache) => [...cachedAccounts(cache).byId.values()]);
    await vault.signOut(homeOf('ada'));
    expect(listed.map(({ refreshTokens }) => refreshTokens[0]?.secret)).toEqual([
      'refresh secret of ada',
      'refresh secret of ben',
    ]);
  });

  test('is found by a search for a claim in one of its tokens', async () => {
    const { vault } = await opened();
    const accounts = await vault.read(cachedAccounts);
    expect(await search(accounts.byId, 'ben@contoso')).toHaveLength(1);
  });
});

test('a grant is found by its key, and only its account is read', async () => {
  const scene = new Scene();
  const first = await scene.open();
  await first.update((cache) => {
    for (const user of ['ada', 'ben']) grant(cache, user, `${user} label`);
    signIn(cache, 'cas');
  });
  await first.compact();
  const vault = await scene.open();
  expect(await deferredIn(vault)).toHaveLength(3);
  await vault.read((cache) => expect(storeOf(cache).entry('TokenkeepGrant', 'ben label')).toBeDefined());
  expect(await deferredIn(vault)).toEqual([homeOf('ada'), homeOf('cas')].toSorted());
  await vault.read((cache) => expect([...storeOf(cache).entries('TokenkeepGrant')]).toHaveLength(2));
  expect(await deferredIn(vault)).toEqual([homeOf('cas')]);
});
