/** The real `@azure/msal-node` of a major with our plugin, and a network whose token endpoint answers as told. */
import { createRequire } from 'node:module';
import type * as msal7 from 'msal-node-7';
import type { CachePlugin } from '../../src-main/msal/index.ts';
import { answer } from '../vectors/make/network.mjs';
import {
  type App,
  APPS,
  CLOUDS,
  entra,
  homeAccountId,
  type Person,
  PROVIDERS,
  type Response,
} from '../vectors/make/stage.mjs';

export const MAJORS = [2, 3, 5, 7] as const;

export const SCOPES = ['https://graph.microsoft.com/User.Read'];

const require = createRequire(import.meta.url);

export interface Application {
  client: msal7.PublicClientApplication;
  /** Bodies of the requests to the token endpoint. */
  asked: URLSearchParams[];
  /** The next answer of the token endpoint. */
  response: Response | (() => Response | Promise<Response>);
  signIn(person: Person): Promise<msal7.AuthenticationResult>;
  /** Returns the user's access token, from the cache or a new one. */
  silent(person: Person, forceRefresh?: boolean): Promise<string>;
  usernames(): Promise<string[]>;
}

export const now = (): number => Math.floor(Date.now() / 1000);

export function application(
  major: number,
  cachePlugin: CachePlugin,
  { app = APPS.desk, provider = 'contoso' }: { app?: App; provider?: string } = {},
): Application {
  const msal = require(`msal-node-${major}`) as typeof msal7;
  const asked: URLSearchParams[] = [];
  const request = async (url: string, options?: { body?: string }) => {
    const { body, token } = answer(url, { providers: PROVIDERS, clouds: CLOUDS, response: {} });
    if (token !== true) return { headers: {}, status: 200, body };
    asked.push(new URLSearchParams(options?.body));
    const { response } = self;
    return { headers: {}, status: 200, body: typeof response === 'function' ? await response() : response };
  };
  const client = new msal.PublicClientApplication({
    auth: { clientId: app.client_id, authority: PROVIDERS[provider]!.authority },
    cache: { cachePlugin },
    system: {
      // The majors type the answer of a network client differently.
      networkClient: { sendGetRequestAsync: request, sendPostRequestAsync: request } as never,
      loggerOptions: { loggerCallback: () => undefined },
    },
  });
  const account = async (person: Person) => {
    const accounts = await client.getTokenCache().getAllAccounts();
    return accounts.find(({ homeAccountId: id }) => id === homeAccountId(person));
  };
  const self: Application = {
    client,
    asked,
    response: () => Promise.reject(new Error('nobody was to ask')),
    async signIn(person) {
      self.response = entra(person, app, now());
      const request = { code: 'a code', scopes: SCOPES, redirectUri: 'http://localhost' };
      return await client.acquireTokenByCode(request);
    },
    async silent(person, forceRefresh = false) {
      const found = await account(person);
      if (found === undefined) throw new Error('not signed in');
      const { accessToken } = await client.acquireTokenSilent({
        account: found,
        scopes: SCOPES,
        forceRefresh,
      });
      return accessToken;
    },
    async usernames() {
      return (await client.getTokenCache().getAllAccounts()).map(({ username }) => username).sort();
    },
  };
  return self;
}
