import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { accountList } from '../../src-main/ipc/account-views.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { decoded, identify, tokenItems } from '../../src-main/ipc/token-views.ts';
import { cacheOf, documents, secretsIn, vectorText } from './vectors.ts';

const NOW = Date.UTC(2026, 5, 1, 12, 30) / 1000;

describe.each(documents)('$file', ({ file, accounts, app_only, tokens }) => {
  const text = vectorText('documents', file);
  const cache = cacheOf(text);
  const cached = cachedAccounts(cache);

  it('shows every user once, and every app-only token', async () => {
    const list = await accountList(cache, NOW);
    expect(list.accounts.filter(({ kind }) => kind === 'user')).toHaveLength(accounts);
    expect(list.accounts.filter(({ kind }) => kind === 'orphan')).toEqual([]);
    expect(list.totals.accounts).toBe(accounts);
    expect(list.totals.notUnderstood).toBe(0);
    const ofApps = list.accounts.filter(({ kind }) => kind === 'app');
    expect(ofApps.reduce((sum, app) => sum + app.tokens.AccessToken, 0)).toBe(app_only);
    expect(list.totals.apps).toBe(ofApps.length);
    expect(list.totals.tokens).toBe(tokens.AccessToken + tokens.RefreshToken + tokens.IdToken);
  });

  it('shows every token, under an id of its own that stays', () => {
    const items = [...cached.byId.values()].flatMap(tokenItems);
    const count = (type: string) => items.filter((item) => item.type === type).length;
    expect(count('AccessToken')).toBe(tokens.AccessToken);
    expect(count('RefreshToken')).toBe(tokens.RefreshToken);
    expect(count('IdToken')).toBe(tokens.IdToken);
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    const again = [...cachedAccounts(cacheOf(text)).byId.values()].flatMap(tokenItems);
    expect(again.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
  });

  it('holds no secret in anything that is shown', async () => {
    const shown = JSON.stringify([
      await accountList(cache, NOW),
      ...[...cached.byId.values()].flatMap((account) => [
        tokenItems(account),
        ...identify(account).map(({ token }) => decoded(token)),
      ]),
    ]);
    const secrets = secretsIn(text);
    expect(secrets.length).toBeGreaterThan(0);
    for (const secret of secrets) expect(shown).not.toContain(secret);
  });
});

describe('what a token says', () => {
  const token = (claims: object, fields: object = {}) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return {
      credential_type: 'AccessToken',
      secret: `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmF0dXJlc2lnbmF0dXJl`,
      home_account_id: 'u.t',
      environment: 'login.microsoftonline.com',
      client_id: 'app',
      realm: 't',
      target: 'User.Read',
      cached_at: '1000',
      expires_on: '4600',
      ...fields,
    };
  };
  const itemsOf = (...tokens: object[]) => {
    const AccessToken = Object.fromEntries(tokens.map((value, index) => [`key ${index}`, value]));
    const cached = cachedAccounts(cacheOf(JSON.stringify({ AccessToken })));
    return [...cached.byId.values()].flatMap(tokenItems);
  };

  it('the audience, from the claim, or from scopes that name a resource', () => {
    expect(itemsOf(token({ aud: 'api://orders' }))[0]?.audience).toBe('api://orders');
    expect(itemsOf(token({ aud: ['a', 'b'] }))[0]?.audience).toBe('a b');
    const opaque = { secret: 'opaque-opaque', target: 'https://vault.example/.default openid' };
    expect(itemsOf(token({}, opaque))[0]).toMatchObject({
      audience: 'https://vault.example',
      format: 'opaque',
    });
    expect(itemsOf(token({}, { secret: 'opaque-opaque' }))[0]?.audience).toBeNull();
  });

  it('the app’s name, for all of its tokens', () => {
    const items = itemsOf(
      token({ app_displayname: 'Mail Assistant' }),
      token({}, { client_id: 'APP', target: 'x' }),
    );
    expect(items.map((item) => item.client_name)).toEqual(['Mail Assistant', 'Mail Assistant']);
  });

  it('the same id after a refresh, and one of its own for each of two that denote one credential', () => {
    const before = itemsOf(token({ v: 1 }));
    const after = itemsOf(token({ v: 2 }, { cached_at: '2000', expires_on: '5600' }));
    expect(after[0]?.id).toBe(before[0]?.id);
    const twice = itemsOf(token({ v: 1 }), token({ v: 2 }));
    expect(new Set(twice.map(({ id }) => id)).size).toBe(2);
  });

  it('no time if the provider gave no lifetime', () => {
    const placeholder = { extended_expires_on: '4600', unknown_expiry: '4600' };
    expect(itemsOf(token({}, placeholder))[0]).toMatchObject({ expires_on: null, extended_expires_on: null });
    // Another library replaced the token, but kept the field.
    expect(itemsOf(token({}, { unknown_expiry: '4000' }))[0]?.expires_on).toBe(4600);
  });

  it.each<[string, object[], object]>([
    ['a placeholder is no expiry', [{ unknown_expiry: '4600' }], { nextExpiry: null, lastExpiry: null }],
    [
      'one unknown lifetime leaves the last expiry open',
      [{ unknown_expiry: '4600' }, { expires_on: '3000' }],
      { nextExpiry: 3000, lastExpiry: null },
    ],
    [
      'a token from the future is not counted on',
      [{ cached_at: '2500', expires_on: '9000' }, { expires_on: '3000' }],
      { nextExpiry: 3000, lastExpiry: 3000 },
    ],
    ['an expired token has no next expiry', [{ expires_on: '1500' }], { nextExpiry: null, lastExpiry: 1500 }],
  ])('%s', async (_name, fields, expected) => {
    const AccessToken = Object.fromEntries(
      fields.map((own, index) => [`key ${index}`, token({ index }, own)]),
    );
    const { accounts } = await accountList(cacheOf(JSON.stringify({ AccessToken })), 2000);
    expect(accounts).toHaveLength(1);
    expect(accounts[0]).toMatchObject(expected);
  });

  it('no time where a field holds none', () => {
    expect(itemsOf(token({}))[0]).toMatchObject({
      cached_at: 1000,
      expires_on: 4600,
      extended_expires_on: null,
      refresh_on: null,
      last_modification_time: null,
    });
  });

  it('its claims as JSON text, in their order, whatever their names', () => {
    const cached = cachedAccounts(
      cacheOf(
        JSON.stringify({
          AccessToken: { k: token(JSON.parse('{"b":[1,{"c":null}],"__proto__":"x","a":"<b>"}')) },
        }),
      ),
    );
    const [account] = cached.byId.values();
    expect(decoded(identify(account!)[0]!.token)).toEqual({
      mark: expect.any(String) as string,
      format: 'jwt',
      header: [{ name: 'alg', json: '"RS256"' }],
      payload: [
        { name: 'b', json: '[1,{"c":null}]' },
        { name: '__proto__', json: '"x"' },
        { name: 'a', json: '"<b>"' },
      ],
    });
  });

  it('its numbers to the last digit, and its claims in its own order', () => {
    const claims = '{ "uid" : 1234567890123456789, "7": {"2":[0.1,-12345678901234567890]}, "1" : 1 }';
    const secret = `${Buffer.from('{"alg":"RS256","x":9007199254740993}').toString('base64url')}.${Buffer.from(claims).toString('base64url')}.c2ln`;
    const cached = cachedAccounts(cacheOf(JSON.stringify({ AccessToken: { k: token({}, { secret }) } })));
    const [account] = cached.byId.values();
    expect(decoded(identify(account!)[0]!.token)).toMatchObject({
      header: [
        { name: 'alg', json: '"RS256"' },
        { name: 'x', json: '9007199254740993' },
      ],
      payload: [
        { name: 'uid', json: '1234567890123456789' },
        { name: '7', json: '{"2":[0.1,-12345678901234567890]}' },
        { name: '1', json: '1' },
      ],
    });
  });

  it('nothing but its length where it is opaque', () => {
    const cached = cachedAccounts(
      cacheOf(JSON.stringify({ AccessToken: { k: token({}, { secret: 'opaque-opaque' }) } })),
    );
    const [account] = cached.byId.values();
    expect(decoded(identify(account!)[0]!.token)).toMatchObject({ format: 'opaque', length: 13 });
  });

  it('a mark that tells a token from the one that replaced it, and no hash of it that a window could make', () => {
    const markOf = (secret: string) => {
      const cached = cachedAccounts(cacheOf(JSON.stringify({ AccessToken: { k: token({}, { secret }) } })));
      const [only] = identify([...cached.byId.values()][0]!);
      return { id: only!.id, mark: decoded(only!.token).mark };
    };
    expect(markOf('first')).toEqual(markOf('first'));
    expect(markOf('other').id).toBe(markOf('first').id);
    expect(markOf('other').mark).not.toBe(markOf('first').mark);
    for (const encoding of ['base64url', 'hex'] as const)
      expect(hash('sha256', 'first', encoding)).not.toContain(markOf('first').mark);
  });
});

describe('the list', () => {
  const account = (fields: object) => ({
    home_account_id: 'u.t',
    environment: 'login.microsoftonline.com',
    realm: 't',
    local_account_id: 'u',
    username: 'ada@contoso.example',
    authority_type: 'MSSTS',
    ...fields,
  });
  const refreshToken = (fields: object) => ({
    credential_type: 'RefreshToken',
    secret: 'refresh-refresh',
    home_account_id: 'u.t',
    environment: 'login.microsoftonline.com',
    client_id: 'app',
    ...fields,
  });
  const list = async (document: object) =>
    (await accountList(cacheOf(JSON.stringify(document)), NOW)).accounts;

  it('has one line for a user under two aliases of a cloud, in two tenants, in any case', async () => {
    const lines = await list({
      Account: {
        a: account({}),
        b: account({ environment: 'login.windows.net', realm: 'other', home_account_id: 'U.T' }),
      },
      RefreshToken: {
        a: refreshToken({}),
        b: refreshToken({ environment: 'sts.windows.net', client_id: 'second', home_account_id: 'U.t' }),
      },
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ kind: 'user', clients: ['app', 'second'], tokens: { RefreshToken: 2 } });
    expect(lines[0]?.tenants.map(({ realm }) => realm)).toEqual(['t', 'other']);
  });

  it('has two lines for one subject at two providers', async () => {
    const lines = await list({
      Account: { a: account({ environment: 'a.example' }), b: account({ environment: 'b.example' }) },
    });
    expect(lines.map(({ environment }) => environment)).toEqual(['a.example', 'b.example']);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(2);
  });

  it('has a line for tokens whose account is not there, under the id that the account would have', async () => {
    const [orphan] = await list({ RefreshToken: { a: refreshToken({}) } });
    const [user] = await list({ Account: { a: account({}) } });
    expect(orphan).toMatchObject({ kind: 'orphan', home_account_id: 'u.t', username: '', name: null });
    expect(orphan?.id).toBe(user?.id);
  });

  it('takes a name or a username of spaces for none', async () => {
    const [spaces] = await list({ Account: { a: account({ name: ' \u3000', username: '\n' }) } });
    expect(spaces).toMatchObject({ name: null, username: '' });
  });

  it('keeps the soonest expiry to come apart from the latest of all', async () => {
    const at = (expires_on: number, target: string) => ({
      ...refreshToken({ credential_type: 'AccessToken', realm: 't', target }),
      cached_at: String(NOW - 9000),
      expires_on: String(expires_on),
    });
    const [line] = await list({
      AccessToken: { a: at(NOW - 10, 'a'), b: at(NOW + 90, 'b'), c: at(NOW + 20, 'c') },
    });
    expect(line).toMatchObject({ nextExpiry: NOW + 20, lastExpiry: NOW + 90, since: NOW - 9000 });
    const [gone] = await list({ AccessToken: { a: at(NOW - 10, 'a') } });
    expect(gone).toMatchObject({ nextExpiry: null, lastExpiry: NOW - 10 });
  });

  it('is worked out anew when the cache changes', () => {
    const cache = cacheOf(JSON.stringify({ Account: { a: account({}) } }));
    expect(cachedAccounts(cache).byId.size).toBe(1);
    expect(cachedAccounts(cache)).toBe(cachedAccounts(cache));
    cache.signOut('u.t');
    expect(cachedAccounts(cache).byId.size).toBe(0);
  });
});
