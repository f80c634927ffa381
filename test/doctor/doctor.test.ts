import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { lookup } from '../../src-main/cache/acquire.ts';
import { type CacheChange, SerializableTokenCache, type TokenCache } from '../../src-main/index.ts';
import { type Entity } from '../../src-main/cache/index.ts';
import { hashText } from '../../src-main/cache/schema/match.ts';
import { accountsToExamine, bySeverity, examine, repair, undoRepair } from '../../src-main/doctor/index.ts';
import { document, ENVIRONMENTS, HOMES } from '../cache/entities.ts';
import { openGrants } from '../../src-main/oauth/index.ts';
import { jwt, signIn } from '../cache/events.ts';

const NOW = 10_000_000;
const MONTH = 30 * 24 * 3600;

const home = { home_account_id: 'uid.utid', environment: 'login.windows.net' };
const token = {
  ...home,
  credential_type: 'AccessToken',
  secret: 'access secret',
  client_id: 'app',
  realm: 'utid',
  target: 's1',
  cached_at: String(NOW - 60),
  expires_on: String(NOW + 3600),
};
const refresh = {
  ...home,
  credential_type: 'RefreshToken',
  secret: 'refresh secret',
  client_id: 'app',
  target: 's1',
};
const account = {
  ...home,
  realm: 'utid',
  local_account_id: 'uid',
  username: 'ann@contoso.example',
  authority_type: 'MSSTS',
};

type Document = Record<string, Record<string, unknown>>;

function cacheOf(document: Document): SerializableTokenCache {
  const cache = new SerializableTokenCache({ now: () => NOW });
  cache.deserialize(JSON.stringify(document));
  return cache;
}

const kinds = (cache: TokenCache): string[] => examine(cache).map(({ kind }) => kind);

const idToken = {
  ...home,
  credential_type: 'IdToken',
  client_id: 'app',
  realm: 'utid',
  secret: jwt({ sub: 'uid', oid: 'uid', tid: 'utid', preferred_username: 'ann@contoso.example' }),
};

describe('an account stays', () => {
  it.each<[string, Document]>([
    ['client_id is a number', { RefreshToken: { r: { ...refresh, client_id: 123 } } }],
    ['family_id is a number', { RefreshToken: { r: { ...refresh, family_id: 1 } } }],
    ['realm is a number', { AccessToken: { a: { ...token, realm: 7 } } }],
  ])('whose token’s %s, and is repaired in the same go', (_what, tokens) => {
    const cache = cacheOf({
      Account: { u: account },
      IdToken: { i: idToken },
      ...tokens,
    });
    expect(kinds(cache)).toEqual(['unreadable']);
    repair(cache, 'all');
    expect(cache.accounts().map(({ username }) => username)).toEqual(['ann@contoso.example']);
    expect(kinds(cache)).not.toContain('account-without-tokens');
    expect(kinds(cache)).not.toContain('token-without-account');
  });

  it('unless the token that can’t be read has expired', () => {
    const old = { ...token, realm: 7, cached_at: '1', expires_on: String(NOW - 60) };
    const cache = cacheOf({ Account: { u: account }, AccessToken: { a: old } });
    expect(kinds(cache)).toContain('account-without-tokens');
    const unknown = { ...old, unknown_expiry: old.expires_on };
    const other = cacheOf({ Account: { u: account }, AccessToken: { a: unknown } });
    expect(kinds(other)).not.toContain('account-without-tokens');
  });

  it('of which a refresh token does not say at which of two issuers', () => {
    const at = (issuer: string) => ({ ...home, environment: 'sso.example', issuer });
    const cache = cacheOf({
      Account: Object.fromEntries(
        ['https://sso.example/one', 'https://sso.example/two'].map((issuer) => [
          issuer,
          { ...account, ...at(issuer) },
        ]),
      ),
      RefreshToken: { r: { ...refresh, environment: 'sso.example' } },
    });
    expect(kinds(cache)).not.toContain('account-without-tokens');
    repair(cache, 'all');
    expect(cache.accounts()).toHaveLength(2);
  });

  it('that has a grant', async () => {
    const issuer = 'https://sso.example/one';
    const cache = new SerializableTokenCache({ now: () => NOW });
    const event = signIn();
    cache.add({
      ...event,
      token_endpoint: `${issuer}/token`,
      issuer,
      response: {
        token_type: 'Bearer',
        access_token: 'old',
        expires_in: 1,
        id_token: jwt({ sub: 'ada', iss: issuer, preferred_username: 'ada' }),
      },
    });
    const handle = {
      read: <T>(fn: (cache: TokenCache) => T) => Promise.resolve(fn(cache)),
      update: <T>(fn: (cache: TokenCache) => T) => Promise.resolve(fn(cache)),
    };
    const grants = openGrants(handle, { issuer, client_id: 'tool' });
    await grants.add('work', {
      account: { subject: 'ada', username: 'ada' },
      tokens: { access_token: 'new', refresh_token: 'rt', expires_in: 3600, scope: 'files' },
    });
    expect(examine(cache, { now: NOW + 3600 }).map(({ kind }) => kind)).not.toContain(
      'account-without-tokens',
    );
    repair(cache, 'all', NOW + 3600);
    expect(cache.accounts()).toHaveLength(1);
  });
});

it.each(['7', 'ada.lovelace'])('recreates an account with its issuer: %s', (sub) => {
  const iss = 'https://sso.example/r1';
  const cache = new SerializableTokenCache({ now: () => NOW });
  cache.add({
    client_id: 'app',
    scope: ['a'],
    token_endpoint: `${iss}/token`,
    grant_type: 'authorization_code',
    response: {
      id_token: jwt({ sub, iss, preferred_username: 'ada' }),
      access_token: 'at',
      refresh_token: 'rt',
      expires_in: 3600,
      token_type: 'Bearer',
    },
  });
  const before = cache.accounts();
  for (const one of cache.find('Account')) cache.modify('Account', one, null);
  repair(cache, 'all');
  expect(cache.accounts()).toEqual(before);
  expect(before).toMatchObject([{ issuer: iss, authority_type: 'Generic', home_account_id: sub }]);
});

describe('finds', () => {
  it('nothing in a cache that one app signed in with', () => {
    const cache = new SerializableTokenCache({ now: () => NOW });
    cache.add(signIn());
    cache.add(signIn({}, { client_id: 'other' }));
    expect(examine(cache)).toEqual([]);
  });

  const healthy: Document = {
    AccessToken: { a: token },
    RefreshToken: { r: refresh },
    Account: { u: account },
  };
  it.each<[string, string, Document]>([
    [
      'a number where text belongs',
      'unreadable',
      { ...healthy, AccessToken: { a: { ...token, client_id: 7 } } },
    ],
    ['something that is no entity', 'unreadable', { ...healthy, IdToken: { x: 'text' } }],
    [
      'an entity of a kind that is not known',
      'unreadable',
      { ...healthy, AccessToken: { a: { ...token, credential_type: 'RefreshToken' } } },
    ],
    [
      'an app twice',
      'duplicate-app',
      {
        ...healthy,
        AppMetadata: {
          a: { client_id: 'app', environment: 'login.windows.net' },
          b: { client_id: 'APP', environment: 'sts.windows.net' },
        },
      },
    ],
    [
      'an account as common and by its tenant',
      'duplicate-account',
      { ...healthy, Account: { u: account, v: { ...account, realm: 'common' } } },
    ],
    [
      'an access token twice',
      'duplicate-token',
      { ...healthy, AccessToken: { a: token, b: { ...token, environment: 'sts.windows.net' } } },
    ],
    [
      'an older refresh token',
      'shadowed-refresh-token',
      {
        ...healthy,
        RefreshToken: {
          r: { ...refresh, last_modification_time: '1' },
          s: { ...refresh, target: 's1 s2', last_modification_time: '2' },
        },
      },
    ],
    ['tokens without an account', 'token-without-account', { ...healthy, Account: {} }],
    ['an account without tokens', 'account-without-tokens', { Account: { u: account } }],
    [
      'tokens long expired',
      'dead-weight',
      {
        ...healthy,
        AccessToken: { a: { ...token, cached_at: '1', expires_on: String(NOW - MONTH) } },
      },
    ],
  ])('%s', (_, kind, document) => {
    const cache = cacheOf(document);
    const before = cache.serialize();
    expect(kinds(cache)).toEqual([kind]);
    expect(cache.serialize()).toBe(before);
    const [finding] = examine(cache);
    expect(finding!.causes.length).toBeGreaterThan(0);
    expect(JSON.stringify(finding)).not.toMatch(/secret/);
  });

  it.each<[string, Document]>([
    [
      'two refresh tokens for other scopes',
      {
        RefreshToken: {
          r: { ...refresh, last_modification_time: '2' },
          s: { ...refresh, target: 's2', last_modification_time: '1' },
        },
        Account: { u: account },
      },
    ],
    [
      'two refresh tokens, of which neither tells when it was cached',
      {
        RefreshToken: {
          r: refresh,
          s: { ...refresh, secret: 'another', environment: 'sts.windows.net' },
        },
        Account: { u: account },
      },
    ],
    ['a user in two tenants', { ...healthy, Account: { u: account, v: { ...account, realm: 'guest' } } }],
    [
      'a token that may do in an outage',
      {
        AccessToken: {
          a: { ...token, expires_on: String(NOW - 2 * MONTH), extended_expires_on: String(NOW + 60) },
        },
        Account: { u: account },
      },
    ],
    ['tokens of apps', { AccessToken: { a: { ...token, home_account_id: '' } } }],
    ...(
      [
        ['for another user assertion', { user_assertion_hash: 'h1' }],
        ['that is expired', { expires_on: String(NOW - 1) }],
        ['that is refused', { refusals: [{ client_id: 'app', secret: hashText(refresh.secret) }] }],
        [
          'that is refused for some scopes',
          { refusals: [{ client_id: 'app', secret: hashText(refresh.secret), scopes: 's2' }] },
        ],
      ] as const
    ).map(([what, newer]): [string, Document] => [
      `an older refresh token beside one ${what}`,
      {
        RefreshToken: {
          r: { ...refresh, secret: 'older', last_modification_time: '1' },
          s: { ...refresh, target: 's1 s2', last_modification_time: '2', ...newer },
        },
        Account: { u: account },
      },
    ]),
  ])('nothing in %s', (_, document) => {
    expect(kinds(cacheOf(document))).toEqual([]);
  });
});

describe('repairs', () => {
  it('a number where text belongs, by writing what it says', () => {
    const cache = cacheOf({
      AccessToken: { a: { ...token, client_id: 7 } },
      RefreshToken: { r: refresh },
      Account: { u: account },
    });
    const [finding] = examine(cache);
    expect(finding!.repair!.changed).toMatchObject([{ fields: ['client_id'] }]);
    repair(cache, [finding!]);
    expect(cache.find('AccessToken')[0]?.client_id).toBe('7');
  });

  it('tokens without an account, by the account that the ID token is about', () => {
    const claims = { oid: 'oid', sub: 'sub', preferred_username: 'ann@contoso.example', name: 'Ann' };
    const identity = {
      ...home,
      credential_type: 'IdToken',
      secret: jwt(claims),
      client_id: 'app',
      realm: 'utid',
    };
    const cache = cacheOf({ RefreshToken: { r: refresh }, IdToken: { i: identity } });
    const { difference } = repair(cache, examine(cache));
    expect(difference).toMatchObject({
      removed: [],
      added: [{ type: 'Account', home_account_id: 'uid.utid' }],
    });
    expect(cache.accounts()).toMatchObject([
      { home_account_id: 'uid.utid', username: 'ann@contoso.example' },
    ]);
    expect(examine(cache)).toEqual([]);
  });

  it('tokens of a user whose ID no Latin alphabet has, beside everybody else’s', () => {
    const user = { home_account_id: '漢字.utid', environment: 'login.windows.net' };
    const claims = { oid: '漢字', sub: 'sub', preferred_username: 'kan@contoso.example' };
    const identity = {
      ...user,
      credential_type: 'IdToken',
      secret: jwt(claims),
      client_id: 'app',
      realm: 'utid',
    };
    const cache = cacheOf({ RefreshToken: { r: { ...refresh, ...user } }, IdToken: { i: identity } });
    expect(kinds(cache)).toEqual(['token-without-account']);
    repair(cache, examine(cache));
    expect(cache.accounts()).toMatchObject([
      { home_account_id: '漢字.utid', username: 'kan@contoso.example' },
    ]);
  });

  it('an access token stored twice, by keeping the one that is valid for longer', () => {
    const longer = { ...token, environment: 'sts.windows.net', cached_at: String(NOW - 900) };
    const cache = cacheOf({
      AccessToken: { a: { ...token, expires_on: String(NOW + 30) }, b: longer },
      RefreshToken: { r: refresh },
      Account: { u: account },
    });
    repair(cache, 'all');
    const request = { ...home, client_id: 'app', scopes: ['s1'], margin: 60 };
    expect(lookup(cache, request, NOW).accessToken?.expires_on).toBe(token.expires_on);
  });

  it('not what it would have to take something usable away for', () => {
    const cache = cacheOf({
      RefreshToken: { r: refresh },
      AccessToken: { b: { ...token, credential_type: 'RefreshToken' } },
    });
    expect(examine(cache).map(({ repair: by }) => by)).toEqual([null, null]);
    const before = cache.serialize();
    expect(repair(cache, examine(cache)).difference).toEqual({ removed: [], added: [], changed: [] });
    expect(cache.serialize()).toBe(before);
  });

  it('what was asked for and no more, with one event', () => {
    const cache = cacheOf({
      AccessToken: { a: token, b: { ...token, environment: 'sts.windows.net' } },
      RefreshToken: { r: refresh },
      Account: { u: account, v: { ...account, realm: 'common' } },
    });
    const events: CacheChange[] = [];
    cache.on('change', (event) => events.push(event));
    repair(
      cache,
      examine(cache).filter(({ kind }) => kind === 'duplicate-token'),
    );
    expect(events).toHaveLength(1);
    expect(kinds(cache)).toEqual(['duplicate-account']);
  });

  it('nothing of a finding that does not stand any more', () => {
    const cache = cacheOf({
      AccessToken: { a: token, b: { ...token, environment: 'sts.windows.net' } },
      RefreshToken: { r: refresh },
      Account: { u: account },
    });
    const findings = examine(cache);
    cache.modify('AccessToken', cache.find('AccessToken')[0]!, { expires_on: String(NOW + 9000) });
    expect(repair(cache, findings).difference.removed).toEqual([]);
  });
});

describe('in turns', () => {
  /** Refresh tokens, each without an account, and an app listed twice. */
  const troubled = (count: number): SerializableTokenCache =>
    cacheOf({
      RefreshToken: Object.fromEntries(
        Array.from({ length: count }, (_, n) => [`r${n}`, { ...refresh, home_account_id: `uid${n}.utid` }]),
      ),
      AppMetadata: {
        a: { client_id: 'app', environment: 'login.windows.net' },
        b: { client_id: 'app', environment: 'login.microsoftonline.com' },
      },
    });

  it('finds the same account by account as all at once', () => {
    const cache = troubled(250);
    const found = accountsToExamine(cache).flatMap((account) => examine(cache, { account }));
    expect(found.toSorted(bySeverity)).toEqual(examine(cache));
    expect(
      examine(cache)
        .map(({ kind }) => kind)
        .slice(0, 2),
    ).toEqual(['duplicate-app', 'token-without-account']);
    expect(found).toHaveLength(251);
  });

  it('examines one account only, where it is named', () => {
    const cache = troubled(3);
    const [finding, ...others] = examine(cache, { account: 'UID1.utid' });
    expect(others).toEqual([]);
    expect(finding?.entities[0]?.home_account_id).toBe('uid1.utid');
    expect(examine(cache, { account: '' }).map(({ kind }) => kind)).toEqual(['duplicate-app']);
    expect(examine(cache, { account: 'nobody' })).toEqual([]);
  });

  it('says what MSAL libraries make of two issuers on one host, and takes nothing away', () => {
    const cache = new SerializableTokenCache({ now: () => NOW });
    for (const realm of ['alpha', 'beta'])
      cache.add({
        client_id: 'app',
        scope: ['orders'],
        token_endpoint: `https://id.example/realms/${realm}/protocol/openid-connect/token`,
        response: {
          access_token: `access ${realm}`,
          refresh_token: `refresh ${realm}`,
          expires_in: 3600,
          id_token: jwt({ iss: `https://id.example/realms/${realm}`, sub: '5' }),
        },
      });
    const [finding, ...others] = examine(cache);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ kind: 'issuer-collision', repair: null });
    expect(finding!.entities.map(({ issuer }) => issuer)).toEqual([
      'https://id.example/realms/alpha',
      'https://id.example/realms/beta',
    ]);
    for (const { says } of finding!.causes) expect(says).toContain('https://id.example/realms/beta');
    const text = cache.serialize();
    repair(cache, 'all');
    expect(cache.serialize()).toBe(text);
  });

  it.each([0, MONTH * 3])(
    'never takes a token whose end nobody knows for expired, %i seconds later',
    (later) => {
      const cache = new SerializableTokenCache({ now: () => NOW });
      cache.add({
        client_id: 'app',
        scope: ['repo'],
        token_endpoint: 'https://github.com/login/oauth/access_token',
        grant_type: 'authorization_code',
        home_account_id: 'octo',
        response: { access_token: 'opaque', token_type: 'bearer', scope: 'repo' },
      });
      expect(examine(cache, { now: NOW + later })).toEqual([]);
    },
  );

  it('a repair of some looks at their accounts alone, and does what it does by ids', () => {
    const [one, other] = [troubled(9), troubled(9)];
    for (const cache of [one, other])
      cache.add(signIn({ id_token: jwt({ sub: 's', oid: 'uid' }) }, { client_id: 'app' }));
    const some = examine(one).filter((_, index) => index % 3 === 0);
    const byIds = repair(
      other,
      some.map(({ id }) => ({ id })),
    );
    expect(repair(one, some).difference).toEqual(byIds.difference);
    expect(byIds.difference.removed).not.toEqual([]);
    expect(one.serialize()).toBe(other.serialize());
  });
});

describe('can be undone', () => {
  const sick = (): SerializableTokenCache =>
    cacheOf({
      AccessToken: {
        a: token,
        b: { ...token, environment: 'sts.windows.net', secret: 'another secret' },
        c: { ...token, target: '' },
      },
      RefreshToken: { r: refresh },
      Account: { u: account, v: { ...account, realm: 'common', name: 'Ann' } },
    });

  it('whole', () => {
    const cache = sick();
    const before = JSON.parse(cache.serialize());
    const { undo } = repair(cache, examine(cache));
    expect(examine(cache)).toEqual([]);
    undoRepair(cache, undo);
    expect(JSON.parse(cache.serialize())).toEqual(before);
  });

  it('but not for an account that was signed out since', () => {
    const cache = sick();
    const { undo } = repair(
      cache,
      examine(cache).filter(({ kind }) => kind !== 'duplicate-account'),
    );
    cache.signOut('uid.utid');
    expect(undoRepair(cache, undo)).toEqual({ removed: [], added: [], changed: [] });
    expect(JSON.parse(cache.serialize())).not.toHaveProperty('Account.u');
  });

  it('and shows no secret on the way', () => {
    const cache = sick();
    const { undo } = repair(cache, examine(cache));
    expect(JSON.stringify({ undo })).toBe('{"undo":"[redacted]"}');
  });
});

describe('of any document', () => {
  const requests = HOMES.flatMap((home_account_id) =>
    ENVIRONMENTS.flatMap((environment) =>
      ['app-1', 'app-2'].flatMap((client_id) =>
        [['s1'], ['s2'], []].flatMap((scopes) =>
          [{}, { user_assertion_hash: 'h1' }, { margin: 900 }].map((more) => ({
            ...{ home_account_id, environment, client_id, scopes },
            ...more,
          })),
        ),
      ),
    ),
  );
  const served = (cache: TokenCache, now: number): boolean[][] =>
    requests.map((request) => {
      const { accessToken, refreshTokens } = lookup(cache, request, now);
      const redeemable = refreshTokens.filter(({ expires_on }) => !(Number(expires_on ?? NaN) <= now));
      return [accessToken !== undefined, redeemable.length > 0];
    });

  /** A document with refresh tokens that are refused, expired, or for a user assertion. */
  const troubled = fc.tuple(document, fc.infiniteStream(fc.nat(7))).map(([{ text }, kinds]) => {
    const roots = JSON.parse(text) as Document;
    for (const [key, each] of Object.entries(roots['RefreshToken'] ?? {})) {
      const { client_id, secret } = each as { client_id: string; secret: string };
      const refusal = { client_id, secret: hashText(secret) };
      const more = [
        {},
        {},
        { user_assertion_hash: 'h1' },
        { user_assertion_hash: 'h2' },
        { refusals: [refusal] },
        { refusals: [{ ...refusal, scopes: 's1' }] },
        { expires_on: '900' },
        { expires_on: '9000' },
      ][kinds.next().value];
      roots['RefreshToken']![key] = { ...(each as object), ...more };
    }
    return JSON.stringify(roots);
  });

  it('a repair removes nothing usable, leaves nothing to repair, and can be undone', () => {
    fc.assert(
      fc.property(troubled, (text) => {
        const now = 1000;
        const cache = new SerializableTokenCache({ now: () => now });
        cache.deserialize(text);
        const before: unknown = JSON.parse(cache.serialize());
        const answers = served(cache, now);
        const { undo } = repair(cache, examine(cache));
        for (const [index, [access, refreshes]] of served(cache, now).entries()) {
          const [hadAccess, hadRefresh] = answers[index]!;
          if (hadAccess === true) expect(access).toBe(true);
          if (hadRefresh === true) expect(refreshes).toBe(true);
        }
        undoRepair(cache, undo);
        expect(JSON.parse(cache.serialize()) as Entity).toEqual(before);
      }),
      { numRuns: 200 },
    );
  });
});
