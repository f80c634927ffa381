/** One server of a web app: updates and reads the partitions of its users in a loop, and reports what was acknowledged. */
import pg from 'pg';
import { createClient, createSentinel } from 'redis';
import { systemClock } from '../../../src-main/cache/clock.ts';
import { TokenkeepError } from '../../../src-main/errors.ts';
import {
  type PartitionedCaches,
  parseSealingKeys,
  partitionedCaches,
} from '../../../src-main/partitions/index.ts';
import { postgresStore } from '../../../src-main/partitions/stores/postgres-store.ts';
import { redisStore } from '../../../src-main/partitions/stores/redis-store.ts';
import { Random } from '../random.ts';
import { orders, say } from '../say.ts';

export const STORES = ['redis', 'sentinel', 'postgres', 'standby'] as const;
export type StoreName = (typeof STORES)[number];

/** Codes of failures that a server in trouble may cause. Anything else is reported. */
const EXPECTED = new Set([
  ...['store_unavailable', 'store_timeout', 'store_full', 'store_read_only', 'partition_busy'],
  'partition_turn_expired',
  'partition_damaged', // Expected while the store answers with another user's entry, which is corrected later.
]);

/** Opens the caches as one version of the app has them. */
export async function cachesOver(store: StoreName, url: string, keys: string, sealWith: string) {
  const options = {
    sealingKeys: parseSealingKeys(keys),
    sealWith,
    timeout: 1500,
    lease: 1000,
    turnTimeout: 3000,
  };
  if (store === 'redis') {
    const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: 50 } });
    client.on('error', () => undefined);
    await client.connect();
    return {
      caches: partitionedCaches({ ...options, store: redisStore({ client }) }),
      close: () => {
        client.destroy();
        return Promise.resolve();
      },
    };
  }
  if (store === 'sentinel') {
    const { hostname, port } = new URL(url);
    const client = createSentinel({
      name: 'mymaster',
      sentinelRootNodes: [{ host: hostname, port: Number(port) }],
      scanInterval: 200,
    });
    client.on('error', () => undefined);
    await client.connect();
    return {
      caches: partitionedCaches({ ...options, store: redisStore({ client }) }),
      close: () => client.destroy(),
    };
  }
  const pool = new pg.Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 1000 });
  pool.on('error', () => undefined);
  return {
    caches: partitionedCaches({ ...options, store: postgresStore({ pool }) }),
    close: () => pool.end(),
  };
}

/** Returns what belongs to the user in a partition of somebody else. */
export async function strangersIn(
  caches: PartitionedCaches,
  user: string,
): Promise<{ scopes: string[]; leaked: string[] }> {
  return caches.partition(`session of ${user}`).read((cache) => {
    const tokens = [...cache.find('AccessToken'), ...cache.find('RefreshToken')];
    return {
      scopes: cache.find('AccessToken').map(({ target }) => target),
      leaked: tokens.filter(({ secret }) => !secret.includes(` ${user} `)).map(({ secret }) => secret),
    };
  });
}

/** `server STORE URL KEYS SEAL_WITH NAME SEED USERS`. Says `try USER SCOPE`, `ok USER SCOPE`, `leak …`, `odd …`. */
export async function server(words: readonly string[]): Promise<void> {
  const [store = '', url = '', keys = '', sealWith = '', name = '', seed = '0', users = '1'] = words;
  const { caches } = await cachesOver(store as StoreName, url, keys, sealWith);
  const random = new Random(Number(seed));
  let hasEnded = false;
  void (async () => {
    for await (const line of orders()) if (line === 'end') hasEnded = true;
  })();
  const lane = async (lane: number): Promise<void> => {
    for (let turn = 0; !hasEnded; turn += 1) {
      const user = `user${random.below(Number(users))}`;
      const scope = `s-${name}-${lane}-${turn}`;
      try {
        if (turn % 3 === 0) {
          const { leaked } = await strangersIn(caches, user);
          for (const secret of leaked) say('leak', user, JSON.stringify(secret));
        } else {
          say('try', user, scope);
          const partition = caches.partition(`session of ${user}`);
          const update = (): Promise<void> => partition.update((cache) => add(cache, user, scope));
          await (turn % 7 === 1 ? partition.exclusively('turn', update) : update());
          say('ok', user, scope);
        }
      } catch (error) {
        if (!(error instanceof TokenkeepError && EXPECTED.has(error.code)))
          say(
            'odd',
            JSON.stringify(error instanceof Error ? `${error.name} ${error.message}` : String(error)),
          );
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  await Promise.all([lane(0), lane(1)]);
  process.exit(0);
}

function add(
  cache: Parameters<Parameters<ReturnType<PartitionedCaches['partition']>['update']>[0]>[0],
  user: string,
  scope: string,
): void {
  cache.add({
    client_id: 'my_client_id',
    scope: [scope],
    token_endpoint: 'https://login.example.com/contoso/oauth2/v2.0/token',
    home_account_id: `${user}.utid`,
    response: {
      access_token: `AT of ${user} for ${scope} at ${systemClock()}`,
      refresh_token: `RT of ${user} from ${scope}`,
      token_type: 'Bearer',
      expires_in: 36_000,
      client_info: Buffer.from(JSON.stringify({ uid: user, utid: 'utid' })).toString('base64url'),
    },
  });
}
