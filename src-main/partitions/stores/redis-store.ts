/**
 * `tokenkeep/partitions/redis`: partitions in Redis, for the `redis` package from version 5 on.
 *
 * @module tokenkeep/partitions/redis
 */
import { createHash } from 'node:crypto';
import { InvalidArgumentError } from '../../errors.ts';
import type { PartitionLeases, PartitionStore, StoreCall } from '../partition-store.ts';

export {
  redisInvalidation,
  type RedisInvalidationOptions,
  type RedisPubSubClient,
  type RedisSubscriber,
} from './redis-invalidation.ts';

/** What is used of a client. `createClient()`, `createClientPool()` and `createCluster()` of the `redis` package have it. */
export interface RedisClient {
  /** As in `redis`: the same client with other settings. */
  withCommandOptions(options: RedisCommandOptions): RedisCommands;
}

/** What is set for the calls of one read or write. */
export interface RedisCommandOptions {
  /** What an answer’s types become, by their byte in RESP. */
  typeMapping?: Record<number, typeof Buffer>;
  /** Gives the command up. */
  abortSignal?: AbortSignal;
}

/** The commands that are used. */
export interface RedisCommands {
  /** GET. */
  get(key: string): Promise<unknown>;
  /** DEL. */
  del(key: string): Promise<unknown>;
  /** PEXPIRE. */
  pExpire(key: string, milliseconds: number): Promise<unknown>;
  /** EVALSHA. */
  evalSha(sha1: string, options: RedisScriptCall): Promise<unknown>;
  /** EVAL, where the server does not know the script yet. */
  eval(script: string, options: RedisScriptCall): Promise<unknown>;
}

/** What a script works on. */
export interface RedisScriptCall {
  /** One: so a cluster knows where to run it. */
  keys: string[];
  /** `ARGV` of the script. */
  arguments: (string | Buffer)[];
}

/** Where partitions are kept in Redis. */
export interface RedisStoreOptions {
  /** Connected, or connecting; it stays yours to close. */
  client: RedisClient;
  /** Before each key. Default: "tokenkeep:". */
  prefix?: string;
}

/** RESP's bulk strings ("$") as bytes: an entry is no text. */
const AS_BYTES = { 0x24: Buffer };

/** A value is the version and the entry: comparing reads 16 bytes, whatever the entry's size. */
const VERSION_LENGTH = 16;

/**
 * Partitions in Redis 6.2 or later, alone, replicated or as a cluster: each call is one command on one key, and comparing and
 * writing is one script. All keys begin with the prefix; a lease's is the partition's with `:lease:` and its name.
 *
 * What Redis acknowledged is as durable as you configured Redis. A partition that is lost in a failover means that its user
 * signs in again.
 */
export function redisStore({ client, prefix = 'tokenkeep:' }: RedisStoreOptions): PartitionStore {
  if (typeof prefix !== 'string') throw new InvalidArgumentError('The prefix of a Redis store is a string.');
  const commands = (call: StoreCall | undefined): RedisCommands =>
    client.withCommandOptions({
      typeMapping: AS_BYTES,
      ...(call?.signal === undefined ? {} : { abortSignal: call.signal }),
    });
  return {
    read: async (key, call) => {
      const value = await commands(call).get(prefix + key);
      if (value === null) return null;
      if (!Buffer.isBuffer(value)) throw new TypeError('The Redis client gave something that is not bytes.');
      return {
        version: value.toString('latin1', 0, VERSION_LENGTH),
        bytes: value.subarray(VERSION_LENGTH),
      };
    },
    write: async (key, { bytes, version }, { expected, ttl }, call) => {
      const value = Buffer.concat([Buffer.from(version, 'latin1'), bytes]);
      const time = ttl === null ? '' : String(milliseconds(ttl));
      return (await WRITE.run(commands(call), prefix + key, [expected ?? '', value, time])) === 1;
    },
    remove: async (key, expected, call) => {
      if (expected !== undefined) return (await REMOVE.run(commands(call), prefix + key, [expected])) === 1;
      await commands(call).del(prefix + key);
      return true;
    },
    touch: async (key, ttl, call) => {
      await commands(call).pExpire(prefix + key, milliseconds(ttl));
    },
    leases: redisLeases(commands, prefix),
  };
}

/** A script on one key that Redis knows by its hash; sent whole only where it does not know it yet, or any more. */
class Script {
  readonly #text: string;
  readonly #sha1: string;

  constructor(text: string) {
    this.#text = text;
    this.#sha1 = createHash('sha1').update(text).digest('hex'); // What EVALSHA asks for; nothing is protected by it.
  }

  async run(commands: RedisCommands, key: string, args: (string | Buffer)[]): Promise<unknown> {
    const call = { keys: [key], arguments: args };
    try {
      return await commands.evalSha(this.#sha1, call);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return commands.eval(this.#text, call);
    }
  }
}

/** Seconds as Redis takes them. */
function milliseconds(seconds: number): number {
  return Math.max(1, Math.round(seconds * 1000));
}

const VERSION = `local version = redis.call('GETRANGE', KEYS[1], 0, ${VERSION_LENGTH - 1})`;

const WRITE = new Script(`${VERSION}
if version ~= ARGV[1] then return 0 end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`);

const REMOVE = new Script(`${VERSION}
if version == '' then return 1 end
if version ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1`);

/** A lease is a key of its own with the owner as its value: each call is one script on that key alone, in a cluster as well. */
function redisLeases(
  commands: (call: StoreCall | undefined) => RedisCommands,
  prefix: string,
): PartitionLeases {
  const at = (key: string, name: string): string => `${prefix}${key}:lease:${name}`;
  return {
    take: async (key, { name, owner, ttl }, call) =>
      (await TAKE.run(commands(call), at(key, name), [owner, String(milliseconds(ttl))])) === 1,
    give: async (key, { name, owner }, call) => {
      await GIVE.run(commands(call), at(key, name), [owner]);
    },
  };
}

/** SET … NX, for an owner that has it already too: an answer that was lost is asked for again, and a lease is prolonged. */
const TAKE = new Script(`local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);

const GIVE = new Script(`if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`);
