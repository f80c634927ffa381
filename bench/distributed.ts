/**
 * MSAL Node over Redis in two setups: its DistributedCachePlugin with one client for all users, and one client per
 * request.
 */
import {
  type AccountInfo,
  ConfidentialClientApplication,
  DistributedCachePlugin,
  type ICachePlugin,
} from '@azure/msal-node';
import { msalCachePlugin } from '../src-main/msal/index.ts';
import { type PartitionedCaches, perRequest } from '../src-main/partitions/index.ts';
import { app } from './generate.ts';
import { SCOPES, smallResponse, smallUser } from './small-user.ts';

interface Redis {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<unknown>;
}

export interface Users {
  /** Reads the user's access token from the store. */
  read(index: number): Promise<string>;
  /** Writes a new token to the store. */
  update(index: number, salt: number): Promise<void>;
}

function network(next: { response: object | undefined }) {
  const answer = async (): Promise<never> => {
    if (next.response === undefined) throw new Error('The network is no part of this');
    return Promise.resolve({ headers: {}, status: 200, body: { ...next.response } } as never);
  };
  return { sendGetRequestAsync: answer, sendPostRequestAsync: answer };
}

function client(
  cachePlugin: ICachePlugin,
  next: { response: object | undefined },
): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    auth: {
      clientId: app.client_id,
      clientSecret: 'a secret',
      authority: `https://${app.host}/${app.tenant}`,
    },
    cache: { cachePlugin },
    system: { networkClient: network(next), loggerOptions: { loggerCallback: () => undefined } },
  });
}

function account(index: number): AccountInfo {
  const { home_account_id, oid, username } = smallUser(index);
  return {
    homeAccountId: home_account_id,
    environment: app.environment,
    tenantId: app.tenant,
    username,
    localAccountId: oid,
  };
}

async function silently(
  msal: ConfidentialClientApplication,
  index: number,
  forceRefresh: boolean,
): Promise<string> {
  return (await msal.acquireTokenSilent({ account: account(index), scopes: SCOPES, forceRefresh }))
    .accessToken;
}

/** Runs one call at a time: the plugin is not safe for concurrent calls. */
export function distributedCachePlugin(redis: Redis, prefix: string): Users {
  const next: { response: object | undefined } = { response: undefined };
  let current = '';
  const plugin = new DistributedCachePlugin(
    {
      get: async (key) => (await redis.get(prefix + key)) ?? '',
      set: async (key, value) => String(await redis.set(prefix + key, value)),
    },
    { getKey: () => Promise.resolve(current), extractKey: (entity) => Promise.resolve(entity.homeAccountId) },
  );
  const msal = client(plugin, next);
  return {
    read: (index) => {
      current = smallUser(index).home_account_id;
      return silently(msal, index, false);
    },
    update: async (index, salt) => {
      current = smallUser(index).home_account_id;
      next.response = smallResponse(index, salt);
      await silently(msal, index, true);
      next.response = undefined;
    },
  };
}

export function clientPerRequest(caches: PartitionedCaches): Users {
  const next: { response: object | undefined } = { response: undefined };
  const msal = perRequest({ client: (partition) => client(msalCachePlugin(partition), next) });
  const request = (index: number, forceRefresh: boolean): Promise<string> =>
    msal.run(caches.partition(smallUser(index).home_account_id), () =>
      silently(msal.client, index, forceRefresh),
    );
  return {
    read: (index) => request(index, false),
    update: async (index, salt) => {
      next.response = smallResponse(index, salt);
      await request(index, true);
      next.response = undefined;
    },
  };
}
