/** Invalidation through Redis pub/sub: processes tell each other which partitions have changed. */
import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, PartitionStoreError } from '../../errors.ts';
import { checkOptions } from '../../options.ts';
import type { PartitionInvalidation } from './layered-store.ts';
import { CREDENTIALS, has, withoutArguments } from './redis-client.ts';
import { subscribed, UNSUBSCRIBED } from './subscribing.ts';
import { isTls, tlsRefused } from './tls.ts';

/**
 * The members of a `redis` client that are used. `createCluster()` cannot duplicate a connection: pass a client of one node.
 *
 * @example
 * import { createClient } from 'redis';
 * import { redisInvalidation, type RedisPubSubClient } from 'tokenkeep/partitions/redis';
 *
 * const client: RedisPubSubClient = await createClient({ url: 'redis://127.0.0.1:6379' }).connect();
 * const invalidation = redisInvalidation({ client });
 */
export interface RedisPubSubClient {
  /** PUBLISH. */
  publish(channel: string, message: string): Promise<unknown>;
  /** Creates another connection like this one, because Redis needs a separate one for subscriptions. */
  duplicate(): RedisSubscriber;
}

/**
 * The members of a subscribing connection that are used.
 *
 * @example
 * import { createClient } from 'redis';
 * import type { RedisSubscriber } from 'tokenkeep/partitions/redis';
 *
 * const subscriber: RedisSubscriber = createClient().duplicate();
 */
export interface RedisSubscriber {
  /** Resolves when connected. */
  connect(): Promise<unknown>;
  /** SUBSCRIBE. */
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  /** Closes the connection immediately. */
  destroy(): void;
  /** The connection was lost or restored; messages may have been missed. */
  on(event: 'error' | 'ready', listener: () => void): unknown;
}

/**
 * The members of an `ioredis` client that invalidation uses.
 *
 * @example
 * import { Redis } from 'ioredis';
 * import { type IoredisPubSubClient, redisInvalidation } from 'tokenkeep/partitions/redis';
 *
 * const client: IoredisPubSubClient = new Redis('redis://127.0.0.1:6379');
 * const invalidation = redisInvalidation({ client });
 */
export interface IoredisPubSubClient {
  /** PUBLISH. */
  publish(channel: string, message: string): Promise<unknown>;
  /** Creates another connection like this one. */
  duplicate(): {
    /** SUBSCRIBE. */
    subscribe(channel: string): Promise<unknown>;
    /** Closes the connection immediately. */
    disconnect(): void;
    /** A message, or a connection that was lost or restored. */
    on(event: 'error' | 'ready' | 'message', listener: (channel: string, message: string) => void): unknown;
  };
}

/** Options of the invalidation. */
export interface RedisInvalidationOptions {
  /** A connected or connecting client. The caller closes it. */
  client: RedisPubSubClient | IoredisPubSubClient;
  /** Default: "tokenkeep". */
  channel?: string;
}

/**
 * Invalidates copies through Redis pub/sub, on a connection of its own. A message is a partition's key and holds no secret.
 *
 * @throws InvalidArgumentError; PartitionStoreError `store_client`
 * @example
 * import { createClient } from 'redis';
 * import { layered } from 'tokenkeep/partitions';
 * import { redisInvalidation, redisStore } from 'tokenkeep/partitions/redis';
 *
 * const client = await createClient({ url: 'redis://127.0.0.1:6379' }).connect();
 * const store = layered({ store: redisStore({ client }), staleness: 10, invalidation: redisInvalidation({ client }) });
 */
export function redisInvalidation(options: RedisInvalidationOptions): PartitionInvalidation {
  const { client, channel = 'tokenkeep' } = checkOptions(
    'redisInvalidation',
    options,
    { client: true, channel: true },
    'Nothing was subscribed.',
  );
  if (typeof channel !== 'string' || channel === '')
    throw new InvalidArgumentError('A channel has a name.', { field: 'channel' });
  if (!has(client, 'publish', 'duplicate'))
    throw new PartitionStoreError(
      'store_client',
      'redisInvalidation takes a client that can publish and be duplicated: of `redis` from version 5 on, or of `ioredis`. For a cluster or a pool, pass a client of one server. Nothing was subscribed.',
    );
  const self = randomUUID();
  const heard = (message: string, onChange: (key: string) => void): void => {
    const [sender, key] = message.split(' ');
    if (sender !== self && key !== undefined) onChange(key);
  };
  return {
    publish: (key) => void client.publish(channel, `${self} ${key}`).catch(() => undefined),
    subscribe: (onChange, onGap, signal) => {
      // Both clients reconnect and resubscribe automatically; messages sent meanwhile are lost.
      const subscriber = client.duplicate();
      subscriber.on('error', onGap);
      subscriber.on('ready', onGap);
      if ('destroy' in subscriber && 'connect' in subscriber)
        return subscribed(signal, {
          begin: async () => {
            await subscriber.connect();
            await subscriber.subscribe(channel, (message) => heard(message, onChange));
          },
          close: () => orEnded(() => subscriber.destroy()),
          explained,
        });
      subscriber.on('message', (_channel, message) => heard(message, onChange));
      return subscribed(signal, {
        begin: () => subscriber.subscribe(channel),
        close: () => orEnded(() => subscriber.disconnect()),
        explained,
      });
    },
  };
}

/** Closes a connection, unless it has ended by itself. */
function orEnded(close: () => void): void {
  try {
    close();
  } catch {
    // There is nothing to close.
  }
}

function explained(cause: unknown): unknown {
  withoutArguments(cause);
  if (cause instanceof Error && isTls(cause)) return tlsRefused(cause, UNSUBSCRIBED);
  const message = cause instanceof Error ? cause.message : '';
  if (CREDENTIALS.test(message))
    return new PartitionStoreError(
      'store_forbidden',
      `Redis rejected the password or the user name. Correct the credentials of the client. ${UNSUBSCRIBED}`,
      { cause },
    );
  if (message.includes('NOPERM'))
    return new PartitionStoreError(
      'store_forbidden',
      `The client's Redis user may not use the channel. It needs +subscribe and +publish, and the channel, for example &tokenkeep. ${UNSUBSCRIBED}`,
      { cause },
    );
  return cause;
}
