/** The supported Redis clients, and the members of them that are used. */
import { createHash } from 'node:crypto';
import { type EventEmitter, errorMonitor } from 'node:events';
import { PartitionStoreError } from '../../errors.ts';
import type { StoreCall } from '../partition-store.ts';
import { isTls } from './tls.ts';

/**
 * The members of a `redis` client that are used: of `createClient()`, `createClientPool()`, `createCluster()`, `createSentinel()`.
 *
 * @example
 * import { createClient } from 'redis';
 * import type { RedisClient } from 'tokenkeep/partitions/redis';
 *
 * const client: RedisClient = await createClient({ url: 'redis://127.0.0.1:6379' }).connect();
 */
export interface RedisClient {
  /** As in `redis`: returns the same client with other settings. */
  withCommandOptions(options: RedisCommandOptions): RedisCommands;
  /** Any command: GETEX. The arguments before those of the command differ between clients of one server, Sentinel and Cluster. */
  sendCommand(...args: never[]): Promise<unknown>;
  /** false: commands wait until it is connected. */
  readonly isReady?: boolean;
}

/** Options for the commands of one read or write. */
export interface RedisCommandOptions {
  /** The JavaScript type of each RESP type, by its type byte. */
  typeMapping?: Record<number, typeof Buffer>;
  /** Cancels the command. */
  abortSignal?: AbortSignal;
  /** Milliseconds that the client may keep the command before it is sent; 0: without a limit. */
  timeout?: number;
}

/**
 * The commands that are used.
 *
 * @example
 * import type { RedisClient, RedisCommands } from 'tokenkeep/partitions/redis';
 *
 * const withBytes = (client: RedisClient): RedisCommands => client.withCommandOptions({ typeMapping: { 36: Buffer } });
 */
export interface RedisCommands {
  /** DEL. */
  del(key: string): Promise<unknown>;
  /** PEXPIRE. */
  pExpire(key: string, milliseconds: number): Promise<unknown>;
  /** EVALSHA. */
  evalSha(sha1: string, options: RedisScriptCall): Promise<unknown>;
  /** EVAL, where the server does not know the script yet. */
  eval(script: string, options: RedisScriptCall): Promise<unknown>;
}

/** The keys and arguments of a script. */
export interface RedisScriptCall {
  /** One key, so that a cluster knows where to run the script. */
  keys: string[];
  /** `ARGV` of the script. */
  arguments: (string | Buffer)[];
}

/**
 * The members of an `ioredis` client that are used: of `new Redis()` and `new Cluster()`.
 *
 * @example
 * import { Redis } from 'ioredis';
 * import { type IoredisClient, redisStore } from 'tokenkeep/partitions/redis';
 *
 * const client: IoredisClient = new Redis('redis://127.0.0.1:6379');
 * const store = redisStore({ client });
 */
export interface IoredisClient {
  /** Any command; texts in the answer are bytes. */
  callBuffer(command: string, ...args: (string | Buffer)[]): Promise<unknown>;
  /** With `true`, as in `ioredis`: closes the connection and opens another. Called if the server has become a replica. */
  disconnect?(reconnect?: boolean): unknown;
}

/** A script on one key. `Scripts` calls it by its hash. */
export class Script {
  readonly text: string;
  readonly sha1: string;
  /** Whether it answers 0 for what it has done before, if another server has written since. [Note: commands that are sent twice] */
  readonly isOnce: boolean;

  constructor(text: string, { isOnce = false } = {}) {
    this.text = text;
    this.isOnce = isOnce;
    this.sha1 = createHash('sha1').update(text).digest('hex'); // Required by EVALSHA; not used for security.
  }
}

/** The commands that the store uses, for either client. */
export interface RedisRunner {
  /**
   * GET, by GETEX without options. [Note: reads of replicas] Redis and the clients take GETEX for a write, so a replica refuses it, and no client
   * sends it to a replica to relieve the primary. A replica may lag behind: it has the partition of a user who has just signed out.
   */
  getex(key: string, call?: StoreCall): Promise<unknown>;
  del(key: string, call?: StoreCall): Promise<void>;
  pexpire(key: string, milliseconds: number, call?: StoreCall): Promise<void>;
  run(script: Script, key: string, args: (string | Buffer)[], call?: StoreCall): Promise<unknown>;
  /** The keys that begin with the prefix, without the client's own key prefix. */
  scan(prefix: string): AsyncIterable<string>;
}

/** One runner for each client, so that a client gets its listeners once. */
const runners = new WeakMap<object, RedisRunner>();

/** @throws PartitionStoreError `store_client` */
export function commandsOf(client: unknown): RedisRunner {
  const runner = runners.get(client as object) ?? runnerFor(client);
  runners.set(client as object, runner);
  return runner;
}

function runnerFor(client: unknown): RedisRunner {
  if (has(client, 'withCommandOptions', 'execute') && !has(client, 'legacy'))
    return new NodeRedisPool(client as RedisPool);
  if (has(client, 'withCommandOptions')) return new NodeRedis(client as RedisClient);
  // A pipeline of `ioredis` has every command, and answers none until it is executed.
  if (has(client, 'callBuffer') && reach(client as object, 'isPipeline') !== true)
    return new Ioredis(client as IoredisClient);
  throw new PartitionStoreError(
    'store_client',
    'redisStore takes a client of the `redis` package, version 5 or later (createClient, createClientPool, createCluster, createSentinel), or of `ioredis`, version 5 or later (Redis, Cluster). What was passed is neither. Nothing was read or written.',
  );
}

export function has(client: unknown, ...names: string[]): boolean {
  return (
    (typeof client === 'object' || typeof client === 'function') &&
    client !== null &&
    names.every((name) => typeof Reflect.get(client, name) === 'function')
  );
}

/** The answers of a replica: to writes, and to reads while it has no primary (`replica-serve-stale-data no`). */
export const REPLICA = /\b(READONLY|MASTERDOWN)\b/;

/** The answers of a primary that accepts no writes for the moment, because its disk is full or its replicas are away. */
export const NO_WRITES = /\b(MISCONF|NOREPLICAS)\b/;

/** The answers to credentials that are missing or wrong. */
export const CREDENTIALS = /\b(NOAUTH|WRONGPASS)\b/;

/** Why there is no connection, and will be none before someone changes something. */
const LASTING = new RegExp(`${CREDENTIALS.source}|cluster support disabled`);

/**
 * Removes the arguments of commands from an error of `ioredis`: the whole entry that was to be written, or the password of AUTH. The error
 * becomes the cause of one that apps log.
 */
export function withoutArguments<T>(error: T): T {
  if (!(error instanceof Error)) return error;
  const name = reach(error, 'command', 'name');
  if (name !== undefined) Reflect.set(error, 'command', { name });
  for (const inner of ['lastNodeError', 'cause']) withoutArguments(reach(error, inner));
  return error;
}

/** Keys per SCAN reply. */
const PAGE = 500;

/** Returns RESP bulk strings ("$") as bytes, because an entry is not text. */
const AS_BYTES = { 0x24: Buffer };

/** The least time between closing two connections, in milliseconds. */
const GIVE_UP_INTERVAL = 1000;

interface ConnectionPorts {
  /** true: the client has no connection and opens none, so a command is not sent. */
  readonly isClosed: () => boolean;
  /** false: the client is connecting, or waiting to connect. */
  readonly isReady: () => boolean;
  /** Closes the connection, so that the client opens another. */
  readonly giveUp: () => void;
}

/**
 * The state of a client's connection, as far as it decides how a command ends.
 *
 * [Note: demoted servers] A demoted server keeps its connections, and would refuse every write for as long as the process lives. A new
 * connection follows the client's address to the new primary. If the address leads only to a replica, the interval keeps writes from
 * disturbing the other users of the client. Clients of Sentinel and Cluster follow the primary by themselves.
 *
 * [Note: lasting refusals] While a server refuses the client's credentials, is not the cluster that the client expects, or has a certificate
 * that the client does not trust, commands wait in the client for a connection that never comes.
 *
 * [Note: commands that are sent twice] `ioredis`, and clients of Sentinel of `redis`, send a command again whose connection was lost before
 * the answer came. It may have been done the first time, and another server may have written since: the second answer then denies it.
 */
class Connection {
  readonly #ports: ConnectionPorts;
  /** How many connections were lost. */
  #losses = 0;
  #lastGivenUp = -GIVE_UP_INTERVAL;
  /** The answer of a replica whose connection is being closed. */
  #demoted: Error | undefined;
  /** Why there is no connection. [Note: lasting refusals] */
  #refused: Error | undefined;

  constructor(client: object, ports: ConnectionPorts) {
    this.#ports = ports;
    if (!has(client, 'on')) return;
    const emitter = client as Pick<EventEmitter, 'on'>;
    // The monitor leaves it to the app to listen to errors.
    emitter.on(errorMonitor, (error: unknown) => {
      if (!(error instanceof Error)) return;
      const ofNode = reach(error, 'lastNodeError'); // A Cluster of `ioredis` wraps it.
      const cause = ofNode instanceof Error ? ofNode : error;
      if (LASTING.test(cause.message) || isTls(cause)) this.#refused = cause;
    });
    emitter.on('ready', () => (this.#demoted = this.#refused = undefined));
    const lost = (): void => void (this.#losses += 1);
    for (const event of ['close', 'client-error', 'topology-change']) emitter.on(event, lost); // The last two: of Sentinel.
    const watch = (node: unknown): unknown => has(node, 'on') && (node as typeof emitter).on('close', lost);
    if (!has(client, 'nodes')) return;
    emitter.on('+node', watch); // Of a Cluster of `ioredis`.
    for (const node of Reflect.apply(Reflect.get(client, 'nodes') as () => unknown[], client, []))
      watch(node);
  }

  /** @throws Error if it is unknown whether the script has changed anything */
  async answerTo({ isOnce }: Script, command: () => Promise<unknown>): Promise<unknown> {
    const before = this.#losses;
    const answer = await command();
    if (!isOnce || before === this.#losses || Number(answer) !== 0) return answer;
    throw new Error(
      'The connection was lost before Redis had answered, and the client may have sent the command again. Whether it was done the first time is unknown.',
    );
  }

  send<T>(command: () => Promise<T>): Promise<T> {
    if (this.#refused !== undefined && !this.#ports.isReady())
      return Promise.reject(withoutArguments(this.#refused));
    if (this.#ports.isClosed()) return Promise.reject(closed());
    return command().catch((error: unknown) => {
      if (!(error instanceof Error)) throw error;
      withoutArguments(error);
      if (REPLICA.test(error.message)) this.#giveUp(error);
      // Commands that were sent to the replica before the connection ended were refused as well.
      else if (this.#demoted !== undefined && /^Socket closed/.test(error.message)) throw this.#demoted;
      throw error;
    });
  }

  #giveUp(demoted: Error): void {
    const now = performance.now();
    if (now - this.#lastGivenUp < GIVE_UP_INTERVAL) return;
    this.#lastGivenUp = now;
    this.#demoted = demoted;
    this.#ports.giveUp();
  }
}

class NodeRedis implements RedisRunner {
  readonly #client: RedisClient;
  readonly #connection: Connection;
  /** For commands that are sent at once. */
  readonly #commands: RedisCommands;
  readonly #options: RedisCommandOptions;
  readonly #scripts = new Scripts();
  /** What `sendCommand` takes before the command. */
  readonly #routed: (key: string | Buffer) => unknown[];

  /**
   * A client of one server sends a command in the same turn of the event loop, or is not ready. So it needs no timeout of its own, for
   * which `redis` 6 creates an AbortSignal and a timer in each command. A pool, a cluster and a sentinel may keep a command for an
   * unreachable node.
   */
  constructor(client: RedisClient) {
    this.#client = client;
    const isOneServer = has(client, 'legacy', 'duplicate') && client.isReady !== undefined; // Only that client has `legacy`.
    this.#options = { typeMapping: AS_BYTES, ...(isOneServer ? { timeout: 0 } : {}) };
    this.#commands = client.withCommandOptions(this.#options);
    const isCluster = has(client, 'nodeClient');
    this.#routed = (key) => (isOneServer ? [] : isCluster ? [key, false] : [false]);
    const strategy = reach(client, 'options', 'socket', 'reconnectStrategy');
    const reconnects = isOneServer && strategy !== false;
    this.#connection = new Connection(client, {
      isClosed: () => isClosed(client),
      isReady: () => client.isReady !== false,
      // The server answers what was sent before QUIT, then closes the connection, and the client reconnects.
      giveUp: () => {
        if (reconnects) invoke(client, 'sendCommand', ['QUIT']).catch(() => undefined);
      },
    });
  }

  getex(name: string, call?: StoreCall): Promise<unknown> {
    const prefix = reach(this.#client, '_keyPrefix'); // sendCommand leaves it out.
    const key = Buffer.isBuffer(prefix) ? Buffer.concat([prefix, Buffer.from(name)]) : textOf(prefix) + name;
    return this.#connection.send(() =>
      // `redis` 5 does not apply the options of `withCommandOptions` here.
      invoke(this.#client, 'sendCommand', ...this.#routed(key), ['GETEX', key], this.#optionsFor(call)),
    );
  }

  async del(key: string, call?: StoreCall): Promise<void> {
    await this.#connection.send(() => this.#with(call).del(key));
  }

  async pexpire(key: string, milliseconds: number, call?: StoreCall): Promise<void> {
    await this.#connection.send(() => this.#with(call).pExpire(key, milliseconds));
  }

  run(script: Script, key: string, args: (string | Buffer)[], call?: StoreCall): Promise<unknown> {
    const commands = this.#with(call);
    const options = { keys: [key], arguments: args };
    const byHash = (): Promise<unknown> => commands.evalSha(script.sha1, options);
    const byText = (): Promise<unknown> => commands.eval(script.text, options);
    return this.#connection.answerTo(script, () =>
      this.#connection.send(() => this.#scripts.run(byHash, byText)),
    );
  }

  async *scan(prefix: string): AsyncIterable<string> {
    const own = textOf(reach(this.#client, '_keyPrefix'));
    const masters: unknown = Reflect.get(this.#client, 'masters');
    const nodes: unknown[] = Array.isArray(masters)
      ? await Promise.all(masters.map((master) => invoke(this.#client, 'nodeClient', master)))
      : [this.#client];
    for (const node of nodes) {
      let cursor = '0';
      do {
        const page = await invoke(node, 'scan', cursor, { MATCH: beginningWith(own + prefix), COUNT: PAGE });
        cursor = String(Reflect.get(page as object, 'cursor'));
        for (const key of Reflect.get(page as object, 'keys') as unknown[])
          yield String(key).slice(own.length);
      } while (cursor !== '0');
    }
  }

  #with(call: StoreCall | undefined): RedisCommands {
    const options = this.#optionsFor(call);
    return options === this.#options ? this.#commands : this.#client.withCommandOptions(options);
  }

  /** Passes a signal only while not connected: only waiting commands can be cancelled, and a signal costs more than a GET. */
  #optionsFor(call: StoreCall | undefined): RedisCommandOptions {
    if (this.#client.isReady !== false || call?.signal === undefined) return this.#options;
    return { typeMapping: AS_BYTES, abortSignal: call.signal };
  }
}

interface RedisPool extends RedisClient {
  execute<T>(task: (client: RedisClient) => Promise<T>): Promise<T>;
}

/** Takes a connection out of the pool for each command, so that the one to a demoted server is known. */
class NodeRedisPool implements RedisRunner {
  readonly #pool: RedisPool;

  constructor(pool: RedisPool) {
    this.#pool = pool;
  }

  getex(key: string, call?: StoreCall): Promise<unknown> {
    return this.#on((connection) => connection.getex(this.#named(key), call));
  }

  del(key: string, call?: StoreCall): Promise<void> {
    return this.#on((connection) => connection.del(this.#named(key), call));
  }

  pexpire(key: string, milliseconds: number, call?: StoreCall): Promise<void> {
    return this.#on((connection) => connection.pexpire(this.#named(key), milliseconds, call));
  }

  run(script: Script, key: string, args: (string | Buffer)[], call?: StoreCall): Promise<unknown> {
    return this.#on((connection) => connection.run(script, this.#named(key), args, call));
  }

  scan(prefix: string): AsyncIterable<string> {
    return new NodeRedis(this.#pool).scan(prefix);
  }

  /** The connections of a pool do not know its key prefix. */
  #named(key: string): string {
    return textOf(reach(this.#pool, '_keyPrefix')) + key;
  }

  async #on<T>(task: (connection: RedisRunner) => Promise<T>): Promise<T> {
    if (isClosed(this.#pool)) throw closed();
    return this.#pool.execute((client) => task(commandsOf(client)));
  }
}

class Ioredis implements RedisRunner {
  readonly #client: IoredisClient;
  readonly #connection: Connection;
  readonly #scripts = new Scripts();

  constructor(client: IoredisClient) {
    this.#client = client;
    const strategy = reach(client, 'options', 'retryStrategy');
    const reconnects = strategy !== null && !has(client, 'nodes');
    this.#connection = new Connection(client, {
      isClosed: () => reach(client, 'status') === 'end',
      isReady: () => (reach(client, 'status') ?? 'ready') === 'ready',
      giveUp: () => void (reconnects && client.disconnect?.(true)),
    });
  }

  getex(key: string): Promise<unknown> {
    return this.#send('getex', key);
  }

  async del(key: string): Promise<void> {
    await this.#send('del', key);
  }

  async pexpire(key: string, milliseconds: number): Promise<void> {
    await this.#send('pexpire', key, String(milliseconds));
  }

  run(script: Script, key: string, args: (string | Buffer)[]): Promise<unknown> {
    const byHash = (): Promise<unknown> => this.#send('evalsha', script.sha1, '1', key, ...args);
    const byText = (): Promise<unknown> => this.#send('eval', script.text, '1', key, ...args);
    return this.#connection.answerTo(script, () => this.#scripts.run(byHash, byText));
  }

  #send(command: string, ...args: (string | Buffer)[]): Promise<unknown> {
    // With `enableAutoPipelining`, `callBuffer` of `ioredis` loses the command's name; its methods for single commands do not.
    const own = `${command}Buffer`;
    return this.#connection.send(() =>
      has(this.#client, own) ? invoke(this.#client, own, ...args) : this.#client.callBuffer(command, ...args),
    );
  }

  async *scan(prefix: string): AsyncIterable<string> {
    const own = textOf(reach(this.#client, 'options', 'keyPrefix'));
    const nodes = has(this.#client, 'nodes') ? await invoke(this.#client, 'nodes', 'master') : [this.#client];
    for (const node of nodes as unknown[]) {
      let cursor = '0';
      do {
        const args = [cursor, 'MATCH', beginningWith(own + prefix), 'COUNT', String(PAGE)];
        const answer = has(node, 'scan')
          ? await invoke(node, 'scan', ...args)
          : await this.#client.callBuffer('scan', ...args); // The documented adapter has no other function.
        const [next, keys] = answer as [unknown, unknown[]];
        cursor = String(next);
        for (const key of keys) yield String(key).slice(own.length);
      } while (cursor !== '0');
    }
  }
}

/** Whether a client of `redis` was never connected, was closed, or has stopped reconnecting. */
function isClosed(client: object): boolean {
  return reach(client, 'isOpen') === false;
}

function closed(): PartitionStoreError {
  return new PartitionStoreError(
    'store_client',
    'The Redis client has no connection and opens none: it was never connected, was closed, or has stopped reconnecting. Nothing was sent. Connect it before the store is used, and give it a strategy that does not stop reconnecting.',
  );
}

/**
 * Runs scripts by their hashes, and by their texts where the server does not have them. The first one is sent as text, so that a Redis user
 * who may not do that is found by `check()`, rather than when the server has lost its scripts.
 */
class Scripts {
  #maySendTexts = false;

  async run(byHash: () => Promise<unknown>, byText: () => Promise<unknown>): Promise<unknown> {
    if (this.#maySendTexts) {
      try {
        return await byHash();
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      }
    }
    const answer = await byText();
    this.#maySendTexts = true;
    return answer;
  }
}

/** @throws PartitionStoreError `store_client` */
export function bytesOf(value: unknown): Buffer | null {
  if (value === null) return null;
  if (Buffer.isBuffer(value)) return value;
  throw new PartitionStoreError(
    'store_client',
    'The Redis client returned text where bytes were asked for, so partitions cannot be read. Use the `redis` package from version 5 on, or `ioredis`. Nothing was changed.',
  );
}

/** Returns a client's key prefix as text; "" if it has none. */
function textOf(prefix: unknown): string {
  return typeof prefix === 'string' || Buffer.isBuffer(prefix) ? prefix.toString() : '';
}

/** Returns a pattern for SCAN. The clients do not apply their key prefix to patterns, nor remove it from the keys. */
function beginningWith(prefix: string): string {
  return `${prefix.replace(/[\\*?[\]]/g, '\\$&')}*`;
}

/** Returns a property of a property; undefined where there is none. */
function reach(target: object, ...names: string[]): unknown {
  let value: unknown = target;
  for (const name of names)
    value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  return value;
}

async function invoke(target: unknown, name: string, ...args: unknown[]): Promise<unknown> {
  const method: unknown = Reflect.get(target as object, name);
  if (typeof method !== 'function') throw new TypeError(`The Redis client has no ${name}.`);
  return (await Reflect.apply(method, target, args)) as unknown;
}
