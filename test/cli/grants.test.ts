// Not in npm run check: it opens vaults a hundred times.
/** Grants of `tokenkeep/oauth` in the command, and their records under Activity. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { merge } from '../../src-main/cache/document/merge.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { EXIT } from '../../src-main/cli/world.ts';
import { memoryKeychain, openVault } from '../../src-main/index.ts';
import { statusSource } from '../../src-main/ipc/account-views.ts';
import { activityOf } from '../../src-main/ipc/activity.ts';
import { cachedAccounts, historyOf } from '../../src-main/ipc/index.ts';
import type { Keychain } from '../../src-main/keychain/keychain.ts';
import { type Grant, openGrants } from '../../src-main/oauth/index.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import { type Io, nodeIo } from '../../src-main/vault/disk/file.ts';
import { openVaultIn } from '../../src-main/vault/vault.ts';
import { command } from './command.ts';

let home: string;
let keychain: Keychain;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-cli-grants-'));
  keychain = memoryKeychain();
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const now = (): number => Math.floor(Date.now() / 1000);
async function inVault<T>(task: (vault: Vault) => Promise<T>): Promise<T> {
  const file = join(home, '.config/Tokenkeep/accounts.vault');
  const vault = await openVault({ file, name: 'accounts', service: 'Tokenkeep', keychain });
  try {
    return await task(vault);
  } finally {
    await vault.close();
  }
}
const ISSUER = 'https://id.example';
const grant = (own: Partial<Grant> = {}, tokens: Record<string, unknown> = {}): Grant => ({
  account: { subject: 'sub-1', username: 'ada@id.example' },
  ...own,
  tokens: {
    access_token: 'at-old',
    refresh_token: 'rt-old',
    expires_in: 3600,
    scope: 'files mail',
    ...tokens,
  },
});
const add = (label: string, own: Grant, client_id = 'my-app') =>
  inVault((vault) => openGrants(vault, { issuer: ISSUER, client_id }).add(label, own));
const activity = () => inVault((vault) => vault.read((cache) => activityOf(cache, null, now()).events));
const GET = ['get', '--account', 'ada@id.example', '--scope', 'files'];

/** An issuer that records its requests and gives this answer. */
function provider(answer: Record<string, unknown>, status = 200, metadata: Record<string, unknown> = {}) {
  const sent: { url: string; body: string; authorization: string | null }[] = [];
  const fetch = (url: unknown, request?: RequestInit): Promise<Response> => {
    const authorization = new Headers(request?.headers).get('authorization');
    sent.push({
      url: String(url),
      body: String((request?.body ?? '') as URLSearchParams | ''),
      authorization,
    });
    const isMetadata = String(url).includes('/.well-known/oauth-authorization-server');
    if (isMetadata)
      return Promise.resolve(
        Response.json({ issuer: ISSUER, token_endpoint: `${ISSUER}/token`, ...metadata }),
      );
    if (String(url).includes('.well-known'))
      return Promise.resolve(new Response('Not found', { status: 404 }));
    return Promise.resolve(Response.json(answer, { status }));
  };
  return { sent, fetch };
}

describe('a grant', () => {
  it('is listed with its user, shown with its tokens, and its token printed', async () => {
    await add('work', grant());
    expect((await command({ home, keychain }, ['list'])).out).toMatch(/ada@id\.example .*vault/);
    expect((await command({ home, keychain }, ['show', 'ada@id.example'])).out).toMatch(
      /access +files mail +my-app/,
    );
    expect(await command({ home, keychain }, GET)).toMatchObject({ code: 0, out: 'at-old\n' });
    expect(JSON.parse((await command({ home, keychain }, [...GET, '--json'])).out)).toMatchObject({
      access_token: 'at-old',
      scope: 'files mail',
      token_type: 'Bearer',
    });
  });

  it('is the one that is valid for longest where a program keeps several under its labels', async () => {
    await add('first', grant({}, { access_token: 'at-first', expires_in: 600 }));
    await add('second', grant({}, { access_token: 'at-second', expires_in: 3600 }));
    await add('third', grant({}, { access_token: 'at-third', expires_in: 1200 }));
    expect(await command({ home, keychain }, GET)).toMatchObject({ code: 0, out: 'at-second\n' });
    expect(await command({ home, keychain }, [...GET, '--client', 'my-app'])).toMatchObject({
      out: 'at-second\n',
    });
    await add('fourth', grant({}, { access_token: 'at-other' }), 'other-app');
    const several = await command({ home, keychain }, GET);
    expect(several.code).toBe(EXIT.usage);
    expect(several.err.match(/--client/g)).toHaveLength(2);
  });

  it('is not one that does not say how long it is valid, and with --refresh one that can be refreshed', async () => {
    const { expires_in: _none, ...unknown } = grant({}, { access_token: 'at-unknown' }).tokens!;
    await add('first', { ...grant(), tokens: { ...unknown, refresh_token: undefined! } });
    await add('second', grant({}, { access_token: 'at-second', expires_in: 600 }));
    expect(await command({ home, keychain }, GET)).toMatchObject({ code: 0, out: 'at-second\n' });
    const { refresh_token: _other, ...alone } = grant({}, { access_token: 'at-alone' }).tokens!;
    await add('third', { ...grant(), tokens: alone });
    expect(await command({ home, keychain }, GET)).toMatchObject({ code: 0, out: 'at-alone\n' });
    const { fetch } = provider({ access_token: 'at-new', expires_in: 3600, token_type: 'bearer' });
    const ran = await command({ home, keychain }, [...GET, '--refresh'], { fetch });
    expect(ran).toMatchObject({ code: 0, out: 'at-new\n' });
  });

  it('is refreshed at the endpoint that its issuer publishes, with its registration, and kept', async () => {
    await add('work', grant({ client: { client_id: 'registered', client_secret: 'cs' } }, { expires_in: 1 }));
    const { sent, fetch } = provider({
      access_token: 'at-new',
      refresh_token: 'rt-new',
      expires_in: 3600,
      token_type: 'bearer',
    });
    const ran = await command({ home, keychain }, [...GET, '--header'], { fetch, now: () => now() + 100 });
    expect(ran).toMatchObject({ code: 0, out: 'Authorization: Bearer at-new\n' });
    expect(sent.at(-1)?.url).toBe(`${ISSUER}/token`);
    expect(Object.fromEntries(new URLSearchParams(sent.at(-1)?.body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt-old',
    });
    expect(sent.at(-1)?.authorization).toBe(`Basic ${Buffer.from('registered:cs').toString('base64')}`);
    const kept = await inVault((vault) =>
      openGrants(vault, { issuer: ISSUER, client_id: 'my-app' }).get('work'),
    );
    expect(kept?.tokens).toMatchObject({ refresh_token: 'rt-new' });
    expect(await activity()).toMatchObject([{ kind: 'refresh', client_ids: ['my-app'], automatic: false }]);
  });

  it.each([
    ['client_secret_basic', ['client_secret_post', 'client_secret_basic'], true],
    ['client_secret_post', ['client_secret_post', 'client_secret_basic'], false],
    [undefined, ['client_secret_basic'], true],
    [undefined, ['client_secret_post'], false],
    ['client_secret_basic', ['client_secret_post'], false],
  ])('sends its secret as the client (%s) and the server (%j) support it', async (own, server, isBasic) => {
    const client = { client_id: 'registered', client_secret: 'cs', token_endpoint_auth_method: own };
    await add('work', grant({ client }, { expires_in: 1 }));
    const { sent, fetch } = provider({ access_token: 'at-new', expires_in: 3600 }, 200, {
      token_endpoint_auth_methods_supported: server,
    });
    const ran = await command({ home, keychain }, GET, { fetch, now: () => now() + 100 });
    expect(ran).toMatchObject({ code: 0, out: 'at-new\n' });
    expect(sent.at(-1)?.authorization !== null).toBe(isBasic);
    expect(new URLSearchParams(sent.at(-1)?.body).has('client_secret')).toBe(!isBasic);
  });

  it.each(['ECONNRESET', 'TimeoutError'])(
    'says that its token may be used up where no answer came: %s',
    async (what) => {
      await add('work', grant({}, { expires_in: 1 }));
      const { fetch } = provider({});
      const cut = (url: unknown, request?: RequestInit): Promise<Response> =>
        request?.method === 'POST'
          ? Promise.reject(
              what === 'TimeoutError'
                ? new DOMException('Too late', what)
                : new TypeError('fetch failed', { cause: Object.assign(new Error(what), { code: what }) }),
            )
          : fetch(url, request);
      const ran = await command({ home, keychain }, GET, { fetch: cut, now: () => now() + 100 });
      expect(ran.code).toBe(EXIT.failed);
      expect(ran.err).toContain('It may have received the refresh token all the same');
    },
  );

  it('that can’t be saved is said to be lost', async () => {
    await add('work', grant({}, { expires_in: 1 }));
    const { fetch } = provider({ access_token: 'at-new', refresh_token: 'rt-new', expires_in: 3600 });
    let isFull = false;
    const full: Io = {
      ...nodeIo,
      open: async (path, flags, mode) => {
        if (isFull && flags !== 'r') throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
        return nodeIo.open(path, flags, mode);
      },
    };
    const ran = await command({ home, keychain }, GET, {
      now: () => now() + 100,
      openVault: (options) => openVaultIn(options, { io: full }),
      fetch: (url, request) => {
        isFull = request?.method === 'POST';
        return fetch(url, request);
      },
    });
    expect(ran).toMatchObject({ code: EXIT.failed, out: '' });
    expect(ran.err).toMatch(
      /^tokenkeep: The disk is full\..+\nThe provider had given new tokens, which are lost\./,
    );
  });

  describe('of a slow provider', () => {
    /** Deadlines that pass while the provider answers, whose every answer takes this long. `isLate`: an answer after its deadline is lost. */
    function slow(seconds: number, answer: Record<string, unknown>, isLate = true) {
      let clock = 0;
      const deadlines: { at: number; controller: AbortController }[] = [];
      vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
        const controller = new AbortController();
        deadlines.push({ at: clock + ms, controller });
        return controller.signal;
      });
      const { sent, fetch } = provider(answer);
      const slowly = (url: unknown, request?: RequestInit): Promise<Response> => {
        clock += seconds * 1000;
        for (const { at, controller } of deadlines)
          if (at <= clock) controller.abort(new DOMException('Too late', 'TimeoutError'));
        return isLate && request?.signal?.aborted === true
          ? Promise.reject(request.signal.reason as Error)
          : fetch(url, request);
      };
      return { sent, fetch: slowly, now: () => now() + 100 };
    }
    afterEach(() => vi.restoreAllMocks());

    it('keeps an answer of which each part came in time, and holds signals back from the last one on', async () => {
      await add('work', grant({}, { expires_in: 1 }));
      const world = slow(14, { access_token: 'at-new', refresh_token: 'rt-new', expires_in: 3600 });
      const holds: string[] = [];
      const hold = () => {
        holds.push(`after ${world.sent.length}`);
        return () => void holds.push('released');
      };
      expect(await command({ home, keychain }, GET, { ...world, hold })).toMatchObject({
        code: 0,
        out: 'at-new\n',
      });
      expect(holds).toEqual(['after 2', 'released']);
      const kept = await inVault((vault) =>
        openGrants(vault, { issuer: ISSUER, client_id: 'my-app' }).get('work'),
      );
      expect(kept?.tokens).toMatchObject({ refresh_token: 'rt-new' });
    });

    it('keeps what it answers, although the command stood still in between', async () => {
      await add('work', grant({}, { expires_in: 1 }));
      const answer = { access_token: 'at-new', refresh_token: 'rt-new', expires_in: 3600 };
      const ran = await command({ home, keychain }, GET, slow(600, answer, false));
      expect(ran).toMatchObject({ code: 0, out: 'at-new\n' });
      const kept = await inVault((vault) =>
        openGrants(vault, { issuer: ISSUER, client_id: 'my-app' }).get('work'),
      );
      expect(kept?.tokens).toMatchObject({ refresh_token: 'rt-new' });
    });

    it('does not send its token if the metadata come too late', async () => {
      await add('work', grant({}, { expires_in: 1 }));
      const world = slow(30, { access_token: 'at-new', refresh_token: 'rt-new', expires_in: 3600 });
      const ran = await command({ home, keychain }, GET, world);
      expect(ran).toMatchObject({ code: EXIT.failed, out: '' });
      expect(ran.err).toContain('id.example was not reached');
      expect(world.sent.map(({ url }) => url)).not.toContain(`${ISSUER}/token`);
    });
  });

  it('that was imported is refreshed after a question that names where its token goes; an own one without', async () => {
    const elsewhere = await openVault({ file: join(home, 'elsewhere.vault'), keychain: memoryKeychain() });
    await openGrants(elsewhere, { issuer: ISSUER, client_id: 'their-app' }).add(
      'theirs',
      grant({}, { refresh_token: 'rt-theirs', expires_in: 1, scope: 'files' }),
    );
    const copy = join(home, 'copy.json');
    const document = new SerializableTokenCache();
    await elsewhere.read((cache) => merge(document, cache));
    writeFileSync(copy, document.serialize());
    await elsewhere.close();
    await add('own', grant({}, { expires_in: 1, scope: 'mail' }));
    await command({ home, keychain }, ['import', copy]);
    const { sent, fetch } = provider({ access_token: 'at-new', refresh_token: 'rt-new', expires_in: 3600 });
    const later = { fetch, now: () => now() + 100 };
    expect((await command({ home, keychain }, ['list'], later)).out).toMatch(/ada@id\.example .*Active /);

    const own = await command(
      { home, keychain },
      ['get', '--account', 'ada@id.example', '--scope', 'mail'],
      later,
    );
    expect(own).toMatchObject({ code: 0, out: 'at-new\n', err: '' });
    const asked = sent.length;
    const script = await command({ home, keychain }, GET, later);
    expect(script).toMatchObject({ code: EXIT.signInRequired, out: '' });
    expect(script.err).toContain(`imported from ${copy}`);
    expect(script.err).toContain(`names ${ISSUER} as its provider, and its refresh token goes there`);
    expect(sent).toHaveLength(asked);
    const yes = await command({ home, keychain }, GET, {
      ...later,
      isInteractive: true,
      ask: () => Promise.resolve('y'),
    });
    expect(yes).toMatchObject({ code: 0, out: 'at-new\n' });
    expect(sent.at(-1)?.body).toContain('refresh_token=rt-theirs');
    const again = await command({ home, keychain }, [...GET, '--refresh'], later);
    expect(again).toMatchObject({ code: 0, err: '' });
  });

  it('that was imported and never tried makes nobody active', async () => {
    const elsewhere = await openVault({ file: join(home, 'elsewhere.vault'), keychain: memoryKeychain() });
    await openGrants(elsewhere, { issuer: ISSUER, client_id: 'my-app' }).add(
      'theirs',
      grant({}, { expires_in: 1 }),
    );
    const copy = join(home, 'copy.json');
    const document = new SerializableTokenCache();
    await elsewhere.read((cache) => merge(document, cache));
    writeFileSync(copy, document.serialize());
    await elsewhere.close();
    await command({ home, keychain }, ['import', copy]);
    const status = () =>
      inVault((vault) =>
        vault.read((cache) => {
          const [account] = cachedAccounts(cache).byId.values();
          return statusSource(account!, now() + 100, historyOf(cache, account!.id)).status;
        }),
      );
    const { fetch } = provider({ access_token: 'at-new', refresh_token: 'rt-new', expires_in: 3600 });
    const later = { fetch, now: () => now() + 100, isInteractive: true, ask: () => Promise.resolve('y') };
    expect((await command({ home, keychain }, ['list'], later)).out).toMatch(/ada@id\.example .*Unknown /);
    expect(await status()).toMatchObject({ state: 'renews', untried: true });
    expect((await command({ home, keychain }, GET, later)).code).toBe(0);
    expect((await command({ home, keychain }, ['list'], later)).out).toMatch(/ada@id\.example .*Active /);
    expect(await status()).not.toHaveProperty('untried');
  });

  it('of an account whose other tokens were imported is refreshed without a question', async () => {
    const cache = new SerializableTokenCache();
    cache.add({
      client_id: 'msal-app',
      scope: ['mail'],
      token_endpoint: `${ISSUER}/token`,
      home_account_id: 'sub-1',
      data: { username: 'ada@id.example', issuer: ISSUER },
      response: { access_token: 'at-msal', refresh_token: 'rt-msal', expires_in: 3600 },
    });
    const file = join(home, 'cache.json');
    writeFileSync(file, cache.serialize());
    await add('own', grant({}, { expires_in: 1, scope: 'files' }));
    await command({ home, keychain }, ['import', file]);
    const { fetch } = provider({ access_token: 'at-new', refresh_token: 'rt-new', expires_in: 3600 });
    const later = { fetch, now: () => now() + 100 };
    const own = await command({ home, keychain }, [...GET, '--client', 'my-app'], later);
    expect(own).toMatchObject({ code: 0, out: 'at-new\n', err: '' });
    const theirs = [
      'get',
      '--account',
      'ada@id.example',
      '--scope',
      'mail',
      '--client',
      'msal-app',
      '--refresh',
    ];
    expect(await command({ home, keychain }, theirs, later)).toMatchObject({ code: EXIT.signInRequired });
  });

  it('that was refused needs a sign-in, and is not sent again', async () => {
    await add('work', grant({}, { expires_in: 1 }));
    const { sent, fetch } = provider({ error: 'invalid_grant' }, 400);
    const later = { fetch, now: () => now() + 100 };
    expect((await command({ home, keychain }, GET, later)).code).toBe(EXIT.signInRequired);
    const asked = sent.length;
    expect((await command({ home, keychain }, GET, later)).code).toBe(EXIT.signInRequired);
    expect(sent).toHaveLength(asked);
  });

  it('that was refused says when and with which code, and Activity has it', async () => {
    await add('work', grant({}, { expires_in: 1 }));
    const at = now() + 7200;
    const { fetch } = provider(
      { error: 'invalid_grant', error_description: 'AADSTS50173: secret-hint' },
      400,
    );
    const later = { fetch, now: () => at };
    expect((await command({ home, keychain }, GET, later)).code).toBe(EXIT.signInRequired);
    const listed = await command({ home, keychain }, ['list', '--json'], { now: () => at + 60 });
    expect(JSON.parse(listed.out)).toMatchObject([
      { status: 'Needs sign-in', reason: 'revoked', since: at, code: 'invalid_grant, AADSTS50173' },
    ]);
    const { out } = await command({ home, keychain }, ['show', 'ada@id.example'], { now: () => at + 60 });
    expect(out).toContain('id.example refused my-app’s refresh token, which was revoked ');
    const events = await inVault((vault) => vault.read((cache) => activityOf(cache, null, at).events));
    expect(events).toMatchObject([{ kind: 'refused', client_id: 'my-app', provider: 'id.example', at }]);
    expect(JSON.stringify(events)).not.toContain('secret-hint');
  });

  it('that another program was refused says when that was', async () => {
    await add('work', grant({}, { expires_in: 1 }));
    const at = now() + 7200;
    await inVault((vault) =>
      openGrants(vault, { issuer: ISSUER, client_id: 'my-app', now: () => at }).fresh('work', () =>
        Promise.resolve({ error: 'invalid_grant' }),
      ),
    ).catch(() => undefined);
    const listed = await command({ home, keychain }, ['list', '--json'], { now: () => at + 60 });
    expect(JSON.parse(listed.out)).toMatchObject([{ status: 'Needs sign-in', since: at }]);
  });

  it.each([
    ['\u001b[2Jexpired', 'unknown'],
    ['unauthorized_client', 'unauthorized_client'],
  ])('prints the error %j of a provider as a code', async (error, code) => {
    await add('work', grant({}, { expires_in: 1 }));
    const { fetch } = provider({ error }, 400);
    const { err } = await command({ home, keychain }, GET, { fetch, now: () => now() + 100 });
    expect(err).toContain(`did not give a token (${code}).`);
    expect(err).not.toContain('\u001b');
  });

  it('that needs the user needs a sign-in', async () => {
    await add('work', grant({}, { expires_in: 1 }));
    const { fetch } = provider({ error: 'interaction_required' }, 400);
    const ran = await command({ home, keychain }, GET, { fetch, now: () => now() + 100 });
    expect(ran).toMatchObject({
      code: EXIT.signInRequired,
      err: expect.stringContaining('without asking the user') as string,
    });
  });

  it('that is bound to a key is left to its program', async () => {
    await add('work', grant({ keys: { dpop: { kty: 'EC' } } }, { expires_in: 1, token_type: 'DPoP' }));
    const { sent, fetch } = provider({});
    const { code, err } = await command({ home, keychain }, GET, { fetch, now: () => now() + 100 });
    expect(code).toBe(EXIT.failed);
    expect(err).toContain('bound to a key');
    expect(sent).toEqual([]);
  });

  describe('for an MCP server', () => {
    const SERVER = 'https://mcp.example/mcp';
    const AS = 'https://login.mcp-provider.example';
    const kept = (own: Partial<Grant>, tokens: Record<string, unknown> = {}): Grant =>
      grant(own, { expires_in: 1, ...tokens });
    const discovery = {
      authorizationServerUrl: `${AS}/`,
      authorizationServerMetadata: { issuer: AS, token_endpoint: `${AS}/token` },
      resourceMetadata: { resource: SERVER },
    };
    const addAtServer = (own: Grant) =>
      inVault((vault) => openGrants(vault, { issuer: SERVER, client_id: 'my-agent' }).add('default', own));
    /** Every host publishes metadata of its own, the MCP server too. */
    function everywhere() {
      const sent: { url: string; body: string }[] = [];
      const fetch = (input: unknown, request?: RequestInit): Promise<Response> => {
        const url = String(input);
        const { origin } = new URL(url);
        const issuer = origin === AS ? AS : SERVER;
        if (url.includes('.well-known'))
          return Promise.resolve(Response.json({ issuer, token_endpoint: `${origin}/token` }));
        sent.push({ url, body: String((request?.body ?? '') as URLSearchParams | '') });
        return Promise.resolve(
          Response.json({ access_token: 'at-new', refresh_token: 'rt-new', expires_in: 3600 }),
        );
      };
      return { sent, fetch, now: () => now() + 100 };
    }

    it('is refreshed at the authorization server that issued it, for the server that it is for', async () => {
      await addAtServer(kept({ discovery, client: { client_id: 'registered' } }, { issuer: AS }));
      const world = everywhere();
      expect(await command({ home, keychain }, GET, world)).toMatchObject({ code: 0, out: 'at-new\n' });
      expect(world.sent.map(({ url }) => url)).toEqual([`${AS}/token`]);
      expect(Object.fromEntries(new URLSearchParams(world.sent[0]?.body))).toEqual({
        grant_type: 'refresh_token',
        refresh_token: 'rt-old',
        client_id: 'registered',
        resource: SERVER,
      });
      const after = await inVault((vault) =>
        openGrants(vault, { issuer: SERVER, client_id: 'my-agent' }).get('default'),
      );
      expect(after?.tokens).toMatchObject({ refresh_token: 'rt-new', issuer: AS });
    });

    it.each([
      ['the tokens name no issuer', kept({ discovery })],
      ['the server names another one since', kept({ discovery }, { issuer: 'https://other.example' })],
      ['the discovery is forgotten', kept({}, { issuer: AS })],
      ['only the endpoint is known', kept({ data: { tokenEndpoint: `${AS}/token` } })],
      ['not even the endpoint is known', kept({ data: { tokenEndpoint: null } })],
    ])('keeps its refresh token where %s', async (_why, own) => {
      await addAtServer(own);
      const world = everywhere();
      const ran = await command({ home, keychain }, GET, world);
      expect(ran).toMatchObject({ code: EXIT.failed, out: '' });
      expect(ran.err).toContain('does not say which authorization server');
      expect(world.sent).toEqual([]);
    });
  });

  it('of a scope that was not granted needs a sign-in; of several clients, one has to be named', async () => {
    await add('work', grant());
    const other = await command({ home, keychain }, [
      'get',
      '--account',
      'ada@id.example',
      '--scope',
      'admin',
    ]);
    expect(other.code).toBe(EXIT.signInRequired);
    expect(other.err).toContain('files mail');
    await add('work', grant({}, { access_token: 'at-other' }), 'other-app');
    const several = await command({ home, keychain }, GET);
    expect(several.code).toBe(EXIT.usage);
    expect(several.err).toContain('--client my-app or --client other-app');
    expect((await command({ home, keychain }, [...GET, '--client', 'other-app'])).out).toBe('at-other\n');
  });

  it('is signed out with its account', async () => {
    await add('work', grant());
    const { code, out } = await command({ home, keychain }, ['signout', 'ada@id.example', '--yes']);
    expect(code).toBe(0);
    expect(out).toMatch(/Signed out +vault/);
    expect((await command({ home, keychain }, ['list'])).out).toBe('Nobody is signed in.\n');
  });
});

describe('activity', () => {
  const response = tokenResponse({ username: 'ada@example.org' });
  const store = () => inVault((vault) => vault.update((cache) => void cache.add(response)));
  function azureCli(): void {
    const cache = new SerializableTokenCache();
    cache.add(response);
    mkdirSync(join(home, '.azure'));
    writeFileSync(join(home, '.azure/msal_token_cache.json'), cache.serialize({ dialect: 'msal-python' }));
  }

  it('has one event for a sign-out, with the tokens of all places', async () => {
    await store();
    azureCli();
    await command({ home, keychain }, ['signout', 'ada@example.org', '--yes']);
    expect(await activity()).toMatchObject([{ kind: 'sign-out', tokens: 6, accounts: [{}] }]);
  });

  it('has a sign-out of another program alone, and makes no vault for it', async () => {
    azureCli();
    expect((await command({ home, keychain }, ['signout', 'ada@example.org', '--yes'])).code).toBe(0);
    expect((await command({ home, keychain }, ['sources'])).out).toContain('no vault yet');
    rmSync(join(home, '.azure'), { recursive: true });
    azureCli();
    await inVault((vault) =>
      vault.update((cache) => void cache.add(tokenResponse({ username: 'ben@example.org' }))),
    );
    await command({ home, keychain }, ['signout', 'ada@example.org', '--yes']);
    expect(await activity()).toMatchObject([
      { kind: 'sign-out', tokens: 3, accounts: [{ name: expect.stringContaining('ada') as string }] },
    ]);
  });

  it('has exports, imports and a token that was printed to a terminal, and no reading', async () => {
    await store();
    const scope = String(response.scope);
    const words = ['get', '--account', 'ada@example.org', '--scope', scope];
    await command({ home, keychain }, words);
    await command({ home, keychain }, ['list']);
    await command({ home, keychain }, ['verify']);
    await command({ home, keychain }, ['doctor', '--repair']);
    expect(await activity()).toEqual([]);
    const out = { write: () => undefined, isTerminal: true };
    expect((await command({ home, keychain }, [...words, '--reveal'], { out })).code).toBe(0);
    const stdin = 'seven-warm-lanterns-drift-north\n';
    const copy = join(home, 'copy.age');
    expect((await command({ home, keychain }, ['export', copy, '--passphrase-stdin'], { stdin })).code).toBe(
      0,
    );
    expect((await command({ home, keychain }, ['import', copy, '--passphrase-stdin'], { stdin })).code).toBe(
      0,
    );
    const events = await activity();
    expect(events.map(({ kind }) => kind).sort()).toEqual(['export', 'import', 'reveal']);
    expect(JSON.stringify(events)).not.toContain('secret');
  });
});
