/**
 * The in-memory cache of MSAL Node (without a cache plugin, unless one is given) without a network: the token
 * endpoint is a stub.
 */
import { type AccountInfo, type ICachePlugin, PublicClientApplication } from 'msal-node-7';
import { app, type Person, type TokenResponse } from './generate.ts';
import type { Subject } from './subject.ts';

export function msalNode(person: (index: number) => Person, cachePlugin?: ICachePlugin): Subject {
  const { client_id, tenant, environment, host } = app;
  let next: TokenResponse | undefined;
  const networkClient = {
    sendGetRequestAsync: () => Promise.reject(new Error('The metadata of the authority is known')),
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the library's signature
    sendPostRequestAsync: <T>() => {
      if (next === undefined) throw new Error('A token was asked for that is in the cache');
      // The library modifies the response that it gets.
      return Promise.resolve({ headers: {}, status: 200, body: { ...next } as T });
    },
  };
  const client = new PublicClientApplication({
    auth: { clientId: client_id, authority: `https://${host}/${tenant}` },
    ...(cachePlugin === undefined ? {} : { cache: { cachePlugin } }),
    system: { networkClient, loggerOptions: { loggerCallback: () => undefined } },
  });
  const cache = client.getTokenCache();

  const account = (index: number): AccountInfo => {
    const { home_account_id, local_account_id, username } = person(index);
    return {
      homeAccountId: home_account_id,
      environment,
      tenantId: tenant,
      username,
      localAccountId: local_account_id,
    };
  };

  return {
    deserialize: (text) => {
      cache.deserialize(text);
    },
    serialize: () => cache.serialize(),
    accounts: async () => (await cache.getAllAccounts()).length,
    async find(index) {
      const scopes = [...person(index).scopes];
      const { accessToken, fromCache } = await client.acquireTokenSilent({ account: account(index), scopes });
      if (!fromCache) throw new Error('The token does not come from the cache');
      return accessToken;
    },
    async findByAccount(index) {
      const found = await cache.getAccountByHomeId(person(index).home_account_id);
      return String(found?.username);
    },
    async add(index, response) {
      const scopes = [...person(index).scopes];
      next = response;
      await client.acquireTokenSilent({ account: account(index), scopes, forceRefresh: true });
      next = undefined;
    },
    signOut: (index) => cache.removeAccount(account(index)),
  };
}
