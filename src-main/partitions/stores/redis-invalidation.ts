import { randomUUID } from 'node:crypto';
import { InvalidArgumentError } from '../../errors.ts';
import type { PartitionInvalidation } from './layered-store.ts';

/** What is used of a client of the `redis` package; `createCluster()` has no `duplicate` of one connection: give a client of one node. */
export interface RedisPubSubClient {
  /** PUBLISH. */
  publish(channel: string, message: string): Promise<unknown>;
  /** Another connection like this one: Redis wants one for listening alone. */
  duplicate(): RedisSubscriber;
}

/** What is used of a connection that listens. */
export interface RedisSubscriber {
  /** Resolves when it is connected. */
  connect(): Promise<unknown>;
  /** SUBSCRIBE. */
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  /** Closes the connection at once. */
  destroy(): void;
  /** Lost, or connected again: something may have been missed. */
  on(event: 'error' | 'ready', listener: () => void): unknown;
}

/** Over what processes tell each other which partitions have changed. */
export interface RedisInvalidationOptions {
  /** Connected, or connecting; it stays yours to close. */
  client: RedisPubSubClient;
  /** Default: "tokenkeep". */
  channel?: string;
}

/** News of changed partitions through Redis pub/sub, on a connection of its own. A message is a key, and no secret. */
export function redisInvalidation({
  client,
  channel = 'tokenkeep',
}: RedisInvalidationOptions): PartitionInvalidation {
  if (channel === '') throw new InvalidArgumentError('A channel has a name.');
  const self = randomUUID();
  return {
    publish: (key) => void client.publish(channel, `${self} ${key}`).catch(() => undefined),
    subscribe: async (onChange, onGap) => {
      const subscriber = client.duplicate();
      // The client connects and subscribes again by itself; what was told meanwhile is missed.
      subscriber.on('error', onGap);
      subscriber.on('ready', onGap);
      await subscriber.connect();
      await subscriber.subscribe(channel, (message) => {
        const [sender, key] = message.split(' ');
        if (sender !== self && key !== undefined) onChange(key);
      });
      return () => {
        subscriber.destroy();
        return Promise.resolve();
      };
    },
  };
}
