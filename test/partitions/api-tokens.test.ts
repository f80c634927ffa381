/** Tokens that an API gets: for the app, on behalf of a caller, and by sign-ins whose user is known only afterwards. */
import { ConfidentialClientApplication } from '@azure/msal-node';
import { describe, expect, it } from 'vitest';
import type { CacheHandle } from '../../src-main/cache/handle.ts';
import { msalCachePlugin } from '../../src-main/msal/index.ts';
import { userOfAssertion } from '../../src-main/partitions/api-tokens.ts';
import { type AskTokenEndpoint, memoryStore, type TokenParameters } from '../../src-main/partitions/index.ts';
import { base64url } from '../cache/events.ts';
import { caches, namesIn, observed, signIn } from './people.ts';

const token_endpoint = 'https://login.microsoftonline.com/tenant/oauth2/v2.0/token';
const app = { client_id: 'my_client_id', realm: 'tenant', scopes: 'https://graph.microsoft.com/.default' };

/** A provider that numbers its tokens and answers after a delay. */
function provider(more: (parameters: TokenParameters) => object | undefined = () => ({})) {
  const asked: TokenParameters[] = [];
  const ask: AskTokenEndpoint = async (parameters) => {
    asked.push(parameters);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const response = {
      token_type: 'Bearer',
      expires_in: 3600,
      access_token: `AT ${asked.length}`,
      ...more(parameters),
    };
    return { token_endpoint, response };
  };
  return { asked, ask };
}

const assertionOf = (uid: string, jti = '1') =>
  `${base64url({ alg: 'RS256' })}.${base64url({ iss: 'https://id.example', oid: uid, tid: 'tenant', jti })}.signature`;

const user = (uid: string) => ({
  refresh_token: `RT of ${uid}`,
  client_info: base64url({ uid, utid: 'tenant' }),
  id_token: `${base64url({ alg: 'none' })}.${base64url({ oid: uid, sub: uid, tid: 'tenant', preferred_username: uid })}.`,
});

describe('tokens of the app', () => {
  it('thirty cold callers on two servers cause one request, and later ones none', async () => {
    const [store, { ask, asked }] = [memoryStore(), provider()];
    const servers = [caches({ store }), caches({ store })];
    const tokens = await Promise.all(
      Array.from({ length: 30 }, (_, index) => servers[index % 2]!.acquireForApp(app, ask)),
    );
    expect(new Set(tokens.map(({ secret }) => secret))).toEqual(new Set(['AT 1']));
    expect(asked).toEqual([{ grant_type: 'client_credentials', scope: app.scopes }]);
    expect((await servers[0]!.acquireForApp(app, ask)).secret).toBe('AT 1');
    expect((await servers[1]!.acquireForApp({ ...app, forceRefresh: true }, ask)).secret).toBe('AT 2');
    expect((await servers[0]!.acquireForApp(app, ask)).secret).toBe('AT 2');
    expect(asked).toHaveLength(2);
  });

  it('hundreds of tenants have a token each', async () => {
    const [all, { ask, asked }] = [caches(), provider(({ scope }) => ({ access_token: `AT for ${scope}` }))];
    const tenants = Array.from({ length: 300 }, (_, index) => ({
      ...app,
      realm: `t${index}`,
      scopes: `s${index}`,
    }));
    for (let turn = 0; turn < 2; turn += 1)
      for (const [index, token] of (
        await Promise.all(tenants.map((one) => all.acquireForApp(one, ask)))
      ).entries())
        expect(token).toMatchObject({ secret: `AT for s${index}`, realm: `t${index}` });
    expect(asked).toHaveLength(300);
  });

  it('client IDs that differ only in case are two apps (RFC 6749 §2.2)', async () => {
    const [all, { ask, asked }] = [caches(), provider()];
    const ids = ['app', 'App'];
    for (const client_id of ids) await all.acquireForApp({ ...app, client_id }, ask);
    for (const [index, client_id] of ids.entries())
      expect(await all.acquireForApp({ ...app, client_id }, ask)).toMatchObject({
        client_id,
        secret: `AT ${index + 1}`,
      });
    expect(asked).toHaveLength(2);
  });

  it('an early refresh that fails returns the token that is still valid', async () => {
    const all = caches();
    await all.acquireForApp(app, provider(() => ({ refresh_in: 0 })).ask);
    const broken: AskTokenEndpoint = () => Promise.reject(new Error('down'));
    expect((await all.acquireForApp(app, broken)).secret).toBe('AT 1');
    await expect(all.acquireForApp({ ...app, scopes: 'other' }, broken)).rejects.toThrow('down');
  });

  it.each([
    [{ scopes: [] }, 'scopes'],
    [{ realm: '' }, 'realm'],
    [{ client_id: '' }, 'client_id'],
  ])('%j is refused by name', async (wrong, field) => {
    const { ask, asked } = provider();
    await expect(caches().acquireForApp({ ...app, ...wrong }, ask)).rejects.toMatchObject({ field });
    expect(asked).toEqual([]);
  });
});

describe('on behalf of a user', () => {
  const request = (assertion: string, more: object = {}) => ({
    ...{ client_id: 'my_client_id', assertion, scopes: ['orders.read'] },
    ...more,
  });

  it('one request for an assertion; another user, another assertion and other scopes ask again', async () => {
    const { ask, asked } = provider(({ assertion = '' }) =>
      user(assertion.includes(assertionOf('piet').split('.')[1]!) ? 'piet' : 'noor'),
    );
    const back = observed();
    const all = caches({ store: back.store });
    const noor = request(assertionOf('noor'));
    const tokens = await Promise.all(Array.from({ length: 10 }, () => all.acquireOnBehalfOf(noor, ask)));
    expect(new Set(tokens.map(({ secret }) => secret))).toEqual(new Set(['AT 1']));
    back.counts.read = 0;
    expect((await all.acquireOnBehalfOf(noor, ask)).secret).toBe('AT 1');
    expect(back.counts.read).toBe(1);
    expect((await all.acquireOnBehalfOf(request(assertionOf('piet')), ask)).secret).toBe('AT 2');
    expect((await all.acquireOnBehalfOf(request(assertionOf('noor', '2')), ask)).secret).toBe('AT 3');
    expect(
      (await all.acquireOnBehalfOf(request(assertionOf('noor'), { scopes: ['mail.read'] }), ask)).secret,
    ).toBe('AT 4');
    expect((await all.acquireOnBehalfOf(noor, ask)).secret).toBe('AT 1');
    expect(asked[0]).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: assertionOf('noor'),
      requested_token_use: 'on_behalf_of',
      scope: 'orders.read',
    });
  });

  it('returns the token with which another server replaced it, where a store has no leases', async () => {
    const { leases: _leases, ...shared } = memoryStore();
    const [mine, theirs] = [
      provider(() => user('noor')),
      provider(() => ({ ...user('noor'), access_token: 'theirs' })),
    ];
    const another = caches({ store: shared });
    let isFirst = true;
    const all = caches({
      store: {
        ...shared,
        write: async (...call) => {
          const isWritten = await shared.write(...call);
          const wasFirst = isFirst;
          isFirst = false;
          if (wasFirst) await another.acquireOnBehalfOf({ ...noor, forceRefresh: true }, theirs.ask);
          return isWritten;
        },
      },
    });
    const noor = request(assertionOf('noor'));
    expect((await all.acquireOnBehalfOf(noor, mine.ask)).secret).toBe('theirs');
    expect([mine.asked.length, theirs.asked.length]).toEqual([1, 1]);
  });

  it('keeps the tokens of clients apart whose IDs differ only in case', async () => {
    const [all, { ask, asked }] = [caches(), provider(() => user('noor'))];
    for (const client_id of ['app', 'App'])
      expect(await all.acquireOnBehalfOf(request(assertionOf('noor'), { client_id }), ask)).toMatchObject({
        client_id,
      });
    expect(asked.map(({ grant_type }) => grant_type)).not.toContain('refresh_token');
    expect(asked).toHaveLength(2);
  });

  it('finds nothing for a forged assertion of the same user', async () => {
    const { ask } = provider(() => user('noor'));
    const all = caches();
    await all.acquireOnBehalfOf(request(assertionOf('noor')), ask);
    const refuse: AskTokenEndpoint = () =>
      Promise.resolve({
        token_endpoint,
        response: { error: 'invalid_grant', claims: '{"access_token":{}}' },
      });
    const forged = request(`${assertionOf('noor')}x`);
    await expect(all.acquireOnBehalfOf(forged, refuse)).rejects.toMatchObject({
      code: 'sign_in_required',
      cause: { claims: '{"access_token":{}}' },
    });
  });

  it.each(['interaction_required', 'consent_required', 'login_required', 'invalid_grant'])(
    '%s: the caller gets the claims, returned or thrown, and only a refused refresh token is dropped',
    async (error) => {
      const claims = '{"access_token":{}}';
      let time = 1_800_000_000;
      let fails = false;
      const { ask, asked } = provider(({ grant_type }) => {
        if (!fails) return user('noor');
        // An assertion that has expired says less than the refresh token.
        if (grant_type !== 'refresh_token') return { error: 'invalid_grant', access_token: undefined };
        return { error, claims, access_token: undefined };
      });
      const all = caches({ now: () => time });
      const job = request(assertionOf('noor'));
      await all.acquireOnBehalfOf(job, ask);
      time += 7200;
      fails = true;
      const refused = { code: 'sign_in_required', reason: error, cause: { claims } };
      await expect(all.acquireOnBehalfOf(job, ask)).rejects.toMatchObject(refused);
      fails = false;
      await all.acquireOnBehalfOf(job, ask);
      expect(asked.at(-1)?.['refresh_token']).toBe(error === 'invalid_grant' ? undefined : 'RT of noor');
      const thrown = Object.assign(new Error('MSAL'), { errorCode: error, claims });
      const other = request(assertionOf('piet'));
      await expect(all.acquireOnBehalfOf(other, () => Promise.reject(thrown))).rejects.toMatchObject({
        ...refused,
        cause: thrown,
      });
    },
  );

  it.each(['invalid_client', 'unauthorized_client', 'server_error', 'temporarily_unavailable'])(
    '%s is nothing that the user or the caller can change',
    async (error) => {
      const { ask } = provider(() => ({ error, access_token: undefined }));
      const job = caches().acquireOnBehalfOf(request(assertionOf('noor')), ask);
      const failed: unknown = await job.catch((failure: unknown) => failure);
      expect(failed).toMatchObject({ error, message: expect.stringContaining(error) as string });
      expect(failed).not.toHaveProperty('code');
      await expect(caches().acquireForApp(app, ask)).rejects.toMatchObject({ error });
    },
  );

  it("invalid_scope is the app's mistake, unless the refresh token alone is for fewer scopes", async () => {
    let time = 1_800_000_000;
    const failing = (error: string) => ({ error, access_token: undefined });
    let answers: Record<string, unknown>[] = [user('noor')];
    const { ask, asked } = provider(() => answers.shift() ?? {});
    const all = caches({ now: () => time });
    const job = request(assertionOf('noor'));
    await all.acquireOnBehalfOf(job, ask);
    time += 7200;
    answers = [failing('invalid_scope'), { ...user('noor'), access_token: 'AT of the assertion' }];
    expect((await all.acquireOnBehalfOf(job, ask)).secret).toBe('AT of the assertion');
    time += 7200;
    answers = [failing('invalid_grant'), failing('invalid_scope')];
    const failed: unknown = await all.acquireOnBehalfOf(job, ask).catch((failure: unknown) => failure);
    expect(failed).toMatchObject({ error: 'invalid_scope' });
    expect(failed).not.toHaveProperty('code');
    // The refused refresh token is gone all the same.
    asked.length = 0;
    answers = [failing('invalid_scope')];
    await expect(all.acquireOnBehalfOf(job, ask)).rejects.toMatchObject({ error: 'invalid_scope' });
    expect(asked.map(({ grant_type }) => grant_type)).toEqual([
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ]);
    const thrown = Object.assign(new Error('MSAL'), { errorCode: 'invalid_scope' });
    const other = request(assertionOf('piet'));
    await expect(all.acquireOnBehalfOf(other, () => Promise.reject(thrown))).rejects.toBe(thrown);
  });

  it('continues a long job by its refresh token, and never sends a refused one again', async () => {
    let time = 1_800_000_000;
    let refuses = false;
    const { ask, asked } = provider(({ grant_type }) => {
      if (grant_type === 'refresh_token' && refuses)
        return { error: 'invalid_grant', access_token: undefined };
      return { ...user('noor'), refresh_token: `RT ${asked.length}` };
    });
    const all = caches({ now: () => time });
    const job = request(assertionOf('noor'));
    await all.acquireOnBehalfOf(job, ask);
    time += 7200;
    expect((await all.acquireOnBehalfOf(job, ask)).secret).toBe('AT 2');
    expect(asked[1]).toEqual({ grant_type: 'refresh_token', refresh_token: 'RT 1', scope: 'orders.read' });
    time += 7200;
    refuses = true;
    expect((await all.acquireOnBehalfOf(job, ask)).secret).toBe('AT 4');
    expect(asked.slice(2).map(({ refresh_token: sent }) => sent)).toEqual(['RT 2', undefined]);
    time += 7200;
    await all.acquireOnBehalfOf(job, ask);
    expect(asked[4]).toMatchObject({ refresh_token: 'RT 4' });
  });

  describe.each(['signOutAll', 'signOutUser', 'remove'] as const)('a sign-out by %s meanwhile', (how) => {
    it.each(['answers', 'fails'])('leaves no token where the provider %s', async (end) => {
      const all = caches({ userIndex: true });
      const job = request(assertionOf('noor'));
      await all.acquireOnBehalfOf(job, provider(() => ({ ...user('noor'), refresh_in: 0 })).ask);
      const theirs = all.partition(userOfAssertion(assertionOf('noor')));
      expect(await theirs.read((cache) => cache.find('AccessToken'))).toHaveLength(1);
      const late: AskTokenEndpoint = async (parameters) => {
        if (how === 'signOutUser') await all.signOutUser('noor');
        else if (how === 'remove') await theirs.remove();
        else await theirs.update((cache) => void cache.signOutAll());
        if (end === 'fails') throw new Error('down');
        return provider(() => user('noor')).ask(parameters);
      };
      const asking = all.acquireOnBehalfOf(job, late);
      await expect(asking).rejects.toMatchObject(
        end === 'fails' ? { message: 'down' } : { code: 'sign_in_required' },
      );
      expect(await theirs.read((cache) => cache.find('AccessToken'))).toEqual([]);
    });
  });

  it('an early refresh that fails leaves the token, and that of another server goes before it', async () => {
    const store = memoryStore();
    const [one, other] = [caches({ store }), caches({ store })];
    const job = request(assertionOf('noor'));
    await one.acquireOnBehalfOf(job, provider(() => ({ ...user('noor'), refresh_in: 0 })).ask);
    const down: AskTokenEndpoint = () => Promise.reject(new Error('down'));
    expect((await one.acquireOnBehalfOf(job, down)).secret).toBe('AT 1');
    const theirs = other.partition(userOfAssertion(assertionOf('noor')));
    const overtaken: AskTokenEndpoint = async () => {
      await theirs.update((cache) => {
        const [token] = cache.find('AccessToken');
        cache.modify('AccessToken', token!, { secret: 'newer' });
      });
      throw new Error('down');
    };
    expect((await one.acquireOnBehalfOf(job, overtaken)).secret).toBe('newer');
  });

  it('removes the tokens of old assertions, so that a partition does not grow', async () => {
    let time = 1_800_000_000;
    const back = observed();
    const all = caches({ store: back.store, now: () => (time += 1) });
    const { ask } = provider(() => user('noor'));
    const sizes: number[] = [];
    const write = back.store.write.bind(back.store);
    back.store.write = (key, entry, condition) => {
      sizes.push(entry.bytes.byteLength);
      return write(key, entry, condition);
    };
    for (let turn = 0; turn < 40; turn += 1)
      await all.acquireOnBehalfOf(request(assertionOf('noor', String(turn))), ask);
    expect(sizes.at(-1)).toBeLessThan(sizes[22]! * 1.1);
  });

  it('token exchange (RFC 8693), with a provider that answers neither account nor refresh token', async () => {
    const { ask, asked } = provider();
    const all = caches();
    const exchange = request('an opaque token', { grant: 'token-exchange' });
    for (let turn = 0; turn < 2; turn += 1)
      expect((await all.acquireOnBehalfOf(exchange, ask)).secret).toBe('AT 1');
    expect(asked).toEqual([
      expect.objectContaining({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: 'an opaque token',
      }),
    ]);
  });
});

describe('a sign-in whose user is known afterwards', () => {
  const body = {
    ...{ token_type: 'Bearer', expires_in: 3600, scope: 'orders', access_token: 'AT', ...user('noor') },
  };
  const client = (handle: Parameters<typeof msalCachePlugin>[0]) =>
    new ConfidentialClientApplication({
      auth: {
        clientId: 'my_client_id',
        clientSecret: 's',
        authority: 'https://login.microsoftonline.com/tenant',
      },
      cache: { cachePlugin: msalCachePlugin(handle) },
      system: {
        networkClient: {
          sendGetRequestAsync: () => Promise.reject(new Error('not needed')),
          sendPostRequestAsync: () => Promise.resolve({ headers: {}, status: 200, body: body as never }),
        },
      },
    });

  it('is merged into the partition of the user who signed in', async () => {
    const all = caches();
    const before = all.partition('noor.tenant');
    await before.update((cache) =>
      cache.add({
        client_id: 'other',
        scope: ['mail'],
        token_endpoint,
        response: { ...body, scope: 'mail', access_token: 'AT before' },
      }),
    );
    const { partition, account, value } = await all.signIn(
      (handle) =>
        client(handle).acquireTokenByCode({ code: 'c', scopes: ['orders'], redirectUri: 'http://localhost' }),
      ({ home_account_id }) => home_account_id,
    );
    expect(account.home_account_id).toBe('noor.tenant');
    expect(value.accessToken).toBe('AT');
    expect(partition.key).toBe(before.key);
    expect(
      await before.read((cache) =>
        cache
          .find('AccessToken')
          .map(({ secret }) => secret)
          .sort(),
      ),
    ).toEqual(['AT', 'AT before']);
  });

  it('replaces tokens that a server whose clock is ahead has kept', async () => {
    const store = memoryStore();
    const now = 1_800_000_000;
    const add = (refresh_token: string) => (handle: CacheHandle) =>
      handle.update((cache) => signIn(cache, 'noor', 'orders', 3600, refresh_token));
    await caches({ store, now: () => now + 300 }).signIn(add('first'), () => 'noor');
    const here = caches({ store, now: () => now });
    await here.signIn(add('second'), () => 'noor');
    const secrets = here
      .partition('noor')
      .read((cache) => cache.find('RefreshToken').map(({ secret }) => secret));
    expect(await secrets).toEqual(['second']);
  });

  it('stores nothing if nobody signed in, two users did, or it failed', async () => {
    const back = observed();
    const all = caches({ store: back.store });
    const id = () => 'id';
    await expect(all.signIn(() => Promise.resolve(), id)).rejects.toMatchObject({ code: 'sign_in_required' });
    const both = all.signIn(async (handle) => {
      await handle.update((cache) => signIn(cache, 'noor'));
      await handle.update((cache) => signIn(cache, 'piet'));
    }, id);
    await expect(both).rejects.toMatchObject({ code: 'ambiguous_account' });
    await expect(all.signIn(() => Promise.reject(new Error('refused')), id)).rejects.toThrow('refused');
    expect(back.counts.write).toBe(0);
    expect(await all.partition('id').read(namesIn)).toEqual([]);
  });
});

describe('servers whose clocks differ', () => {
  const request = (scopes: string) => ({ client_id: 'my_client_id', assertion: assertionOf('u1'), scopes });
  const stage = (ahead: number) => {
    const store = memoryStore({ now: () => 1_700_000_000 });
    const { ask, asked } = provider(() => ({ ...user('u1'), expires_in: 300 }));
    const [other, own] = [ahead, 0].map((by) => caches({ store, now: () => 1_700_000_000 + by }));
    return { other: other!, own: own!, ask, asked };
  };

  it.each([400, -400])('by more than the life of a token, %i s, get tokens for one user', async (ahead) => {
    const { other, own, ask } = stage(ahead);
    expect((await other.acquireOnBehalfOf(request('a'), ask)).secret).toBe('AT 1');
    expect((await own.acquireOnBehalfOf(request('b'), ask)).secret).toBe('AT 2');
    expect((await other.acquireOnBehalfOf(request('c'), ask)).secret).toBe('AT 3');
  });

  it('by a second use the token of the other', async () => {
    const { other, own, ask, asked } = stage(1);
    for (const one of [other, own])
      expect((await one.acquireOnBehalfOf(request('a'), ask)).secret).toBe('AT 1');
    expect(asked).toHaveLength(1);
  });
});
