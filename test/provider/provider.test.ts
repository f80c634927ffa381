import { createRemoteJWKSet, customFetch as joseFetch, decodeJwt, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { API, BROWSER_ONLY_APP, DESKTOP_APP, SERVICE, webApp } from '../../examples/provider/clients.ts';
import { type RunningProvider, startProvider } from '../../examples/provider/provider.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { USERS } from '../../examples/provider/users.ts';
import { type Browser, browser, type Person } from '../support/browser.ts';
import { callback } from '../support/callback.ts';
import { signInWithCode } from '../support/code-flow.ts';

const SCOPE = 'openid profile offline_access orders.read';

let provider: RunningProvider;
let trusting: typeof fetch;
let at: Browser;

beforeAll(async () => {
  const clients = [webApp(['http://localhost:3000/signed-in'])];
  provider = await startProvider({ accessTokenTtl: 120, deviceInterval: 1, entra: true, clients });
  trusting = trustingFetch(provider.ca);
});
afterAll(() => provider.stop());
beforeEach(() => {
  provider.events.clear();
  at = browser(trusting);
});

function app(
  client: { client_id: string; client_secret?: string } = DESKTOP_APP,
): Promise<oidc.Configuration> {
  const authentication =
    client.client_secret === undefined ? oidc.None() : oidc.ClientSecretPost(client.client_secret);
  const options = { [oidc.customFetch]: trusting as oidc.CustomFetch };
  return oidc.discovery(new URL(provider.issuer), client.client_id, undefined, authentication, options);
}

const signIn = (config: oidc.Configuration, person: Person, prompt?: string) =>
  signInWithCode(config, at, { person, scope: SCOPE, ...(prompt === undefined ? {} : { prompt }) });

const refresh = (config: oidc.Configuration, token: string | undefined) =>
  oidc.refreshTokenGrant(config, token ?? '');
const codeOf = (error: unknown) => (error as { error?: string }).error;

describe('the code flow', () => {
  it('signs a person in, with PKCE and a redirect to any loopback port', async () => {
    const config = await app();
    const tokens = await signIn(config, { user: 'noor' });
    expect(tokens.claims()).toMatchObject({ sub: 'noor', preferred_username: 'noor@contoso.example' });
    const jwks = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri ?? ''), {
      [joseFetch]: trusting,
    });
    const { payload } = await jwtVerify(tokens.access_token, jwks, {
      issuer: provider.issuer,
      audience: API,
    });
    expect(payload).toMatchObject({ sub: 'noor', scope: 'orders.read', client_id: 'desktop-app' });
    expect(tokens.expires_in).toBe(120);
    expect(provider.events.list).toEqual([{ type: 'signed-in', client: 'desktop-app', user: 'noor' }]);
  });

  it('names the account as Entra does', async () => {
    const tokens = await signIn(await app(), { user: 'yuki' });
    const info: unknown = JSON.parse(Buffer.from(tokens['client_info'] as string, 'base64url').toString());
    const { oid, tid } = USERS.find(({ id }) => id === 'yuki')!;
    expect(info).toEqual({ uid: oid, utid: tid });
    expect(tokens.claims()).toMatchObject({ oid, tid });
  });

  it.each(['consent', 'login'] as const)('says that the person refused at %s', async (refuse) => {
    const refused = signIn(await app(), { user: 'piet', refuse });
    expect(codeOf(await refused.catch((error: unknown) => error))).toBe('access_denied');
    expect(provider.events.list).toEqual([]);
  });

  it('signs a second person in within one browser, and leaves the first one signed in', async () => {
    const config = await app();
    const first = await signIn(config, { user: 'noor' });
    const same = await signIn(config, { user: 'piet' });
    expect(same.claims()?.sub).toBe('noor'); // the provider answers for the session's user
    const second = await signIn(config, { user: 'piet' }, 'select_account');
    expect(second.claims()?.sub).toBe('piet');
    expect((await refresh(config, first.refresh_token)).claims()?.sub).toBe('noor');
  });

  it('refuses a redirect that is not registered', async () => {
    const url = oidc.buildAuthorizationUrl(await app(), {
      redirect_uri: 'https://evil.example/',
      scope: 'openid',
    });
    const page = await at.visit(url.href, { user: 'noor' });
    expect([page.status, page.html]).toEqual([400, expect.stringContaining('redirect_uri')]);
  });
});

describe('refresh tokens', () => {
  it('rotate, and one that comes a second time ends its family', async () => {
    const config = await app();
    const first = await signIn(config, { user: 'noor' });
    const second = await refresh(config, first.refresh_token);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(provider.events.count('reused')).toBe(0);
    expect(codeOf(await refresh(config, first.refresh_token).catch((error: unknown) => error))).toBe(
      'invalid_grant',
    );
    expect(codeOf(await refresh(config, second.refresh_token).catch((error: unknown) => error))).toBe(
      'invalid_grant',
    );
    expect(provider.events.count('reused', 'noor')).toBe(1);
    expect(provider.events.count('refreshed', 'noor')).toBe(1);
  });

  it('two requests at the same moment are a reuse too', async () => {
    const config = await app();
    const { refresh_token } = await signIn(config, { user: 'noor' });
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => refresh(config, refresh_token)));
    const won = answers.filter((answer) => answer.status === 'fulfilled');
    expect(won.length).toBeLessThanOrEqual(1);
    expect(provider.events.count('reused')).toBeGreaterThan(0);
    for (const { value } of won) await expect(refresh(config, value.refresh_token)).rejects.toThrow();
  });

  it('are revoked by RFC 7009, which says so', async () => {
    const config = await app();
    const { refresh_token = '' } = await signIn(config, { user: 'olu' });
    await oidc.tokenRevocation(config, refresh_token);
    expect(codeOf(await refresh(config, refresh_token).catch((error: unknown) => error))).toBe(
      'invalid_grant',
    );
    expect(provider.events.list.map(({ type }) => type)).toEqual(['signed-in', 'revoked', 'refused']);
  });
});

describe('the device code flow', () => {
  const begin = async () => {
    const config = await app();
    const device = await oidc.initiateDeviceAuthorization(config, { scope: SCOPE });
    const poll = oidc.pollDeviceAuthorizationGrant(config, device).then(
      (tokens) => tokens.claims()?.sub,
      (error: unknown) => codeOf(error),
    );
    return { device, poll };
  };

  it('gives tokens when the code was approved in a browser', async () => {
    const { device, poll } = await begin();
    const page = await at.visit(device.verification_uri_complete ?? '', { user: 'yuki' });
    expect(page.title).toBe('You are signed in');
    expect(await poll).toBe('yuki');
  });

  it('says so when consent was refused', async () => {
    const { device, poll } = await begin();
    await at.visit(device.verification_uri_complete ?? '', { user: 'yuki', refuse: 'consent' });
    expect(await poll).toBe('access_denied');
  });

  it('is not for every app', async () => {
    const begun = oidc.initiateDeviceAuthorization(await app(BROWSER_ONLY_APP), { scope: SCOPE });
    expect(codeOf(await begun.catch((error: unknown) => error))).toBe('invalid_request');
  });
});

describe('the rest', () => {
  it('ends a session in the browser, and then asks again who one is', async () => {
    const config = await app();
    const { id_token = '', refresh_token } = await signIn(config, { user: 'noor' });
    const { uri, called } = await callback();
    const url = oidc.buildEndSessionUrl(config, { id_token_hint: id_token, post_logout_redirect_uri: uri });
    await Promise.all([at.visit(url.href, { user: 'noor' }), called]);
    expect(provider.events.count('session-ended')).toBe(1);
    expect((await signIn(config, { user: 'piet' })).claims()?.sub).toBe('piet');
    await refresh(config, refresh_token); // the end of a session revokes nothing
  });

  it('gives a service a token of its own', async () => {
    const tokens = await oidc.clientCredentialsGrant(await app(SERVICE), { scope: 'orders.read' });
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: API, client_id: 'service' });
    expect(provider.events.list).toEqual([{ type: 'service', client: 'service' }]);
  });

  it('fails on request', async () => {
    const config = await app();
    const { refresh_token } = await signIn(config, { user: 'noor' });
    provider.outages.add('/token');
    await expect(refresh(config, refresh_token)).rejects.toThrow();
    provider.outages.clear();
    await refresh(config, refresh_token);
  });

  it('is trusted only by clients that were configured to', async () => {
    await expect(fetch(provider.issuer)).rejects.toThrow();
    expect((await trusting(provider.issuer)).status).toBe(200);
  });
});
