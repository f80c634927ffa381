/** The real MSAL Node, 50 users, 200 requests at once. */
import { ConfidentialClientApplication, type ICachePlugin } from '@azure/msal-node';
import { describe, expect, it } from 'vitest';
import { NoRequestError } from '../../src-main/errors.ts';
import { msalCachePlugin } from '../../src-main/msal/index.ts';
import { type Partition, perRequest } from '../../src-main/partitions/index.ts';
import { answer } from '../vectors/make/network.mjs';
import { CLOUDS, PROVIDERS } from '../vectors/make/stage.mjs';
import { base64url, jwt } from '../cache/events.ts';
import { caches, namesIn } from './people.ts';

const TENANT = 'contoso';
const SCOPES = ['https://graph.microsoft.com/User.Read'];
const users = Array.from({ length: 50 }, (_, index) => `user${index}`);
const requests = Array.from({ length: 200 }, (_, index) => users[index % users.length]!);

/** A token endpoint that identifies the user by the code or the refresh token, and answers after varying delays. */
function tokenEndpoint() {
  let count = 0;
  const redeemed: string[] = [];
  const ask = async (url: string, options?: { body?: string }) => {
    const { body, token } = answer(url, { providers: PROVIDERS, clouds: CLOUDS, response: {} as never });
    for (let turns = (count += 7) % 5; turns >= 0; turns -= 1) await new Promise(setImmediate);
    if (token !== true) return { headers: {}, status: 200, body };
    const form = new URLSearchParams(options?.body);
    const user = (form.get('code') ?? form.get('refresh_token') ?? '').replace('refresh token of ', '');
    redeemed.push(user);
    const response = {
      token_type: 'Bearer',
      scope: SCOPES.join(' '),
      expires_in: 3600,
      access_token: `access token ${(count += 1)} of ${user}`,
      refresh_token: `refresh token of ${user}`,
      client_info: base64url({ uid: user, utid: TENANT }),
      id_token: jwt({
        oid: user,
        sub: user,
        tid: TENANT,
        preferred_username: `${user}@contoso.example`,
        iss: 'https://x/',
        aud: 'app',
      }),
    };
    return { headers: {}, status: 200, body: response };
  };
  return { redeemed, networkClient: { sendGetRequestAsync: ask, sendPostRequestAsync: ask } as never };
}

function client(cachePlugin: ICachePlugin, networkClient: never) {
  return new ConfidentialClientApplication({
    auth: { clientId: 'app', clientSecret: 'a secret', authority: PROVIDERS[TENANT]!.authority },
    cache: { cachePlugin },
    system: { networkClient, loggerOptions: { loggerCallback: () => undefined } },
  });
}

type Client = ReturnType<typeof client>;

const signIn = (msal: Client, user: string) =>
  msal.acquireTokenByCode({ code: user, scopes: SCOPES, redirectUri: 'https://app.example/callback' });

async function silently(msal: Client, forceRefresh: boolean) {
  const accounts = await msal.getTokenCache().getAllAccounts();
  const token = await msal.acquireTokenSilent({ account: accounts[0]!, scopes: SCOPES, forceRefresh });
  return {
    accounts: accounts.map((account: { username: string }) => account.username),
    token: token!.accessToken,
  };
}

const after = (name: string): string => name.replace(/^.* of /, '');

describe('MSAL Node, a client for each request', () => {
  it('200 requests of 50 users at once: no token is seen by another user', async () => {
    const { redeemed, networkClient } = tokenEndpoint();
    const all = caches();
    const msal = perRequest({
      client: (partition) => client(msalCachePlugin(partition), networkClient),
    });
    const request = <T>(user: string, fn: () => Promise<T>) =>
      msal.run(all.partition(`session of ${user}`), fn);

    await Promise.all(users.map((user) => request(user, () => signIn(msal.client, user))));
    redeemed.length = 0;
    const answers = await Promise.all(
      requests.map((user, index) =>
        request(user, async () => {
          await new Promise(setImmediate);
          return { user, ...(await silently(msal.client, index % 2 === 0)) };
        }),
      ),
    );
    for (const { user, accounts, token } of answers) {
      expect(accounts).toEqual([`${user}@contoso.example`]);
      expect(after(token)).toBe(user);
    }
    expect(redeemed).toHaveLength(100);
    for (const user of users) {
      const secrets = await all
        .partition(`session of ${user}`)
        .read((cache) => [
          ...cache.find('AccessToken').map(({ secret }) => secret),
          ...cache.find('RefreshToken').map(({ secret }) => secret),
        ]);
      expect(secrets.length).toBeGreaterThan(1);
      expect(new Set(secrets.map(after))).toEqual(new Set([user]));
    }
  });

  it('mixes users with one client for all, so the test above can fail', async () => {
    const { networkClient } = tokenEndpoint();
    const all = caches();
    const current = perRequest({ client: (partition) => msalCachePlugin(partition) });
    const shared = client(
      {
        beforeCacheAccess: (context) => current.client.beforeCacheAccess(context),
        afterCacheAccess: (context) => current.client.afterCacheAccess(context),
      },
      networkClient,
    );
    const request = <T>(user: string, fn: () => Promise<T>) =>
      current.run(all.partition(`session of ${user}`), fn);
    const signIns = await Promise.allSettled(users.map((user) => request(user, () => signIn(shared, user))));
    const answers = await Promise.allSettled(
      requests.map((user) => request(user, async () => ({ user, ...(await silently(shared, true)) }))),
    );
    const wrong = answers.filter(
      (one) => one.status === 'rejected' || one.value.accounts.join() !== `${one.value.user}@contoso.example`,
    );
    expect(wrong.length + signIns.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
    // No user's credentials are in another user's partition.
    for (const user of users) {
      const names = await all.partition(`session of ${user}`).read(namesIn);
      expect(names.filter((name) => name !== `${user}@contoso.example`)).toEqual([]);
    }
  });
});

describe('a client that was kept', () => {
  const all = caches();
  const make = () => perRequest({ client: (partition: Partition) => ({ partition }) });

  it('is refused in another request, and after its own', async () => {
    const msal = make();
    const kept = await msal.run(all.partition('a'), async () => Promise.resolve(msal.client));
    await expect(kept.partition.read(namesIn)).rejects.toBeInstanceOf(NoRequestError);
    await expect(msal.run(all.partition('b'), () => kept.partition.read(namesIn))).rejects.toMatchObject({
      code: 'no_request',
    });
    await expect(msal.run(all.partition('b'), () => kept.partition.signOut('x'))).rejects.toMatchObject({
      code: 'no_request',
    });
    await expect(msal.run(all.partition('a'), () => kept.partition.update(() => 1))).rejects.toMatchObject({
      code: 'no_request',
    });
  });

  it('is created once per request, when it is first used, and never outside of one', async () => {
    const msal = make();
    expect(() => msal.client).toThrow(NoRequestError);
    expect(() => msal.partition).toThrow(NoRequestError);
    const [one, same] = msal.run(all.partition('a'), () => [msal.client, msal.client] as const);
    expect(one).toBe(same);
    expect(msal.run(all.partition('a'), () => msal.client)).not.toBe(one);
    expect(await msal.run(all.partition('a'), () => msal.partition.read(namesIn))).toEqual([]);
  });
});
