/**
 * `tokenkeep/testing/provider`: an OpenID Connect provider on this machine, for an app's own tests. It needs the package `oidc-provider` 9.
 *
 * @module tokenkeep/testing/provider
 */
import { InvalidArgumentError } from 'tokenkeep/errors';
import { browser } from './browser.ts';
import { trustingFetch } from './trusting-fetch.ts';

/**
 * Options for `testProvider`.
 *
 * @example
 * import type { TestProviderOptions } from 'tokenkeep/testing/provider';
 *
 * const options: TestProviderOptions = { accessTokenTtl: 60, entra: true };
 */
export interface TestProviderOptions {
  /** A port of the loopback interface. Default: any free port. */
  port?: number;
  /** Seconds. Default: 3,600. */
  accessTokenTtl?: number;
  /** Seconds. Default: 86,400. */
  refreshTokenTtl?: number;
  /** Adds the `client_info` of Entra ID to token responses. Default: false. */
  entra?: boolean;
  /** Redirect URIs of a web app, which is registered as the client `web-app`. */
  redirectUris?: readonly string[];
  /** Where the browser returns to the web app after a sign-out at the provider. */
  postLogoutRedirectUris?: readonly string[];
  /** Where the web app takes logout tokens; `signOut` posts them there. */
  backChannelLogoutUri?: string;
}

/** An event at the provider. `reused`: a refresh token was used a second time, so its whole family was revoked. */
export type TestProviderEvent = 'signed-in' | 'refreshed' | 'reused' | 'refused' | 'revoked';

/** An endpoint that can be made to fail. */
export type TestProviderEndpoint =
  | '/token'
  | '/token/revocation'
  | '/devicecode'
  | '/auth'
  | '/jwks'
  | '/.well-known/openid-configuration';

/**
 * A running provider. Its refresh tokens rotate, and reuse is treated as theft.
 *
 * @example
 * import { type TestProvider, testProvider } from 'tokenkeep/testing/provider';
 *
 * const provider: TestProvider = await testProvider();
 * console.log(provider.issuer);
 * await provider.stop();
 */
export interface TestProvider {
  /** `https://localhost:<port>`. */
  readonly issuer: string;
  /** PEM of the certificate authority that signed its certificate: for `NODE_EXTRA_CA_CERTS`, or `ca` of `node:https`. */
  readonly ca: string;
  /** Client ID of a desktop app: a public client with PKCE, any loopback port as redirect URI, and device codes. */
  readonly clientId: string;
  /** The credentials of the web app with the `redirectUris`. */
  readonly webApp: { readonly clientId: string; readonly clientSecret: string };
  /** The users who can sign in. */
  readonly users: readonly { readonly id: string; readonly name: string; readonly username: string }[];
  /** `fetch` that trusts this provider as well. It takes the options of `fetch`, whichever library declares their type. */
  readonly fetch: (input: string | URL | Request, init?: object) => Promise<Response>;
  /** Endpoints that answer 503 while they are in this set. */
  readonly outages: Set<TestProviderEndpoint>;
  /**
   * Plays the browser: opens the address, signs the user in, consents, and follows the redirects, including those to the app's own loopback
   * listener if there is one. An address of the web app is not opened unless `url` is of the web app too: it is for the browser that the
   * web app has sent to the provider.
   *
   * @param user ID or user name. Default: the first user
   * @returns the last address
   */
  signIn(url: string | URL, user?: string): Promise<string>;
  /**
   * Signs a user out as an administrator would: posts a logout token to `backChannelLogoutUri` (OpenID Connect Back-Channel Logout). Resolves
   * once the web app has accepted it.
   *
   * @param user ID or user name. Default: the first user
   * @throws InvalidArgumentError without `backChannelLogoutUri`; Error if the web app refuses the token, or can't be reached
   */
  signOut(user?: string): Promise<void>;
  /** Returns how often an event has happened, for one user (ID or user name) or for all. */
  count(event: TestProviderEvent, user?: string): number;
  /** Stops the provider, which forgets everything. */
  stop(): Promise<void>;
  /** Calls `stop`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const OPTIONS: Readonly<Record<keyof TestProviderOptions, true>> = {
  port: true,
  accessTokenTtl: true,
  refreshTokenTtl: true,
  entra: true,
  redirectUris: true,
  postLogoutRedirectUris: true,
  backChannelLogoutUri: true,
};

/**
 * Starts an OpenID Connect provider on loopback, with made-up users and a certificate of its own. Needs the package `oidc-provider`:
 * `npm install --save-dev oidc-provider@9`.
 *
 * @throws InvalidArgumentError for a misspelt option; Error if `oidc-provider` is not installed
 * @example
 * import { testProvider } from 'tokenkeep/testing/provider';
 *
 * const provider = await testProvider({ accessTokenTtl: 60 });
 * const metadata = await provider.fetch(`${provider.issuer}/.well-known/openid-configuration`);
 * console.log(await metadata.json());
 * await provider.stop();
 */
export async function testProvider(options: TestProviderOptions = {}): Promise<TestProvider> {
  const misspelt = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name));
  if (misspelt !== undefined) {
    throw new InvalidArgumentError(
      `testProvider: there is no option \`${misspelt}\`. Known options: ${Object.keys(OPTIONS).join(', ')}. No provider was started.`,
      { field: misspelt },
    );
  }
  const { redirectUris, postLogoutRedirectUris = [], backChannelLogoutUri, ...others } = options;
  if (redirectUris === undefined && (postLogoutRedirectUris.length > 0 || backChannelLogoutUri !== undefined))
    throw new InvalidArgumentError(
      'testProvider: `postLogoutRedirectUris` and `backChannelLogoutUri` belong to a web app, which needs `redirectUris` too. No provider was started.',
      { field: 'redirectUris' },
    );
  const { startProvider, webApp } = await implementation();
  const client = webApp(
    redirectUris ?? ['https://localhost/callback'],
    postLogoutRedirectUris,
    backChannelLogoutUri,
  );
  const provider = await startProvider({ ...others, clients: redirectUris === undefined ? [] : [client] });
  const { issuer, ca, users, outages, events } = provider;
  const stop = (): Promise<void> => provider.stop();
  const trusting = trustingFetch(ca);
  const idOf = (user: string): string => {
    const found = users.find(({ id, username }) => id === user || username === user);
    if (found !== undefined) return found.id;
    const known = users.map(({ id }) => id).join(', ');
    throw new InvalidArgumentError(`The test provider has no user "${user.slice(0, 60)}". It has ${known}.`, {
      field: 'user',
    });
  };
  return {
    issuer,
    ca,
    clientId: 'desktop-app',
    webApp: { clientId: client.client_id, clientSecret: client.client_secret },
    users: users.map(({ id, name, username }) => ({ id, name, username })),
    fetch: (input, init) => trusting(input, init),
    outages,
    signIn: async (url, user = users[0]?.id ?? '') => {
      const otherBrowser = [...client.redirect_uris, ...client.post_logout_redirect_uris];
      const at = browser(trusting, { alone: true, otherBrowser });
      return (await at.visit(String(url), { user: idOf(user) })).url;
    },
    signOut: async (user = users[0]?.id ?? '') => {
      if (backChannelLogoutUri === undefined)
        throw new InvalidArgumentError(
          'testProvider: there is no `backChannelLogoutUri` to which a logout token can be posted. Nobody was signed out.',
          { field: 'backChannelLogoutUri' },
        );
      await provider.backChannelLogout(client.client_id, idOf(user));
    },
    count: (event, user) => events.count(event, user === undefined ? undefined : idOf(user)),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Loaded late, so that the error about a missing `oidc-provider` can say what to do. */
async function implementation() {
  try {
    const [{ startProvider }, { webApp }] = await Promise.all([
      import('./provider.ts'),
      import('./clients.ts'),
    ]);
    return { startProvider, webApp };
  } catch (cause) {
    const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new Error(
      'testProvider needs the package oidc-provider, which is not installed. Run `npm install --save-dev oidc-provider@9`.',
      { cause },
    );
  }
}
