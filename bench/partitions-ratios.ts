/**
 * Measures what partitions cost as ratios within one run: reads and updates beside a bare GET of the same bytes, and
 * `acquireToken` beside MSAL Node's `DistributedCachePlugin`. The ratios of one run stay comparable on a loaded machine.
 */
import { randomBytes } from 'node:crypto';
import { ConfidentialClientApplication, DistributedCachePlugin, type ICachePlugin } from '@azure/msal-node';
import { createClient, RESP_TYPES } from 'redis';
import { SerializableTokenCache } from '../src-main/cache/document/serializable-token-cache.ts';
import { acquireToken, msalCachePlugin } from '../src-main/msal/index.ts';
import { writeEntry } from '../src-main/partitions/entry.ts';
import {
  layered,
  type Partition,
  type PartitionedCaches,
  type PartitionStore,
  partitionedCaches,
  perRequest,
  type SealingKeys,
} from '../src-main/partitions/index.ts';
import { closeUp } from '../src-main/partitions/partition-contents.ts';
import { type PartitionName, partitionName } from '../src-main/partitions/partition-name.ts';
import { newVersion } from '../src-main/partitions/random.ts';
import { KeyRing } from '../src-main/partitions/sealing-keys.ts';
import { redisStore } from '../src-main/partitions/stores/redis-store.ts';
import { startRedis } from '../test/support/servers/redis.ts';
import { app } from './generate.ts';
import { realisticResponse, smallUser } from './small-user.ts';
import { median, times } from './statistics.ts';

/** The part of a `redis` client that is used here. */
interface Redis {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<unknown>;
}

interface Ratios {
  caches: PartitionedCaches;
  /** The same cache behind `layered`. */
  inMemory: PartitionedCaches;
  redis: Redis;
  /** A bare GET, as bytes. */
  get: (key: string) => Promise<unknown>;
  /** Compares and sets the bytes of an entry. */
  set: Task;
  /** Compares and sets an entry after packing and sealing the document. */
  sealAndSet: Task;
  /** Compares and sets an entry after adding a response to the cache, writing, packing and sealing. */
  addAndSet: Task;
}

const USERS = 1000;
const AT_ONCE = 64;
const ROUNDS = 5;
/** Rounds before those that are measured: a server runs code that V8 has optimized, and an update needs a few thousand calls for that. */
const WARM_UPS = 3;
/** Each round makes one request for each user. */
const CALLS = USERS;
const SCOPES = ['User.Read'];

/** One kind of request. */
type Task = (index: number) => Promise<unknown>;

/** Microseconds of CPU, and requests per second. */
export interface Figures {
  cpu: number;
  rate: number;
}

/** Prints the figures of each kind of request. */
export async function reportRatios(): Promise<void> {
  const figures = await measureRatios();
  const of = (name: string): Figures => figures.get(name) ?? { cpu: NaN, rate: NaN };
  console.log(`\n${AT_ONCE} requests at once of ${USERS} users; medians of ${ROUNDS} rounds of ${CALLS}`);
  for (const [name, { cpu, rate }] of figures) {
    const peer = /^(?:fresh token|refresh)/.exec(name);
    const base = of(peer === null ? 'a bare GET of the same bytes' : `${peer[0]}, DistributedCachePlugin`);
    console.log(
      `  ${name.padEnd(42)} ${Math.round(rate).toLocaleString('en').padStart(7)} a second (${times(base.rate / rate)}), ` +
        `${Math.round(cpu).toLocaleString('en').padStart(6)} µs CPU (${times(cpu / base.cpu)})`,
    );
  }
}

/** Starts a Redis of its own. @returns the figures of each kind of request, by its name */
export async function measureRatios(): Promise<Map<string, Figures>> {
  const server = await startRedis(['--appendonly', 'no']);
  const redis = await createClient({ url: server.url }).connect();
  const bytes = redis.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const store = redisStore({ client: redis });
  const sealingKeys: SealingKeys = [{ id: 'bench', key: randomBytes(32) }];
  const caches = partitionedCaches({ store, sealingKeys });
  const inMemory = partitionedCaches({ store: layered({ store, staleness: 300 }), sealingKeys });
  try {
    const least = leastUpdates(redisStore({ client: redis, prefix: 'least:' }), sealingKeys);
    return await measureAll({ caches, inMemory, redis, get: (key) => bytes.get(key), ...least });
  } finally {
    await redis.close();
    await server.close();
  }
}

/** The minimum work of any update. */
function leastUpdates(
  store: PartitionStore,
  keys: SealingKeys,
): Pick<Ratios, 'set' | 'sealAndSet' | 'addAndSet'> {
  const sealing = { keys: new KeyRing(keys), acceptPlainText: false };
  const user = new SerializableTokenCache();
  user.add(eventOf(0, 0));
  const contents = { document: user.serialize({ dialect: 'msal-node' }), metadata: {} };
  const versions = new Map<string, string>();
  const names = Array.from({ length: USERS }, (_, index) => partitionName('user', `least ${index}`));
  const write = async (name: PartitionName, bytes: Uint8Array): Promise<void> => {
    const [expected, version] = [versions.get(name.key) ?? null, newVersion()];
    versions.set(name.key, version);
    const isWritten = await store.write(name.key, { bytes, version }, { expected, ttl: 86_400 });
    if (!isWritten) throw new Error('Another writer was faster.');
  };
  const nameOf = (index: number): PartitionName => names[index % USERS] as PartitionName;
  const sealed = writeEntry(contents, nameOf(0), sealing);
  const opened = names.map(() => new SerializableTokenCache());
  const events = responses();
  return {
    set: (index) => write(nameOf(index), sealed),
    sealAndSet: (index) => write(nameOf(index), writeEntry(contents, nameOf(index), sealing)),
    addAndSet: (index) => {
      const cache = opened[index] as SerializableTokenCache;
      cache.add(events[index]?.pop() ?? eventOf(index, 0));
      return write(nameOf(index), closeUp(cache, {}, nameOf(index), sealing));
    },
  };
}

async function measureAll({
  caches,
  inMemory,
  redis,
  get,
  set,
  sealAndSet,
  addAndSet,
}: Ratios): Promise<Map<string, Figures>> {
  const id = (index: number): string => smallUser(index % USERS).home_account_id;
  const partition = (index: number): Partition => caches.partition(id(index));
  const events = responses();
  for (let index = 0; index < USERS; index += 1) {
    await partition(index).update((cache) => void cache.add(eventOf(index, 0)));
    await inMemory.partition(id(index)).read(() => undefined);
    await signInWithPlugin(redis, index);
  }
  const perRequestMsal = perRequest({ client: (handle) => client(msalCachePlugin(handle)) });
  const tasks: Record<string, Task> = {
    'a bare GET of the same bytes': (index) => get(`tokenkeep:${partition(index).key}`),
    read: (index) => partition(index).read((cache) => cache.find('AccessToken').length),
    'read, layered': (index) =>
      inMemory.partition(id(index)).read((cache) => cache.find('AccessToken').length),
    'compare and set the same bytes': set,
    'pack, seal, compare and set': sealAndSet,
    'add, write, pack, seal, compare and set': addAndSet,
    update: (index) => {
      const event = events[index]?.pop() ?? eventOf(index, 0);
      return partition(index).update((cache) => void cache.add(event));
    },
    'fresh token, DistributedCachePlugin': (index) => silently(distributed(redis, id(index)), false),
    'fresh token, acquireToken': (index) =>
      perRequestMsal.run(partition(index), () =>
        acquireToken(perRequestMsal.partition, () => perRequestMsal.client, app.client_id, {
          scopes: SCOPES,
        }),
      ),
    'fresh token, acquireToken, with a client': async (index) => {
      const [handle, own] = [partition(index), client(msalCachePlugin(partition(index)))];
      const [account] = await own.getTokenCache().getAllAccounts();
      if (account === undefined) throw new Error('Nobody is signed in');
      return acquireToken(handle, own, app.client_id, { account, scopes: SCOPES });
    },
    'refresh, DistributedCachePlugin': (index) => silently(distributed(redis, id(index)), true),
    'refresh, acquireToken': (index) =>
      perRequestMsal.run(partition(index), () =>
        acquireToken(perRequestMsal.partition, () => perRequestMsal.client, app.client_id, {
          scopes: SCOPES,
          forceRefresh: true,
        }),
      ),
  };
  return measure(tasks);
}

async function measure(tasks: Record<string, Task>): Promise<Map<string, Figures>> {
  const samples = new Map<string, Samples>(Object.keys(tasks).map((name) => [name, { cpu: [], rate: [] }]));
  // Rounds alternate, so that other load on this machine affects all tasks.
  for (let round = -WARM_UPS; round < ROUNDS; round += 1)
    for (const [name, task] of Object.entries(tasks)) {
      const [start, before] = [performance.now(), process.cpuUsage()];
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let turn = next++; turn < CALLS; turn = next++)
          await task((turn * 7919 + (round + WARM_UPS) * 31) % USERS);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      const { user, system } = process.cpuUsage(before);
      if (round < 0) continue;
      samples.get(name)?.cpu.push((user + system) / CALLS);
      samples.get(name)?.rate.push((CALLS * 1000) / (performance.now() - start));
    }
  return new Map(
    [...samples].map(([name, { cpu, rate }]) => [name, { cpu: median(cpu), rate: median(rate) }]),
  );
}

interface Samples {
  cpu: number[];
  rate: number[];
}

function eventOf(index: number, salt: number) {
  return {
    client_id: app.client_id,
    scope: SCOPES,
    token_endpoint: `https://${app.host}/${app.tenant}/oauth2/v2.0/token`,
    response: realisticResponse(index, salt),
  };
}

/**
 * Returns different responses for each user, one for each round: no round requests a user twice. They are parsed from JSON, as in an app,
 * before the measurement, because creating them is not part of an update.
 */
function responses(): ReturnType<typeof eventOf>[][] {
  const salts = Array.from({ length: WARM_UPS + ROUNDS }, (_, round) => round + 1);
  const events = Array.from({ length: USERS }, (_, index) => salts.map((salt) => eventOf(index, salt)));
  return JSON.parse(JSON.stringify(events)) as typeof events;
}

async function signInWithPlugin(redis: Redis, index: number): Promise<void> {
  await distributed(redis, smallUser(index).home_account_id).acquireTokenByCode({
    code: `code ${index}`,
    scopes: SCOPES,
    redirectUri: 'http://localhost',
  });
}

async function silently(own: ConfidentialClientApplication, forceRefresh: boolean): Promise<string> {
  const [account] = await own.getTokenCache().getAllAccounts();
  if (account === undefined) throw new Error('Nobody is signed in');
  return (await own.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh })).accessToken;
}

/** One client per request, as with Tokenkeep: MSAL mixes up the users of a shared client. */
function distributed(redis: Redis, user: string): ConfidentialClientApplication {
  const store = {
    get: async (key: string) => (await redis.get(`msal:${key}`)) ?? '',
    set: async (key: string, value: string) => String(await redis.set(`msal:${key}`, value)),
  };
  const keys = { getKey: () => Promise.resolve(user), extractKey: () => Promise.resolve(user) };
  return client(new DistributedCachePlugin(store, keys));
}

function client(cachePlugin: ICachePlugin): ConfidentialClientApplication {
  const authority = `https://${app.host}/${app.tenant}`;
  return new ConfidentialClientApplication({
    auth: { clientId: app.client_id, clientSecret: 'a secret', authority },
    cache: { cachePlugin },
    system: { networkClient: network, loggerOptions: { loggerCallback: () => undefined } },
  });
}

let answers = 0;

/** A stub of a provider that costs no time: it finds the user by the code or the refresh token. */
const network = {
  sendGetRequestAsync: () => Promise.resolve({ headers: {}, status: 200, body: metadata as never }),
  sendPostRequestAsync: (_url: string, options?: { body?: string }) => {
    const body = new URLSearchParams(options?.body);
    const index = Number((body.get('code') ?? body.get('refresh_token') ?? '').split(' ')[1]);
    answers += 1;
    return Promise.resolve({ headers: {}, status: 200, body: realisticResponse(index, answers) as never });
  },
};

const metadata = {
  tenant_discovery_endpoint: `https://${app.host}/${app.tenant}/v2.0/.well-known/openid-configuration`,
  metadata: [
    { preferred_network: app.host, preferred_cache: app.environment, aliases: [app.host, app.environment] },
  ],
  token_endpoint: `https://${app.host}/${app.tenant}/oauth2/v2.0/token`,
  authorization_endpoint: `https://${app.host}/${app.tenant}/oauth2/v2.0/authorize`,
  issuer: `https://${app.host}/${app.tenant}/v2.0`,
  jwks_uri: `https://${app.host}/${app.tenant}/discovery/v2.0/keys`,
};
