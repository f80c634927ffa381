/** The cache plugin with the real `@azure/msal-node` of each major. */
import { describe, expect, it } from 'vitest';
import { type CacheHandle, inMemory, SerializableTokenCache, TokenCache } from '../../src-main/index.ts';
import { acquireToken, msalCachePlugin } from '../../src-main/msal/index.ts';
import { memoryStore, partitionedCaches } from '../../src-main/partitions/index.ts';
import { APPS, entra, homeAccountId, PEOPLE } from '../vectors/make/stage.mjs';
import { application, MAJORS, now, SCOPES } from './applications.ts';

const { avery, quinn, zoe } = PEOPLE;
const token_endpoint = 'https://login.microsoftonline.com/contoso/oauth2/v2.0/token';

/** The same application, and a count of how often MSAL was given a document. */
function counted(app: ReturnType<typeof application>) {
  const cache = app.client.getTokenCache();
  const counts = { given: 0 };
  const deserialize = cache.deserialize.bind(cache);
  cache.deserialize = (text: string) => {
    if (text !== '') counts.given += 1;
    deserialize(text);
  };
  return counts;
}

const secretsOf = (cache: TokenCache, type: 'AccessToken' | 'RefreshToken', home: string) =>
  cache.find(type, { query: { home_account_id: home } }).map(({ secret }) => secret);

describe.each(MAJORS)('MSAL Node %i', (major) => {
  function pair() {
    const cache = new TokenCache();
    const handle = inMemory(cache);
    return {
      cache,
      handle,
      one: application(major, msalCachePlugin(handle)),
      other: application(major, msalCachePlugin(handle)),
    };
  }

  it('signs in, and another application sees the account and its token', async () => {
    const { cache, one, other } = pair();
    const { accessToken } = await one.signIn(avery);
    expect(cache.accounts().map(({ username }) => username)).toEqual([avery.username]);
    expect(await other.usernames()).toEqual([avery.username]);
    expect((await other.silent(avery)) === accessToken).toBe(true);
    expect(other.asked).toHaveLength(0);
  });

  it('saves what another user’s client gets while a refresh of this user is under way', async () => {
    const caches = partitionedCaches({ store: memoryStore(), sealingKeys: 'plain-text' });
    const [mine, theirs] = [caches.partition('mine'), caches.partition('theirs')];
    const [one, other] = [
      application(major, msalCachePlugin(mine)),
      application(major, msalCachePlugin(theirs)),
    ];
    await one.signIn(avery);
    await other.signIn(quinn);
    const rotated = entra(quinn, APPS.desk, now() + 5);
    one.response = async () => {
      // As a client assertion or a custom network client may do.
      other.response = rotated;
      await other.silent(quinn, true);
      return entra(avery, APPS.desk, now() + 5);
    };
    const [account] = await one.client.getTokenCache().getAllAccounts();
    const request = { account: account!, scopes: SCOPES, forceRefresh: true };
    await acquireToken(mine, one.client, APPS.desk.client_id, request);
    expect(await theirs.read((cache) => secretsOf(cache, 'RefreshToken', homeAccountId(quinn)))).toEqual([
      rotated.refresh_token,
    ]);
  });

  it('an account removed elsewhere is gone from its memory, and one signed in elsewhere is there', async () => {
    const { cache, one, other } = pair();
    await one.signIn(avery);
    await one.signIn(quinn);
    expect(await other.usernames()).toEqual([avery.username, quinn.username]);
    cache.signOut(homeAccountId(avery));
    expect(await other.usernames()).toEqual([quinn.username]);
    expect(await one.usernames()).toEqual([quinn.username]);
    await expect(one.silent(avery)).rejects.toThrow('not signed in');
    cache.signOut(homeAccountId(quinn));
    expect(await other.usernames()).toEqual([]);
    await other.signIn(zoe);
    expect(await one.usernames()).toEqual([zoe.username]);
  });

  it('nothing is deserialized where nothing has changed', async () => {
    const { cache, one, other } = pair();
    await one.signIn(avery);
    const counts = counted(other);
    await other.silent(avery);
    expect(counts.given).toBe(1);
    await other.silent(avery);
    await other.usernames();
    await other.silent(avery);
    expect(counts.given).toBe(1);
    cache.add({
      client_id: APPS.desk.client_id,
      scope: SCOPES,
      token_endpoint,
      response: entra(quinn, APPS.desk, now()),
    });
    expect(await other.usernames()).toEqual([avery.username, quinn.username]);
    expect(counts.given).toBe(2);
  });

  it('only what changed is written', async () => {
    const { cache, one } = pair();
    await one.signIn(avery);
    await one.signIn(quinn);
    const before = cache.find('AccessToken', { query: { home_account_id: homeAccountId(quinn) } });
    const written: string[] = [];
    cache.on('change', ({ entities }) => {
      for (const { type, after } of entities) written.push(`${type} ${String(after?.['home_account_id'])}`);
    });
    one.response = entra(avery, APPS.desk, now() + 5);
    await one.silent(avery, true);
    expect(new Set(written)).toEqual(
      new Set(['AccessToken', 'RefreshToken', 'IdToken'].map((type) => `${type} ${homeAccountId(avery)}`)),
    );
    expect(cache.find('AccessToken', { query: { home_account_id: homeAccountId(quinn) } })).toEqual(before);
  });

  it('nothing is written by listing accounts or by a token from the cache', async () => {
    const { cache, one, other } = pair();
    await one.signIn(avery);
    const { version } = cache;
    await other.usernames();
    await other.silent(avery);
    expect(cache.version).toBe(version);
  });

  it('a refresh replaces the tokens: one of each is left, for every application', async () => {
    const { cache, one, other } = pair();
    await one.signIn(avery);
    const response = entra(avery, APPS.desk, now() + 5);
    other.response = response;
    await other.silent(avery, true);
    const home = homeAccountId(avery);
    expect(secretsOf(cache, 'RefreshToken', home)).toHaveLength(1);
    expect(secretsOf(cache, 'RefreshToken', home)[0] === response.refresh_token).toBe(true);
    expect(secretsOf(cache, 'AccessToken', home)).toHaveLength(1);
    expect((await one.silent(avery)) === response.access_token).toBe(true);
    expect(one.asked).toHaveLength(1); // the sign-in
  });

  it('a new token does not inherit the early refresh of the one before', async () => {
    const { cache, one } = pair();
    await one.signIn(avery);
    one.response = { ...entra(avery, APPS.desk, now() + 5), refresh_in: 10 };
    await one.silent(avery, true);
    expect(cache.find('AccessToken')[0]).toHaveProperty('refresh_on');
    const plain = entra(avery, APPS.desk, now() + 10);
    Reflect.deleteProperty(plain, 'refresh_in');
    one.response = plain;
    await one.silent(avery, true);
    expect(cache.find('AccessToken')[0]?.['refresh_on']).toBeUndefined();
  });

  it('removeAccount signs out: nothing is left, whoever wrote it', async () => {
    const { cache, one } = pair();
    await one.signIn(avery);
    await one.signIn(quinn);
    // An entry of another app, under an alias, by another library.
    cache.add({
      client_id: APPS.mail.client_id,
      scope: SCOPES,
      token_endpoint,
      environment: 'sts.windows.net',
      response: entra(avery, APPS.mail, now(), { foci: '1' }),
    });
    const accounts = await one.client.getTokenCache().getAllAccounts();
    await one.client
      .getTokenCache()
      .removeAccount(accounts.find(({ username }) => username === avery.username)!);
    for (const type of ['AccessToken', 'RefreshToken', 'IdToken', 'Account'] as const) {
      expect(cache.find(type, { query: { home_account_id: homeAccountId(avery) } })).toEqual([]);
    }
    expect(await one.usernames()).toEqual([quinn.username]);
  });

  it('a refresh that ends after the sign-out does not bring the account back', async () => {
    const { cache, one } = pair();
    await one.signIn(avery);
    one.response = () => {
      cache.signOut(homeAccountId(avery));
      return entra(avery, APPS.desk, now() + 5);
    };
    await one.silent(avery, true);
    expect(cache.find('RefreshToken')).toEqual([]);
    expect(cache.find('AccessToken')).toEqual([]);
    expect(await one.usernames()).toEqual([]);
  });

  it('two that refresh two accounts at the same time lose nothing', async () => {
    const { cache, one } = pair();
    const people = [avery, quinn, zoe];
    for (const person of people) await one.signIn(person);
    const given = people.map((person) => entra(person, APPS.desk, now() + 5));
    // A request with a user's refresh token gets that user's response.
    one.response = () => {
      const token = one.asked.at(-1)?.get('refresh_token');
      const index = people.findIndex(
        (person) => secretsOf(cache, 'RefreshToken', homeAccountId(person))[0] === token,
      );
      return given[index]!;
    };
    await Promise.all(
      people.flatMap((person) => [one.silent(person, true), one.usernames(), one.silent(person)]),
    );
    for (const [index, person] of people.entries()) {
      expect(secretsOf(cache, 'RefreshToken', homeAccountId(person))[0] === given[index]!.refresh_token).toBe(
        true,
      );
    }
    expect(await one.usernames()).toEqual(people.map(({ username }) => username).sort());
  });

  it('what could not be saved stays in its memory, and is saved with the next write', async () => {
    const cache = new TokenCache();
    const kept = inMemory(cache);
    let full = false;
    const handle: CacheHandle = {
      ...kept,
      update: (fn) => (full ? Promise.reject(new Error('disk full')) : kept.update(fn)),
    };
    const one = application(major, msalCachePlugin(handle));
    await one.signIn(avery);
    full = true;
    const unsaved = entra(avery, APPS.desk, now() + 5);
    one.response = unsaved;
    await expect(one.silent(avery, true)).rejects.toThrow('disk full');
    expect((await one.silent(avery)) === unsaved.access_token).toBe(true);
    full = false;
    await one.signIn(quinn);
    expect(secretsOf(cache, 'RefreshToken', homeAccountId(avery))[0] === unsaved.refresh_token).toBe(true);
    expect(await one.usernames()).toEqual([avery.username, quinn.username]);
  });

  it('unknown fields of what it did not change survive', async () => {
    const cache = new SerializableTokenCache();
    const writer = application(major, msalCachePlugin(inMemory(cache)));
    await writer.signIn(avery);
    const [account] = cache.find('Account');
    cache.modify('Account', account!, { wam_account_ids: { desk: 'S::1' } });
    writer.response = entra(avery, APPS.desk, now() + 5);
    await writer.silent(avery, true);
    expect(cache.find('Account')[0]).toHaveProperty('wam_account_ids', { desk: 'S::1' });
  });
});
