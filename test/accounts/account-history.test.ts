import { describe, expect, test } from 'vitest';
import {
  changeHistory,
  dropHistoriesOfRemoved,
  dropOldHistories,
  historyOf,
  mergeAsImport,
  mergeAsImportInTurns,
  storedHistories,
} from '../../src-main/accounts/account-history.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import type { Change } from '../../src-main/cache/entry.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';
import { ENTITY_TYPES } from '../../src-main/cache/schema/entities.ts';
import { cacheOf, storeOf, TokenCache, transact } from '../../src-main/cache/token-cache.ts';
import fc from '../support/fast-check.ts';
import { homeOf, signIn } from '../vault/people.ts';

test('a history is stored without what an empty one says anyway, and read with it', () => {
  const cache = new TokenCache();
  signIn(cache, 'ada');
  const [id = ''] = cachedAccounts(cache).byId.keys();
  const refusal = { reason: 'revoked', at: 5, code: 'invalid_grant' } as const;
  changeHistory(cache, id, { source: '/tmp/cache.json', shared: true, sharedGrants: [], refusal });
  changeHistory(cache, id, { refusal: null, shared: true });
  expect(Object.fromEntries(storedHistories(cache))).toEqual({
    [id]: { source: '/tmp/cache.json', shared: true },
  });
  expect(historyOf(cache, id)).toEqual({
    refusal: null,
    source: '/tmp/cache.json',
    shared: true,
    ownClients: [],
    sharedGrants: [],
    issuers: {},
    signatures: {},
  });
});

describe('a change that removes accounts', () => {
  const ISSUER = 'https://id.example/alpha';

  /** A token of a user who has no account entity. */
  function tokenOfDan(target: string, issuer?: string): Record<string, unknown> {
    const fields = {
      home_account_id: 'dan',
      environment: 'id.example',
      client_id: 'app',
      realm: 'alpha',
      target,
    };
    const times = { cached_at: '1000', expires_on: '99999999999' };
    const token = { ...fields, ...times, credential_type: 'AccessToken', secret: target, issuer };
    return { [`dan-id.example-accesstoken-app-alpha-${target}`]: token };
  }

  /**
   * Users of one ID at two issuers and at one that is not named, one whose tokens name an issuer or none, other users, and two apps, each
   * with a history.
   */
  function filled(): TokenCache {
    const cache = new SerializableTokenCache();
    cache.deserialize(
      JSON.stringify({ AccessToken: { ...tokenOfDan('one'), ...tokenOfDan('two', ISSUER) } }),
    );
    for (const user of ['ada', 'ben']) signIn(cache, user);
    for (const issuer of ['https://id.example/alpha', 'https://id.example/beta']) {
      cache.add(tokenResponse({ issuer }));
      cache.add(tokenResponse({ issuer, username: 'cas@contoso.example' }));
    }
    for (const client_id of ['one', 'two']) {
      const token_endpoint = 'https://login.microsoftonline.com/contoso/oauth2/v2.0/token';
      const response = { access_token: client_id, token_type: 'Bearer', expires_in: 3600 };
      cache.add({ client_id, scope: ['a'], token_endpoint, grant_type: 'client_credentials', response });
    }
    for (const id of cachedAccounts(cache).byId.keys()) changeHistory(cache, id, { shared: true });
    return cache;
  }

  test('drops the histories that a search in all accounts finds, whatever it removes', () => {
    const whole = filled();
    expect([...storedHistories(whole)]).toHaveLength(9);
    const count = ENTITY_TYPES.reduce((sum, type) => sum + whole.find(type).length, 0);
    const indices = fc.array(fc.nat(count - 1), { maxLength: count });
    fc.assert(
      fc.property(indices, fc.constantFrom('', 'ada', 'zoe'), (removed, arriving) => {
        const changed = (): [TokenCache, readonly Change[]] => {
          const one = filled();
          const entities = ENTITY_TYPES.flatMap((type) => one.find(type).map((entity) => ({ type, entity })));
          const { changes } = transact(one, () => {
            for (const at of removed) {
              const { type = 'Account', entity } = entities[at] ?? {};
              if (entity !== undefined) one.modify(type, entity, null);
            }
            if (arriving !== '') signIn(one, arriving);
          });
          return [one, changes];
        };
        const [searched] = changed();
        dropOldHistories(searched);
        const [cache, changes] = changed();
        dropHistoriesOfRemoved(cache, changes);
        expect(storedHistories(cache)).toEqual(storedHistories(searched));
      }),
      { numRuns: 20 },
    );
  });

  test('reads no account of a vault that it does not remove', () => {
    const whole = filled();
    const store = storeOf(whole);
    const cache = cacheOf(store.all().filter(({ account }) => account !== homeOf('ben')));
    storeOf(cache).defer({
      account: homeOf('ben'),
      size: 1,
      notUnderstood: 0,
      grants: [],
      users: [],
      outline: null, // A list has to read the account.
      read: () => {
        throw new Error('It was read.');
      },
    });
    const { changes } = transact(cache, () => cache.signOut(homeOf('ada')));
    const before = [...storedHistories(cache)];
    dropHistoriesOfRemoved(cache, changes);
    expect([...storedHistories(cache)]).toHaveLength(before.length - 1);
  });
});

test('an import pauses after each account, and does what it does in one turn', async () => {
  const now = Math.floor(Date.now() / 1000);
  const clock = { now: () => now }; // a token of the next second is a newer one
  const document = new SerializableTokenCache(clock);
  const names = ['ada', 'ben', 'cas', 'dee'];
  for (const name of names) signIn(document, name);
  document.deserialize(JSON.stringify({ ...(JSON.parse(document.serialize()) as object), odd: [1] }));
  const [atOnce, inTurns] = [new TokenCache(clock), new TokenCache(clock)];
  for (const cache of [atOnce, inTurns]) signIn(cache, 'ben', 'older');
  const seen: number[] = [];
  const pause = async (): Promise<void> => {
    seen.push(inTurns.accounts().length);
    await Promise.resolve();
  };
  const counts = await mergeAsImportInTurns(inTurns, document, '/tmp/cache.json', pause);
  expect(seen.length).toBeGreaterThan(names.length);
  expect(new Set(seen)).toEqual(new Set([1, 2, 3, 4]));
  expect(counts).toEqual(mergeAsImport(atOnce, document, '/tmp/cache.json'));
  expect(counts.accounts).toMatchObject({ added: 3, known: 1 });
  const contents = (cache: TokenCache) =>
    storeOf(cache)
      .all()
      .map(({ section, key, value }) => JSON.stringify([section, key, value]));
  expect(contents(inTurns)).toEqual(contents(atOnce));
  expect(contents(inTurns).some((text) => text.includes('odd'))).toBe(true);
});
