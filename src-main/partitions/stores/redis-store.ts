/**
 * `tokenkeep/partitions/redis`: partitions in Redis, through the `redis` package (5 or later) or `ioredis` (5 or later).
 *
 * @module tokenkeep/partitions/redis
 */
import { InvalidArgumentError, PartitionStoreError, TokenkeepError } from '../../errors.ts';
import { checkOptions } from '../../options.ts';
import type { PartitionStore, StoreCall } from '../partition-store.ts';
import {
  bytesOf,
  CREDENTIALS,
  commandsOf,
  NO_WRITES,
  REPLICA,
  type IoredisClient,
  type RedisClient,
  type RedisRunner,
  Script,
} from './redis-client.ts';
import { isTls, tlsRefused } from './tls.ts';

export {
  type IoredisClient,
  type RedisClient,
  type RedisCommandOptions,
  type RedisCommands,
  type RedisScriptCall,
} from './redis-client.ts';
export {
  type IoredisPubSubClient,
  redisInvalidation,
  type RedisInvalidationOptions,
  type RedisPubSubClient,
  type RedisSubscriber,
} from './redis-invalidation.ts';

/** Options of `redisStore`. */
export interface RedisStoreOptions {
  /** A connected or connecting client of the `redis` package or of `ioredis`. The caller closes it. */
  client: RedisClient | IoredisClient;
  /** The prefix of each key. Default: "tokenkeep:". */
  prefix?: string;
}

/** A value is the version followed by the entry, so a comparison reads only 16 bytes. */
const VERSION_LENGTH = 16;

/** Keys are 43 characters of base64url; a lease's key is longer. */
const KEY = /^[A-Za-z0-9_-]{43}$/;

/**
 * Keeps partitions in Redis 6.2 or later: standalone, replicated, Sentinel or Cluster. Each call is one command on one key;
 * comparing and writing is one script. All keys begin with the prefix. The key of a lease is the partition's followed by `:lease:`
 * and its name.
 *
 * The user of an ACL needs `+get +getex +del +pexpire +eval +evalsha +set +getrange` on these keys, and `+scan` for `reseal`.
 * Reads from a replica are refused, because it may lag behind.
 * Acknowledged writes are as durable as Redis is configured to be. Users whose partition is lost in a failover sign in again.
 *
 * @throws PartitionStoreError `store_client` for the client of another library; InvalidArgumentError
 * @example
 * import { createClient } from 'redis';
 * import { partitionedCaches } from 'tokenkeep/partitions';
 * import { redisStore } from 'tokenkeep/partitions/redis';
 *
 * const client = await createClient({ url: 'redis://127.0.0.1:6379' }).connect();
 * const caches = partitionedCaches({ store: redisStore({ client }), sealingKeys });
 */
export function redisStore(options: RedisStoreOptions): PartitionStore {
  const { client, prefix = 'tokenkeep:' } = checkOptions(
    'redisStore',
    options,
    { client: true, prefix: true },
    'Nothing was read or written.',
  );
  if (typeof prefix !== 'string')
    throw new InvalidArgumentError('The prefix of a Redis store is a string.', { field: 'prefix' });
  const redis = commandsOf(client);
  const told = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error: unknown) => {
      throw explained(error);
    });
  const run = (script: Script, key: string, args: (string | Buffer)[], call?: StoreCall): Promise<unknown> =>
    told(redis.run(script, key, args, call));
  const leaseKey = (key: string, name: string): string => `${prefix}${key}:lease:${name}`;
  return {
    read: async (key, call) => {
      const value = bytesOf(await told(readFromPrimary(redis, prefix + key, call)));
      if (value === null) return null;
      return {
        version: value.toString('latin1', 0, VERSION_LENGTH),
        bytes: value.subarray(VERSION_LENGTH),
      };
    },
    write: async (key, { bytes, version }, { expected, ttl }, call) => {
      const value = Buffer.concat([Buffer.from(version, 'latin1'), bytes]);
      const time = ttl === null ? '' : String(milliseconds(ttl));
      return isDone(await run(WRITE, prefix + key, [expected ?? '', value, time], call));
    },
    remove: async (key, expected, call) => {
      if (expected !== undefined) return isDone(await run(REMOVE, prefix + key, [expected], call));
      await told(redis.del(prefix + key, call));
      return true;
    },
    touch: (key, ttl, call) => told(redis.pexpire(prefix + key, milliseconds(ttl), call)),
    leases: {
      take: async (key, { name, owner, ttl }, call) =>
        isDone(await run(TAKE, leaseKey(key, name), [owner, String(milliseconds(ttl))], call)),
      give: async (key, { name, owner }, call) => {
        await run(GIVE, leaseKey(key, name), [owner], call);
      },
    },
    maintenance: {
      keys: () => partitionKeys(redis, prefix),
      replace: async (key, { bytes, version }, expected, call) => {
        const value = Buffer.concat([Buffer.from(version, 'latin1'), bytes]);
        return isDone(await run(REPLACE, prefix + key, [expected, value], call));
      },
    },
  };
}

/** [Note: reads of replicas] A primary that accepts no writes for the moment answers reads by a script. */
function readFromPrimary(redis: RedisRunner, key: string, call?: StoreCall): Promise<unknown> {
  return redis.getex(key, call).catch((error: unknown) => {
    if (!(error instanceof Error) || !NO_WRITES.test(error.message)) throw error;
    return redis.run(READ, key, [], call);
  });
}

async function* partitionKeys(redis: RedisRunner, prefix: string): AsyncIterable<string> {
  try {
    for await (const key of redis.scan(prefix)) {
      const rest = key.slice(prefix.length);
      if (KEY.test(rest)) yield rest;
    }
  } catch (error) {
    throw explained(error);
  }
}

/** Whether a script returned 1, which `ioredis` with `stringNumbers` returns as text. */
function isDone(answer: unknown): boolean {
  return Number(answer) === 1;
}

/** Converts seconds to milliseconds for Redis. */
function milliseconds(seconds: number): number {
  return Math.max(1, Math.round(seconds * 1000));
}

const VERSION = `local version = redis.call('GETRANGE', KEYS[1], 0, ${VERSION_LENGTH - 1})`;

/** A replica names READONLY before any other reason. */
const READ = new Script(`local answer = redis.pcall('GETEX', KEYS[1])
if type(answer) == 'table' and answer.err and string.find(answer.err, 'READONLY') then return answer end
return redis.call('GET', KEYS[1])`);

/** If the command is sent twice, the second answer is that of the first time, unless another server has written in between. */
const DONE_BEFORE = `if version == string.sub(ARGV[2], 1, ${VERSION_LENGTH}) then return 1 end`;

/** [Note: commands that are sent twice] */
const ONCE = { isOnce: true };

const WRITE = new Script(
  `${VERSION}
${DONE_BEFORE}
if version ~= ARGV[1] then return 0 end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`,
  ONCE,
);

const REPLACE = new Script(
  `${VERSION}
${DONE_BEFORE}
if version ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1`,
  ONCE,
);

const REMOVE = new Script(
  `${VERSION}
if version == '' then return 1 end
if version ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1`,
  ONCE,
);

/** SET … NX that also succeeds for the current owner, so that it can retry after a lost reply, and renew. */
const TAKE = new Script(`local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);

const GIVE = new Script(`if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`);

const UNCHANGED = 'Nothing was changed.';

/** Errors that a retry cannot fix, by the text of the Redis error. The text is stable, because clients dispatch on it. */
const PERMANENT: readonly [RegExp, ConstructorParameters<typeof PartitionStoreError>[0], string][] = [
  [
    REPLICA,
    'store_read_only',
    "This Redis is a replica. If it was the primary before, the store replaces its connection, and the next calls go where the client's address leads. If that is a replica too, connect to the primary, or through Sentinel.",
  ],
  [
    /\bWRONGTYPE\b/,
    'store_wrong_type',
    'Another program keeps something else under this key. Choose another prefix.',
  ],
  [
    /\bOOM\b/,
    'store_full',
    'Redis has reached its maxmemory. Give it more, or shorten the TTL of partitions.',
  ],
  [
    /\bMISCONF\b/,
    'store_full',
    'Redis cannot write its data to disk and refuses changes. Look at its disk and its log.',
  ],
  [
    CREDENTIALS,
    'store_forbidden',
    'Redis rejected the password or the user name. Correct the credentials of the client.',
  ],
  [
    /\bNOPERM\b|ACL failure|can't run this command/i,
    'store_forbidden',
    "The client's Redis user lacks a permission. It needs +get +getex +del +pexpire +eval +evalsha +set +getrange on the keys of the prefix.",
  ],
  [
    /^(MOVED|ASK) \d|\bCROSSSLOT\b/,
    'store_client',
    'This Redis is a node of a cluster, and the client is that of a single server. Pass a client of createCluster().',
  ],
  [
    /cluster support disabled/,
    'store_client',
    'This Redis is a single server, and the client is that of a cluster. Pass a client of createClient(), or `new Redis()`.',
  ],
  [
    /allowed in this context|subscriber mode|interact with the keyspace/i,
    'store_client',
    'The client only receives messages (SUBSCRIBE or MONITOR). Pass one of its own, for example client.duplicate().',
  ],
  [
    /^DENIED\b/,
    'store_forbidden',
    'This Redis is in protected mode and refuses other machines. Give it a password, or bind it to an address that the app uses.',
  ],
  [
    /unknown (redis )?command|unknown subcommand/i,
    'store_forbidden',
    'This Redis does not have a command that is needed (EVAL, EVALSHA, GETEX, GETRANGE, PEXPIRE). Allow it, or use Redis 6.2 or later.',
  ],
];

function explained(error: unknown): unknown {
  if (error instanceof TokenkeepError || !(error instanceof Error)) return error;
  if (isTls(error)) return tlsRefused(error, UNCHANGED);
  for (const [pattern, code, what] of PERMANENT)
    if (pattern.test(error.message))
      return new PartitionStoreError(code, `${what} ${UNCHANGED}`, { cause: error });
  return error;
}
