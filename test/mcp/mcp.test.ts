/** `tokenkeep/mcp` with the SDK's own client, a real MCP server and a real authorization server. */
import { join } from 'node:path';
import { auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type CacheHandle,
  inMemory,
  memoryKeychain,
  openVault,
  SignInRequiredError,
  TokenCache,
  type Vault,
} from '../../src-main/index.ts';
import { openGrants } from '../../src-main/oauth/index.ts';
import { mcpOAuthProvider } from '../../src-main/oauth/mcp/index.ts';
import { FakeKeychain } from '../vault/fakes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type RunningMcpServer, startMcpServer } from './server.ts';
import { agent, call, signIn } from './sign-in.ts';

let server: RunningMcpServer;
const vaults: Vault[] = [];
beforeAll(async () => {
  server = await startMcpServer({ accessTokenTtl: 300 });
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const vault of vaults.splice(0)) await vault.close();
  server.provider.events.clear();
  server.provider.outages.clear();
  server.refused = 0;
});

/** Opens one vault file several times, as several processes would. */
async function handles(count: number, keychain = memoryKeychain()): Promise<Vault[]> {
  const file = join(temporaryFolder(), 'agents.vault');
  for (let index = 0; index < count; index += 1) vaults.push(await openVault({ file, keychain }));
  return vaults.slice(-count);
}

const counts = () => {
  const { events } = server.provider;
  return {
    refreshed: events.count('refreshed'),
    reused: events.count('reused'),
    refused: events.count('refused'),
  };
};

/** Marks the stored access token as expired. */
async function expire(handle: CacheHandle, serverUrl = server.url): Promise<void> {
  const grants = openGrants(handle, { issuer: serverUrl, client_id: 'My agent' });
  await grants.change('default', (grant) => ({ ...grant, expires_at: 1 }));
}

const storedIn = (handle: CacheHandle) =>
  openGrants(handle, { issuer: server.url, client_id: 'My agent' }).get('default');

const tokensFor = (more: object) => ({
  access_token: 'a',
  token_type: 'Bearer',
  refresh_token: 'r',
  ...more,
});

describe('one agent', () => {
  it('registers, signs in, calls a tool, survives a restart and signs out', async () => {
    const [first, second] = await handles(2);
    const one = agent(first!, server);
    await signIn(one, server);
    expect(await call(one, server)).toContain('order 1');
    const kept = await storedIn(first!);
    expect(kept).toMatchObject({
      tokens: { issuer: server.provider.issuer, token_type: 'Bearer', scope: 'orders.read' },
      client: { issuer: server.provider.issuer, token_endpoint_auth_method: 'none' },
      discovery: { authorizationServerUrl: server.provider.issuer },
    });
    expect(kept).not.toHaveProperty('pending'); // the verifier is no longer needed
    const again = agent(second!, server);
    expect(await again.provider.tokens()).toEqual(kept?.tokens);
    expect(await again.provider.clientInformation()).toEqual(kept?.client);
    expect(await call(again, server)).toContain('order 1');
    expect(again.opened).toEqual([]);
    expect(counts()).toEqual({ refreshed: 0, reused: 0, refused: 0 });
    expect(await second!.read((cache) => cache.accounts())).toMatchObject([
      { username: 'default', issuer: server.url, authority_type: 'OAuth' },
    ]);
    expect(await again.provider.signOut()).toBe(true);
    expect(await one.provider.tokens()).toBeUndefined();
    expect(await first!.read((cache) => cache.accounts())).toEqual([]);
  });

  it('refreshes before it sends an expired token', async () => {
    const handle = inMemory(new TokenCache());
    const one = agent(handle, server);
    await signIn(one, server);
    const before = await one.provider.tokens();
    await expire(handle);
    expect(await call(one, server)).toContain('order 1');
    expect(counts()).toEqual({ refreshed: 1, reused: 0, refused: 0 });
    expect(server.refused).toBe(0);
    const after = await one.provider.tokens();
    expect(after).toMatchObject({ issuer: server.provider.issuer });
    expect(after?.access_token).not.toBe(before?.access_token);
    expect(after?.refresh_token).not.toBe(before?.refresh_token);
  });

  it('hands out no token of a user who signs out while it is refreshed', async () => {
    const handle = inMemory(new TokenCache());
    const one = agent(handle, server);
    await signIn(one, server);
    await expire(handle);
    handle.exclusively = async (_name, task) => {
      await one.provider.signOut();
      return task();
    };
    expect(await one.provider.tokens()).toBeUndefined();
  });

  it('gets a new token where the server refuses one before it expires', async () => {
    const handle = inMemory(new TokenCache());
    const one = agent(handle, server);
    await signIn(one, server);
    server.revoked.add((await one.provider.tokens())!.access_token);
    expect(await call(one, server)).toContain('order 1');
    expect(counts()).toEqual({ refreshed: 1, reused: 0, refused: 0 });
    expect(JSON.stringify(await storedIn(handle))).not.toContain('kept by Tokenkeep');
  });

  it('asks for a sign-in once the provider has refused, and the new one works', async () => {
    const handle = inMemory(new TokenCache());
    const one = agent(handle, server);
    await signIn(one, server);
    await openGrants(handle, { issuer: server.url, client_id: 'My agent' }).change('default', (grant) => ({
      ...grant,
      expires_at: 1,
      tokens: { ...grant!.tokens!, access_token: 'expired', refresh_token: 'revoked' },
    }));
    await expect(call(one, server)).rejects.toThrow(/Unauthorized/);
    await expect(call(one, server)).rejects.toThrow(/Unauthorized/);
    expect(one.reasons).toEqual([null, 'invalid_grant', 'invalid_grant']);
    expect(counts()).toMatchObject({ refused: 1 }); // the refusal is remembered
    await signIn(one, server);
    expect(await call(one, server)).toContain('order 1');
  });

  it.each<[string, number, object, string]>([
    ['invalid_grant', 400, { error: 'invalid_grant' }, 'invalid_grant'],
    ['invalid_grant with status 200', 200, { error: 'invalid_grant' }, 'invalid_grant'],
    ['interaction_required', 400, { error: 'interaction_required' }, 'interaction_required'],
    ['invalid_scope', 400, { error: 'invalid_scope' }, 'invalid_scope'],
    ['invalid_request', 400, { error: 'invalid_request' }, 'invalid_request'],
    ['invalid_target', 400, { error: 'invalid_target' }, 'invalid_target'],
    ['unsupported_grant_type', 400, { error: 'unsupported_grant_type' }, 'unsupported_grant_type'],
    ['tokens of another user', 200, tokensFor({ sub: 'eve' }), 'grant_other_subject'],
    [
      'tokens of another issuer',
      200,
      tokensFor({ sub: 'noor', iss: 'https://evil.example' }),
      'grant_other_issuer',
    ],
  ])(
    'is asked to sign in again, with the reason, if the answer to a refresh is %s',
    async (_what, status, body, reason) => {
      const handle = inMemory(new TokenCache());
      let isRefused = false;
      const answers: typeof fetch = (input, init) =>
        isRefused && init?.method === 'POST'
          ? Promise.resolve(Response.json(body, { status }))
          : server.fetch(input, init);
      const one = agent(handle, server, { fetch: answers });
      await signIn(one, server);
      await openGrants(handle, { issuer: server.url, client_id: 'My agent' }).change('default', (grant) => ({
        ...grant,
        expires_at: 1,
        tokens: { ...grant!.tokens!, sub: 'noor', access_token: 'expired' },
      }));
      isRefused = true;
      await expect(call(one, server)).rejects.toThrow(/Unauthorized/);
      expect(one.reasons).toEqual([null, reason]);
      await signIn(one, server);
      expect(await call(one, server)).toContain('order 1');
    },
  );

  it('does not ask for a sign-in because the provider is down', async () => {
    const handle = inMemory(new TokenCache());
    const one = agent(handle, server);
    await signIn(one, server);
    server.revoked.add((await one.provider.tokens())!.access_token);
    server.provider.outages.add('/token');
    await expect(call(one, server)).rejects.toThrow(/503: temporarily_unavailable/);
    expect(one.opened).toHaveLength(1);
    server.provider.outages.clear();
    expect(await call(one, server)).toContain('order 1');
  });

  it('registers again where the authorization server has forgotten the client', async () => {
    const handle = inMemory(new TokenCache());
    const one = agent(handle, server);
    await signIn(one, server);
    const before = await one.provider.clientInformation();
    await openGrants(handle, { issuer: server.url, client_id: 'My agent' }).change('default', (grant) => ({
      ...grant,
      expires_at: 1,
      client: { ...grant!.client, client_id: 'forgotten' },
    }));
    server.revoked.add((await storedIn(handle))!.tokens!.access_token);
    await expect(call(one, server)).rejects.toThrow(/Unauthorized/);
    expect((await one.provider.clientInformation())?.client_id).not.toBe(before?.client_id);
    await signIn(one, server);
    expect(await call(one, server)).toContain('order 1');
  });

  it('says so where the transport’s fetch can’t be told of a refresh, and loses nothing', async () => {
    const handle = inMemory(new TokenCache());
    const one = agent(handle, server);
    await signIn(one, server);
    server.revoked.add((await one.provider.tokens())!.access_token);
    const fetchFn: typeof fetch = (input, init) =>
      (input instanceof Request ? input.url : input.toString()).startsWith('data:')
        ? Promise.reject(new TypeError('blocked'))
        : server.fetch(input, init);
    await expect(auth(one.provider, { serverUrl: server.url, fetchFn })).rejects.toThrow(/kept/);
    expect(one.opened).toHaveLength(1);
    expect(await call(one, server)).toContain('order 1');
    expect(counts()).toEqual({ refreshed: 1, reused: 0, refused: 0 });
  });

  it('a sign-in that began in another process ends in this one', async () => {
    const [first, second] = await handles(2);
    const one = agent(first!, server);
    await auth(one.provider, { serverUrl: server.url, fetchFn: server.fetch });
    const other = agent(first!, server);
    await auth(other.provider, { serverUrl: server.url, fetchFn: server.fetch });
    const verifier = await one.provider.codeVerifier();
    const resumed = agent(second!, server).provider;
    expect(await resumed.hasState('made up')).toBe(false);
    expect(await resumed.hasState(one.opened[0]!.searchParams.get('state')!)).toBe(true);
    expect(await resumed.codeVerifier()).toBe(verifier);
    expect(await resumed.clientInformation()).toMatchObject({
      client_id: one.opened[0]!.searchParams.get('client_id'),
    });
    expect(await other.provider.codeVerifier()).not.toBe(verifier);
  });
});

describe('several agents on one vault', () => {
  it('five that ask the SDK for a refresh at once redeem once, and all are authorized', async () => {
    const [first, ...others] = await handles(6);
    const agents = others.map((handle) => agent(handle, server));
    await signIn(agents[0]!, server);
    await expire(first!);
    server.provider.events.clear();
    const authorize = () =>
      Promise.all(
        agents.map(({ provider }) => auth(provider, { serverUrl: server.url, fetchFn: server.fetch })),
      );
    expect(await authorize()).toEqual(Array(5).fill('AUTHORIZED'));
    expect(counts()).toEqual({ refreshed: 1, reused: 0, refused: 0 });
    // Agents that begin later have nothing to redeem: no server has refused the token that the first one got.
    agents.push(agent(first!, server));
    expect(await authorize()).toEqual(Array(6).fill('AUTHORIZED'));
    expect(counts()).toEqual({ refreshed: 1, reused: 0, refused: 0 });
    const tokens = await Promise.all(agents.map(({ provider }) => provider.tokens()));
    expect(new Set(tokens.map((each) => each?.access_token)).size).toBe(1);
  });

  it('five whose token has expired redeem once, and all are served', async () => {
    const all = await handles(5);
    const agents = all.map((handle) => agent(handle, server));
    await signIn(agents[0]!, server);
    for (let round = 1; round <= 3; round += 1) {
      await expire(all[0]!);
      expect(new Set(await Promise.all(agents.map((each) => call(each, server)))).size).toBe(1);
      expect(counts()).toEqual({ refreshed: round, reused: 0, refused: 0 });
    }
  });

  it('five whose token is refused redeem once', async () => {
    const all = await handles(5);
    const agents = all.map((handle) => agent(handle, server));
    await signIn(agents[0]!, server);
    const refused = await Promise.all(agents.map(({ provider }) => provider.tokens()));
    server.revoked.add(refused[0]!.access_token);
    expect(new Set(await Promise.all(agents.map((each) => call(each, server)))).size).toBe(1);
    expect(counts()).toEqual({ refreshed: 1, reused: 0, refused: 0 });
  });

  it('two servers and two labels are four sign-ins', async () => {
    const other = await startMcpServer({ identity: server.provider.identity });
    try {
      const [handle] = await handles(1);
      const [work, home] = [
        agent(handle!, server, { label: 'work' }),
        agent(handle!, server, { label: 'home' }),
      ];
      const elsewhere = agent(handle!, other);
      await signIn(work, server, 'noor');
      await signIn(elsewhere, other);
      expect(await home.provider.tokens()).toBeUndefined();
      await signIn(home, server, 'noor');
      expect((await work.provider.tokens())?.access_token).not.toBe(
        (await home.provider.tokens())?.access_token,
      );
      await work.provider.signOut();
      for (const [each, at] of [
        [home, server],
        [elsewhere, other],
      ] as const)
        expect(await call(each, at)).toContain('order 1');
      await expect(call(work, server)).rejects.toThrow(/Unauthorized/);
    } finally {
      await other.stop();
    }
  });

  it('what one invalidates another has replaced stays', async () => {
    const [first, second] = await handles(2);
    const [one, two] = [agent(first!, server), agent(second!, server)];
    await signIn(one, server);
    await one.provider.tokens();
    await expire(second!);
    const fresh = await two.provider.tokens();
    await one.provider.invalidateCredentials('tokens');
    expect(await two.provider.tokens()).toEqual(fresh);
    await two.provider.invalidateCredentials('tokens');
    expect(await two.provider.tokens()).toBeUndefined();
    expect(await two.provider.clientInformation()).toBeDefined();
    await two.provider.invalidateCredentials('all');
    expect(await storedIn(second!)).toBeUndefined();
  });

  it.each(['https://ada:pw@mcp.example/mcp', 'https://token@mcp.example/mcp'])(
    'refuses the server %s: lists would show the password',
    (url) => {
      const make = () =>
        mcpOAuthProvider(inMemory(new TokenCache()), {
          server: url,
          clientMetadata: { redirect_uris: ['http://127.0.0.1:1/callback'] },
          redirect: () => undefined,
        });
      expect(make).toThrow(expect.objectContaining({ code: 'invalid_argument', field: 'server' }) as Error);
    },
  );

  it('an SDK that does not say who issued a token has it sent only to the endpoint that it came from', async () => {
    for (const known of [true, false]) {
      const sent: string[] = [];
      const provider = mcpOAuthProvider(inMemory(new TokenCache()), {
        server: 'https://mcp.example/mcp',
        clientMetadata: { client_name: 'Old agent', redirect_uris: ['http://127.0.0.1:1/callback'] },
        redirect: () => undefined,
        fetch: (url) => {
          sent.push(new Request(url).url);
          return Promise.resolve(Response.json({ access_token: 'new', token_type: 'Bearer' }));
        },
      });
      await provider.saveClientInformation?.({ client_id: 'c1' });
      const code = new URLSearchParams({ grant_type: 'authorization_code', code: 'c' });
      const own = 'https://good.example/token';
      if (known) await provider.addClientAuthentication(new Headers(), code, own, {});
      await provider.saveTokens({ access_token: 'at', token_type: 'Bearer', refresh_token: 'rt' });
      const refresh = (url: string) => {
        const params = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'rt' });
        return provider.addClientAuthentication(new Headers(), params, new URL(url), {});
      };
      const error = await refresh('https://evil.example/token').catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SignInRequiredError);
      expect(sent).toEqual([]);
      await refresh(own).catch(() => undefined);
      expect(sent).toEqual(known ? [own] : []);
    }
  });

  it('with a locked keychain nobody is sent to the browser, and nothing is lost', async () => {
    const keychain = new FakeKeychain();
    const file = join(temporaryFolder(), 'agents.vault');
    const first = await openVault({ file, keychain });
    const one = agent(first, server);
    await signIn(one, server);
    await first.close();
    keychain.mood = 'locked';
    const locked = await openVault({ file, keychain });
    vaults.push(locked);
    const two = agent(locked, server);
    await expect(call(two, server)).rejects.toMatchObject({ code: 'vault_locked' });
    expect(two.opened).toEqual([]);
    keychain.mood = 'open';
    await locked.retry();
    expect(await call(two, server)).toContain('order 1');
  });
});
