import { once } from 'node:events';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type CacheHandle,
  inMemory,
  memoryKeychain,
  openVault,
  SerializableTokenCache,
  TokenCache,
} from '../../src-main/index.ts';
import { merge, planMerge } from '../../src-main/cache/index.ts';
import { removalCount } from '../../src-main/cache/token-cache.ts';
import { examine } from '../../src-main/doctor/index.ts';
import { type Grant, openGrants, type RefreshGrant } from '../../src-main/oauth/index.ts';
import { base64url, jwt, signIn } from '../cache/events.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { AT, FULL, ISSUER } from './full-grant.ts';

const SECRETS = ['at-secret', 'rt-secret', 'key-secret', 'client-secret', 'reg-secret', 'verifier-secret'];

let time = 1_000;
const now = (): number => time;
const memory = (cache = new TokenCache({ now })) => ({ cache, handle: inMemory(cache) });
const grantsIn = (handle: Parameters<typeof openGrants>[0], at = AT) => openGrants(handle, { ...at, now });

/** A provider that rotates: each refresh token works once. */
function rotating(prefix = 'new', more: Record<string, unknown> = {}) {
  const redeemed: string[] = [];
  const refresh: RefreshGrant = async ({ tokens }) => {
    redeemed.push(tokens.refresh_token);
    await new Promise((resolve) => setImmediate(resolve));
    const n = redeemed.length;
    return {
      access_token: `${prefix}-at-${n}`,
      refresh_token: `${prefix}-rt-${n}`,
      expires_in: 300,
      ...more,
    };
  };
  return { redeemed, refresh };
}

describe('what is kept', () => {
  it('is what was given, field by field', async () => {
    const grants = grantsIn(memory().handle);
    await grants.add('work', FULL);
    const { label, issuer, client_id, cached_at, expires_at, ...rest } = (await grants.get('work'))!;
    expect(rest).toEqual(FULL);
    expect({ label, issuer, client_id, cached_at, expires_at }).toEqual({
      label: 'work',
      ...AT,
      cached_at: 1_000,
      expires_at: 1_300,
    });
    expect(await grants.get('home')).toBeUndefined();
  });

  it('is listed without a secret', async () => {
    const grants = grantsIn(memory().handle);
    await grants.add('work', FULL);
    const list = await grants.list();
    expect(list).toEqual([
      {
        label: 'work',
        issuer: ISSUER,
        client_id: 'my-app',
        home_account_id: 'ada',
        username: 'ada@id.example',
        scope: 'files.read files.write',
        expires_at: 1_300,
        cached_at: 1_000,
        holds: [
          'access_token',
          'refresh_token',
          'id_token',
          'keys',
          'client',
          'discovery',
          'pending',
          'data',
        ],
        isRefused: false,
      },
    ]);
    for (const secret of SECRETS) expect(JSON.stringify(list)).not.toContain(secret);
  });

  it('of another client, issuer or label is another grant', async () => {
    const { handle } = memory();
    const mine = grantsIn(handle);
    await mine.add('a', { tokens: { access_token: '1' } });
    await mine.add('b', { tokens: { access_token: '2' } });
    await grantsIn(handle, { ...AT, client_id: 'other' }).add('a', { tokens: { access_token: '3' } });
    await grantsIn(handle, { ...AT, issuer: 'https://id.example/realms/two' }).add('a', {
      tokens: { access_token: '4' },
    });
    expect((await mine.get('a'))?.tokens?.access_token).toBe('1');
    expect((await mine.list()).map(({ label }) => label)).toEqual(['a', 'b']);
  });

  it.each<[field: string, grant: unknown]>([
    ['grant', null],
    ['tokens', { tokens: 'at' }],
    ['tokens', { tokens: { error: 'invalid_grant' } }],
    ['tokens.access_token', { tokens: {} }],
    ['tokens.access_token', { tokens: { access_token: '' } }],
    ['tokens.refresh_token', { tokens: { access_token: 'a', refresh_token: 7 } }],
    ['tokens.expires_in', { tokens: { access_token: 'a', expires_in: 'soon' } }],
    ['tokens.at', { tokens: { access_token: 'a', at: new Date(0) } }],
    ['tokens.id_token', { tokens: { access_token: 'a', id_token: jwt({ iss: 'https://evil.example' }) } }],
    ['keys.dpop', { keys: { dpop: new URL('https://key.example') } }],
    ['data.call', { data: { call: () => undefined } }],
    ['data.list[1]', { data: { list: [1, undefined] } }],
    ['data.big', { data: { big: 10n } }],
    ['data.nan', { data: { nan: NaN } }],
    ['expires_at', { expires_at: 'later' }],
    ['expires_at', { expires_at: '5' }],
    ['expires_at', { expires_at: 1_790_000_000_000 }], // milliseconds
    ['account.subject', { account: { subject: '' } }],
    ['client', { client: ['id'] }],
    ['refresh_token', { refresh_token: 'at the wrong place' }],
  ])('never a grant whose `%s` can’t be kept', async (field, grant) => {
    const { cache, handle } = memory();
    await expect(grantsIn(handle).add('work', grant as Grant)).rejects.toMatchObject({
      code: 'invalid_argument',
      field,
    });
    expect(cache.accounts()).toEqual([]);
  });

  it('never a grant that contains itself', async () => {
    const loop: Record<string, unknown> = {};
    loop['again'] = loop;
    await expect(async () => grantsIn(memory().handle).add('work', { data: { loop } })).rejects.toMatchObject(
      {
        field: expect.stringMatching(/^data\.loop\.again/) as string,
      },
    );
  });

  it.each(['issuer', 'client_id', 'label'])('nothing without `%s`', async (field) => {
    const { label, ...at } = { ...AT, label: 'work', [field]: '' };
    await expect(async () => grantsIn(memory().handle, at).get(label)).rejects.toMatchObject({ field });
  });

  it('is replaced only when that is asked for', async () => {
    const grants = grantsIn(memory().handle);
    await grants.add('work', FULL);
    await expect(grants.add('work', { tokens: { access_token: 'b' } })).rejects.toMatchObject({
      code: 'grant_exists',
    });
    expect((await grants.get('work'))?.tokens).toEqual(FULL.tokens);
    await grants.add('work', { tokens: { access_token: 'b' } }, { replace: true });
    expect((await grants.get('work'))?.tokens).toEqual({ access_token: 'b' });
  });

  it('is changed in one step, and beside its tokens does not become younger', async () => {
    const grants = grantsIn(memory().handle);
    time = 1_000;
    await grants.change('work', (before) => {
      expect(before).toBeUndefined();
      return FULL;
    });
    time = 1_200;
    await grants.change('work', (before) => ({ ...before, data: { seen: true } }));
    expect(await grants.get('work')).toMatchObject({
      cached_at: 1_000,
      expires_at: 1_300,
      data: { seen: true },
    });
    await grants.change('work', (before) => ({ ...before, tokens: { access_token: 'b', expires_in: 60 } }));
    expect(await grants.get('work')).toMatchObject({ cached_at: 1_200, expires_at: 1_260 });
    await grants.change('work', () => undefined);
    expect(await grants.get('work')).toBeUndefined();
    time = 1_000;
  });
});

const SIGN_IN_AGAIN = { code: 'sign_in_required', reason: 'invalid_grant' };

describe('fresh', () => {
  it('returns a valid token without asking', async () => {
    const grants = grantsIn(memory().handle);
    await grants.add('work', FULL);
    const { redeemed, refresh } = rotating();
    expect((await grants.fresh('work', refresh)).tokens?.access_token).toBe('at-secret-1');
    expect(redeemed).toEqual([]);
  });

  it.each([
    ['a minute before it expires', 240, {}, 1],
    ['not earlier', 239, {}, 0],
    ['as early as it is asked to', 101, { minLifetime: 200 }, 1],
    ['not before that', 99, { minLifetime: 200 }, 0],
    ['at once where an API refused the token', 0, { rejected: 'at-secret-1' }, 1],
    ['not where the API refused another one', 0, { rejected: 'at-secret-0' }, 0],
  ])('refreshes %s', async (_name, seconds, options, times) => {
    time = 1_000;
    const grants = grantsIn(memory().handle);
    await grants.add('work', FULL);
    time += seconds;
    const { redeemed, refresh } = rotating();
    await grants.fresh('work', refresh, options);
    expect(redeemed).toEqual(Array(times).fill('rt-secret-1'));
    time = 1_000;
  });

  it('refreshes a grant that was kept while the clock was ahead, whatever it says of its expiry', async () => {
    for (const told of [{}, { expires_at: 300_000_300 }]) {
      const grants = grantsIn(memory().handle);
      time = 300_000_000;
      await grants.add('work', { ...FULL, ...told });
      time = 1_000;
      const { redeemed, refresh } = rotating();
      expect((await grants.fresh('work', refresh)).tokens?.access_token).toBe('new-at-1');
      expect(redeemed).toEqual(['rt-secret-1']);
      // Clocks of machines that share a grant may differ a little.
      time -= 30;
      await grants.fresh('work', refresh);
      expect(redeemed).toHaveLength(1);
      time = 1_000;
    }
  });

  it('refreshes once for all who ask at once', async () => {
    const { handle } = memory();
    await grantsIn(handle).add('work', { ...FULL, expires_at: 1 });
    const { redeemed, refresh } = rotating();
    const all = await Promise.all(Array.from({ length: 8 }, () => grantsIn(handle).fresh('work', refresh)));
    expect(redeemed).toEqual(['rt-secret-1']);
    expect(new Set(all.map(({ tokens }) => tokens?.access_token))).toEqual(new Set(['new-at-1']));
  });

  it('keeps what the provider leaves out, and everything beside the tokens', async () => {
    const grants = grantsIn(memory().handle);
    await grants.add('work', { ...FULL, expires_at: 1 });
    const fresh = await grants.fresh('work', () => Promise.resolve({ access_token: 'b', expires_in: '60' }));
    expect(fresh).toMatchObject({
      tokens: { access_token: 'b', refresh_token: 'rt-secret-1', scope: 'files.read files.write' },
      keys: FULL.keys,
      client: FULL.client,
      data: FULL.data,
      expires_at: 1_060,
    });
    expect(fresh.tokens).not.toHaveProperty('team'); // the provider sends its own fields anew, so old ones are dropped
  });

  it.each(['', null])('takes an optional token that is %j as left out', async (nothing) => {
    const empty = { refresh_token: nothing, id_token: nothing } as object;
    const grants = grantsIn(memory().handle);
    await grants.add('work', { ...FULL, expires_at: 1 });
    const fresh = await grants.fresh('work', () =>
      Promise.resolve({ access_token: 'b', expires_in: 60, ...empty }),
    );
    expect(fresh.tokens).toEqual({
      access_token: 'b',
      expires_in: 60,
      refresh_token: 'rt-secret-1',
      scope: 'files.read files.write',
      ...(FULL.tokens?.id_token === undefined ? {} : { id_token: FULL.tokens.id_token }),
    });
    await grants.add('home', { tokens: { access_token: 'c', token_type: 'Bearer', ...empty } });
    expect((await grants.get('home'))?.tokens).toEqual({ access_token: 'c', token_type: 'Bearer' });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['another user, by the ID token', { id_token: jwt({ iss: ISSUER, sub: 'eve' }) }, 'grant_other_subject'],
    [
      'another issuer, by the ID token',
      { id_token: jwt({ iss: 'https://evil.example', sub: 'ada' }) },
      'grant_other_issuer',
    ],
    [
      'two users, by the ID token',
      { id_token: `e30.${base64url('{"sub":"eve","sub":"ada"}')}.x` },
      'invalid_argument',
    ],
  ])('refuses an answer for %s, and keeps the old grant', async (_name, more, code) => {
    const grants = grantsIn(memory().handle);
    await grants.add('work', { ...FULL, expires_at: 1 });
    await expect(grants.fresh('work', rotating('evil', more).refresh)).rejects.toMatchObject({ code });
    expect((await grants.get('work'))?.tokens).toEqual(FULL.tokens);
  });

  it('never sends a refresh token again that was answered for another user', async () => {
    const { handle } = memory();
    const grants = grantsIn(handle);
    await grants.add('work', { ...FULL, expires_at: 1 });
    const { redeemed, refresh } = rotating('evil', { id_token: jwt({ iss: ISSUER, sub: 'eve' }) });
    const all = await Promise.allSettled([1, 2, 3].map(() => grantsIn(handle).fresh('work', refresh)));
    const code = 'grant_other_subject';
    expect(all).toMatchObject([1, 2, 3].map(() => ({ status: 'rejected', reason: { code } })));
    await expect(grants.fresh('work', refresh)).rejects.toMatchObject({ code });
    expect(redeemed).toEqual(['rt-secret-1']);
    expect(await grants.list()).toMatchObject([{ isRefused: true }]);
    await grants.add(
      'work',
      { ...FULL, tokens: { ...FULL.tokens!, refresh_token: 'new' } },
      { replace: true },
    );
    expect((await grants.list())[0]).toMatchObject({ isRefused: false });
  });

  it.each<[string, Grant, Record<string, unknown>, string]>([
    [
      '`sub` of the response',
      { tokens: { access_token: 'a', refresh_token: 'r', sub: 'did:plc:ada' } },
      { sub: 'did:plc:eve' },
      'grant_other_subject',
    ],
    [
      'the account that was named',
      { tokens: { access_token: 'a', refresh_token: 'r' }, account: { subject: 'ada' } },
      { sub: 'eve' },
      'grant_other_subject',
    ],
    [
      '`issuer` of the response',
      { tokens: { access_token: 'a', refresh_token: 'r', issuer: 'https://as.example' } },
      { issuer: 'https://evil.example' },
      'grant_other_issuer',
    ],
  ])('tells users and issuers apart by %s', async (_name, grant, more, code) => {
    const grants = grantsIn(memory().handle);
    await grants.add('work', { ...grant, expires_at: 1 });
    await expect(grants.fresh('work', rotating('evil', more).refresh)).rejects.toMatchObject({ code });
    expect((await grants.get('work'))?.tokens).toEqual(grant.tokens);
  });

  it.each<[string, () => unknown]>([
    ['rejected with', () => Promise.reject(Object.assign(new Error('x'), { error: 'invalid_grant' }))],
    [
      'rejected with, as Octokit does,',
      () => Promise.reject(Object.assign(new Error('x'), { response: { data: { error: 'invalid_grant' } } })),
    ],
    [
      'returned',
      () => Promise.resolve({ error: 'invalid_grant', error_description: 'rt-secret-1 was reused' }),
    ],
  ])('remembers an invalid_grant that the refresh %s', async (_name, refuse) => {
    const { handle } = memory();
    const grants = grantsIn(handle);
    await grants.add('work', { ...FULL, expires_at: 1 });
    let asked = 0;
    const refresh = (() => {
      asked += 1;
      return refuse();
    }) as RefreshGrant;
    for (let time = 0; time < 2; time += 1)
      await expect(grants.fresh('work', refresh)).rejects.toMatchObject(SIGN_IN_AGAIN);
    await expect(grantsIn(handle).fresh('work', refresh)).rejects.toMatchObject(SIGN_IN_AGAIN);
    expect(asked).toBe(1);
    expect((await grants.list())[0]).toMatchObject({ isRefused: true });
    // A new sign-in clears the refusal.
    await grants.add(
      'work',
      { tokens: { access_token: 'c', refresh_token: 'd' }, expires_at: 1 },
      { replace: true },
    );
    expect((await grants.fresh('work', rotating().refresh)).tokens?.access_token).toBe('new-at-1');
    expect((await grants.list())[0]).toMatchObject({ isRefused: false });
  });

  it.each(['interaction_required', 'login_required', 'consent_required', 'invalid_scope'])(
    'asks for a sign-in if the provider answers %s, and keeps its code as the reason',
    async (error) => {
      const grants = grantsIn(memory().handle);
      await grants.add('work', { ...FULL, expires_at: 1 });
      const failures: RefreshGrant[] = [
        () => Promise.resolve({ error }),
        () => Promise.reject(Object.assign(new Error('x'), { response: { data: { error } } })),
      ];
      for (const refresh of failures)
        await expect(grants.fresh('work', refresh)).rejects.toMatchObject({
          code: 'sign_in_required',
          reason: error,
        });
      // The refresh token itself was not refused.
      expect((await grants.list())[0]).toMatchObject({ isRefused: false });
      expect((await grants.fresh('work', rotating().refresh)).tokens?.access_token).toBe('new-at-1');
    },
  );

  it('passes on any other failure, and asks again the next time', async () => {
    const grants = grantsIn(memory().handle);
    await grants.add('work', { ...FULL, expires_at: 1 });
    await expect(grants.fresh('work', () => Promise.reject(new TypeError('fetch failed')))).rejects.toThrow(
      'fetch failed',
    );
    await expect(
      grants.fresh('work', () => Promise.resolve({ error: 'server_error' })),
    ).rejects.toMatchObject({ field: 'access_token' });
    expect((await grants.fresh('work', rotating().refresh)).tokens?.access_token).toBe('new-at-1');
  });

  it('asks for a sign-in where there is nothing to refresh with', async () => {
    const grants = grantsIn(memory().handle);
    const { redeemed, refresh } = rotating();
    await expect(grants.fresh('work', refresh)).rejects.toMatchObject({ code: 'sign_in_required' });
    await grants.add('work', { tokens: { access_token: 'a' }, expires_at: 1 });
    await expect(grants.fresh('work', refresh)).rejects.toMatchObject({ code: 'sign_in_required' });
    expect(redeemed).toEqual([]);
  });

  it.each([
    ['signed out', (cache: TokenCache) => void cache.signOut('ada')],
    ['signed out with all others', (cache: TokenCache) => void cache.signOutAll()],
  ])('does not bring back a grant that was %s meanwhile', async (_name, leave) => {
    const { cache, handle } = memory();
    const grants = grantsIn(handle);
    await grants.add('work', { ...FULL, expires_at: 1 });
    const late = grants.fresh('work', async () => {
      await handle.update(leave);
      return { access_token: 'late', refresh_token: 'late' };
    });
    await expect(late).rejects.toMatchObject({ code: 'sign_in_required' });
    expect(await grants.list()).toEqual([]);
    expect(cache.accounts()).toEqual([]);
  });

  it('does not overwrite a sign-in that came meanwhile', async () => {
    const grants = grantsIn(memory().handle);
    await grants.add('work', { ...FULL, expires_at: 1 });
    const { tokens } = await grants.fresh('work', async () => {
      await grants.add('work', { tokens: { access_token: 'newest', refresh_token: 'r' } }, { replace: true });
      return { access_token: 'late', refresh_token: 'late' };
    });
    expect(tokens?.access_token).toBe('newest');
    expect((await grants.get('work'))?.tokens?.access_token).toBe('newest');
  });

  it('lets a caller go who does not want to wait, and keeps what comes', async () => {
    const grants = grantsIn(memory().handle);
    await grants.add('work', { ...FULL, expires_at: 1 });
    let answer = (_tokens: Record<string, unknown>): void => undefined;
    const caller = new AbortController();
    const asked = new Promise<void>((begun) => {
      void grants
        .fresh(
          'work',
          () =>
            new Promise((resolve) => {
              answer = resolve;
              begun();
            }),
          { signal: caller.signal },
        )
        .catch(() => undefined);
    });
    await asked;
    const waiting = grants.fresh('work', rotating().refresh, { signal: caller.signal });
    caller.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    answer({ access_token: 'b', refresh_token: 'r2', expires_in: 300 });
    expect((await grants.fresh('work', rotating().refresh)).tokens?.access_token).toBe('b');
  });

  it('gives up a provider that does not answer, and keeps the answer that comes at last', async () => {
    const grants = grantsIn(memory().handle);
    await grants.add('work', { ...FULL, expires_at: 1 });
    let answer = (_tokens: Record<string, unknown>): void => undefined;
    let stopped: AbortSignal | undefined;
    const hung = grants.fresh(
      'work',
      (_grant, signal) => {
        stopped = signal;
        return new Promise((resolve) => (answer = resolve));
      },
      { timeout: 20 },
    );
    await expect(hung).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(stopped?.aborted).toBe(true);
    answer({ access_token: 'late', refresh_token: 'r2', expires_in: 300 });
    await new Promise((resolve) => setImmediate(resolve));
    expect((await grants.get('work'))?.tokens?.access_token).toBe('late');
  });

  it('returns an answer that came in time, although it takes longer to keep it', async () => {
    const { handle } = memory();
    await grantsIn(handle).add('work', { ...FULL, expires_at: 1 });
    let late: Promise<unknown> = Promise.resolve();
    const slow: CacheHandle = {
      ...handle,
      update: async (...change) => {
        await late;
        return handle.update(...change);
      },
    };
    const { tokens } = await grantsIn(slow).fresh(
      'work',
      (_grant, signal) => {
        late = once(signal, 'abort');
        return Promise.resolve({ access_token: 'new', refresh_token: 'r2', expires_in: 300 });
      },
      { timeout: 20 },
    );
    expect(tokens).toMatchObject({ access_token: 'new', refresh_token: 'r2' });
  });
});

describe('beside MSAL’s entities', () => {
  it('an account with grants alone is listed, and one with both is one', async () => {
    const { cache, handle } = memory();
    await grantsIn(handle).add('work', FULL);
    await grantsIn(handle).add('bot', { tokens: { access_token: 'a' } });
    expect(cache.accounts()).toMatchObject([
      {
        home_account_id: 'ada',
        issuer: ISSUER,
        username: 'ada@id.example',
        name: 'Ada',
        authority_type: 'OAuth',
      },
      { home_account_id: 'label:bot', issuer: ISSUER, username: 'bot', authority_type: 'OAuth' },
    ]);
    cache.add({
      client_id: 'other-app',
      scope: 's1',
      token_endpoint: `${ISSUER}/token`,
      response: { access_token: 'x', refresh_token: 'y', id_token: FULL.tokens!.id_token },
    });
    expect(cache.accounts().map(({ home_account_id }) => home_account_id)).toEqual(['ada', 'label:bot']);
    expect(cache.accounts({ username: 'bot' })).toHaveLength(1);
    expect(cache.accounts({ home_account_id: 'ADA' })).toHaveLength(1);
  });

  it.each([
    [
      'https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_in/v2.0',
      'https://contoso.b2clogin.com/t/v2.0/',
      true,
    ],
    [
      'https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_in/v2.0',
      'https://evil.b2clogin.com/t/v2.0/',
      false,
    ],
    [
      'https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_in/v2.0',
      'https://login.microsoftonline.com/t/v2.0',
      false,
    ],
    [
      'https://contoso.ciamlogin.com/',
      'https://22222222-aaaa-bbbb-cccc-000000000002.ciamlogin.com/22222222-aaaa-bbbb-cccc-000000000002/v2.0',
      true,
    ],
    ['https://contoso.ciamlogin.com/', 'https://evil.ciamlogin.com/t/v2.0', false],
    ['https://login.microsoftonline.com/common/v2.0', 'https://evil.b2clogin.com/t/v2.0/', false],
    ['https://login.microsoftonline.com/common/v2.0', 'https://sts.windows.net/t/', true],
  ])('under %s, an ID token of %s may be kept: %s', async (issuer, iss, isKept) => {
    const grants = openGrants(memory().handle, { issuer, client_id: 'c' });
    const adding = grants.add('work', { tokens: { access_token: 'a', id_token: jwt({ iss, sub: 'ada' }) } });
    if (isKept) await expect(adding).resolves.toMatchObject({ label: 'work' });
    else await expect(adding).rejects.toMatchObject({ field: 'tokens.id_token' });
  });

  it('a user of Microsoft is the one that MSAL knows', async () => {
    const { cache, handle } = memory();
    const id_token = jwt({
      iss: 'https://login.microsoftonline.com/t1/v2.0',
      sub: 'pairwise',
      oid: 'o1',
      tid: 't1',
    });
    const at = { issuer: 'https://login.microsoftonline.com/common/v2.0', client_id: 'c' };
    await grantsIn(handle, at).add('work', { tokens: { access_token: 'a', id_token } });
    cache.add(
      signIn(
        { id_token },
        { token_endpoint: 'https://login.microsoftonline.com/t1/oauth2/v2.0/token' },
        { uid: 'o1', utid: 't1' },
      ),
    );
    expect(cache.accounts().map(({ home_account_id }) => home_account_id)).toEqual(['o1.t1']);
    expect(cache.signOut('o1.t1')).toMatchObject({ removed: { grants: 1 }, remaining: 0 });
  });

  it('two issuers with one subject are two accounts, and one signs out alone', async () => {
    const { cache, handle } = memory();
    const other = 'https://id.example/realms/two';
    await grantsIn(handle).add('work', FULL);
    await grantsIn(handle, { ...AT, issuer: other }).add('work', {
      tokens: { access_token: 'a' },
      account: { subject: 'ada' },
    });
    expect(cache.accounts()).toHaveLength(2);
    expect(() => cache.signOut('ada')).toThrow(
      expect.objectContaining({ code: 'ambiguous_account' }) as Error,
    );
    const account = cache.accounts({ issuer: other })[0]!;
    expect(removalCount(cache, account)).toMatchObject({ grants: 1 });
    expect(cache.signOut(account)).toMatchObject({ removed: { grants: 1 }, remaining: 0 });
    expect(cache.accounts()).toMatchObject([{ issuer: ISSUER }]);
  });

  it('signing everyone out leaves none', async () => {
    const { cache, handle } = memory();
    await grantsIn(handle).add('work', FULL);
    await grantsIn(handle).add('bot', { client: { client_id: 'c', client_secret: 's' } });
    cache.add(signIn());
    expect(cache.signOutAll().map(({ removed, remaining }) => [removed.grants ?? 0, remaining])).toEqual([
      [1, 0],
      [1, 0],
      [0, 0],
    ]);
    expect(await grantsIn(handle).list()).toEqual([]);
  });

  it('the doctor has nothing to say of them', async () => {
    const { cache, handle } = memory();
    await grantsIn(handle).add('work', { ...FULL, expires_at: 1 });
    expect(examine(cache, { now: 10_000_000 })).toEqual([]);
  });

  it.each(['msal-python', 'msal-node', 'msal-dotnet'] as const)(
    'stay in a document for %s',
    async (dialect) => {
      const cache = new SerializableTokenCache({ now });
      await grantsIn(inMemory(cache)).add('work', FULL);
      cache.add(signIn());
      const text = cache.serialize({ dialect });
      expect(Object.keys(JSON.parse(text) as object)).toContain('TokenkeepGrant');
      const copy = new SerializableTokenCache({ now });
      copy.deserialize(text);
      expect(await grantsIn(inMemory(copy)).get('work')).toMatchObject(FULL);
      expect(copy.serialize({ dialect })).toBe(text);
      expect(copy.accounts()).toHaveLength(2);
    },
  );

  it('merge: the newer of two stays', async () => {
    const [mine, theirs] = [memory(), memory()];
    await grantsIn(mine.handle).add('a', { tokens: { access_token: 'old' } });
    await grantsIn(theirs.handle).add('c', { tokens: { access_token: 'c' } });
    await grantsIn(theirs.handle).add('b', { tokens: { access_token: 'old' } });
    time = 2_000;
    await grantsIn(mine.handle).add('b', { tokens: { access_token: 'new' } });
    await grantsIn(theirs.handle).add('a', { tokens: { access_token: 'new' } });
    time = 1_000;
    const counts = { added: 1, replaced: 1, unchanged: 1, expired: 0 };
    expect(planMerge(mine.cache, theirs.cache)).toMatchObject({ tokens: counts, notUnderstood: 0 });
    merge(mine.cache, theirs.cache);
    const found = await Promise.all(['a', 'b', 'c'].map((label) => grantsIn(mine.handle).get(label)));
    expect(found.map((grant) => grant?.tokens?.access_token)).toEqual(['new', 'new', 'c']);
  });

  it.each<[string, unknown]>([
    ['no map', ['x']],
    ['an item that is no grant', { k: { label: 1 } }],
    [
      'an item without a secret',
      {
        k: {
          home_account_id: 'a',
          environment: 'e',
          authority: 'https://e',
          client_id: 'c',
          label: 'l',
          holds: '',
        },
      },
    ],
  ])('a root of that name with %s is kept as it is', (_name, root) => {
    const cache = new SerializableTokenCache({ now });
    const text = JSON.stringify({ AccessToken: {}, TokenkeepGrant: root });
    cache.deserialize(text);
    expect(JSON.parse(cache.serialize())).toEqual(JSON.parse(text));
    expect(cache.accounts()).toEqual([]);
    expect(examine(cache)).toEqual([]);
  });

  it('a grant whose secret is no grant says so, and stays', async () => {
    const { cache, handle } = memory(new SerializableTokenCache({ now }));
    await grantsIn(handle).add('work', FULL);
    const text = (cache as SerializableTokenCache).serialize();
    const document = JSON.parse(text) as { TokenkeepGrant: Record<string, { secret: string }> };
    for (const item of Object.values(document.TokenkeepGrant)) item.secret = 'at-secret: no JSON';
    (cache as SerializableTokenCache).deserialize(JSON.stringify(document));
    const error = await grantsIn(handle)
      .get('work')
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'grant_newer' });
    expect((error as Error).stack).not.toContain('at-secret');
  });
});

describe('in a vault', () => {
  it('they are sealed, survive a restart, and leave with the account', async () => {
    const [file, keychain] = [join(temporaryFolder(), 'a.vault'), memoryKeychain()];
    let vault = await openVault({ file, keychain });
    await openGrants(vault, AT).add('work', FULL);
    await vault.close();
    for (const secret of SECRETS) expect(readFileSync(file).includes(secret)).toBe(false);

    vault = await openVault({ file, keychain });
    expect(await openGrants(vault, AT).get('work')).toMatchObject(FULL);
    expect(await vault.verify()).toMatchObject({ sound: true, secrets: 1, accounts: 1 });
    const held = JSON.stringify(await vault.read((cache) => cache.accounts()));
    for (const secret of SECRETS) expect(held).not.toContain(secret);
    await vault.compact();
    expect(await openGrants(vault, AT).get('work')).toMatchObject(FULL);
    const [account] = await vault.read((cache) => cache.accounts());
    expect(await vault.signOut(account!)).toMatchObject({
      removed: { grants: 1 },
      remaining: 0,
      oldKey: 'destroyed',
    });
    expect(await openGrants(vault, AT).list()).toEqual([]);
    await vault.close();
  });

  it('two handles refresh once, and one’s sign-out ends the other’s refresh', async () => {
    const [file, keychain] = [join(temporaryFolder(), 'a.vault'), memoryKeychain()];
    const vaults = [await openVault({ file, keychain }), await openVault({ file, keychain })] as const;
    await openGrants(vaults[0], AT).add('work', { ...FULL, expires_at: 1 });
    const { redeemed, refresh } = rotating();
    const both = await Promise.all(vaults.map((vault) => openGrants(vault, AT).fresh('work', refresh)));
    expect(redeemed).toEqual(['rt-secret-1']);
    expect(both.map(({ tokens }) => tokens?.access_token)).toEqual(['new-at-1', 'new-at-1']);
    const late = openGrants(vaults[0], AT).fresh(
      'work',
      async () => {
        await vaults[1].signOut('ada');
        return { access_token: 'late', refresh_token: 'late' };
      },
      { rejected: 'new-at-1' },
    );
    await expect(late).rejects.toMatchObject({ code: 'sign_in_required' });
    expect(await openGrants(vaults[0], AT).list()).toEqual([]);
    for (const vault of vaults) await vault.close();
  });
});
