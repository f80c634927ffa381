/** An in-memory cache in front of another store. */
import { InvalidArgumentError } from '../../errors.ts';
import { AMOUNT, BOUND, checkOptions, having, requireOptions } from '../../options.ts';
import { memoryStore, type MemoryStoreOptions } from './memory-store.ts';
import type { PartitionLeases, PartitionStore, StoredPartition } from '../partition-store.ts';

/**
 * Notifies the processes of a site of changed entries: `redisInvalidation`, `postgresInvalidation`.
 *
 * @example
 * import { EventEmitter } from 'node:events';
 * import type { PartitionInvalidation } from 'tokenkeep/partitions';
 *
 * const bus = new EventEmitter(); // of a message broker
 * const invalidation: PartitionInvalidation = {
 *   publish: (key) => void bus.emit('changed', key),
 *   subscribe: async (onChange, onGap) => {
 *     bus.on('changed', onChange).on('reconnected', onGap);
 *     return async () => void bus.off('changed', onChange).off('reconnected', onGap);
 *   },
 * };
 */
export interface PartitionInvalidation {
  /** Notifies other processes, best effort. A process that misses a message reads the change when its copy expires. */
  publish(key: string): void;
  /**
   * @param onChange called with the key of an entry that another process has changed
   * @param onGap called when messages may have been missed
   * @param signal aborted when the store is closed, perhaps before there is a connection
   * @returns a function that ends the subscription
   */
  subscribe(
    onChange: (key: string) => void,
    onGap: () => void,
    signal?: AbortSignal,
  ): Promise<() => Promise<void>>;
}

/** Options of `layered`. */
export interface LayeredOptions extends Pick<MemoryStoreOptions, 'maxEntries' | 'maxBytes'> {
  /** The underlying store, such as Redis or PostgreSQL. */
  store: PartitionStore;
  /**
   * Seconds for which a copy in memory may be used without asking the store, counted from when the store was asked for it. At
   * most 300.
   */
  staleness: number;
  /** Usually keeps copies fresher than `staleness`, which remains the limit either way. */
  invalidation?: PartitionInvalidation;
}

/**
 * A store with an in-memory cache in front.
 *
 * @example
 * import type { LayeredStore } from 'tokenkeep/partitions';
 *
 * async function warnWithoutInvalidation(store: LayeredStore): Promise<void> {
 *   await store.listening.catch((error: unknown) => console.warn('Copies may be stale:', error));
 * }
 */
export interface LayeredStore extends PartitionStore {
  /** Resolves when subscribed to invalidations. If it rejects, there are none, and copies are used for `staleness` seconds. */
  readonly listening: Promise<void>;
  /** Ends the subscription. Does not wait for one that is still being made: it is given up, and `listening` rejects. */
  close(): Promise<void>;
}

/**
 * Puts an in-memory cache of sealed entries in front of another store. A read may return a copy that is up to
 * `staleness` seconds old: an access token that another process has replaced, or a user that it has signed out, is visible for that
 * long at most. Updates and sign-outs are not affected: they read the store, or compare with it when they write. Reads under a lease
 * (`exclusively`) are not affected either: its holder reads the store, so that no old refresh token is redeemed.
 *
 * @throws InvalidArgumentError
 * @example
 * import { createClient } from 'redis';
 * import { layered } from 'tokenkeep/partitions';
 * import { redisInvalidation, redisStore } from 'tokenkeep/partitions/redis';
 *
 * const client = await createClient({ url: 'redis://127.0.0.1:6379' }).connect();
 * const store = layered({ store: redisStore({ client }), staleness: 10, invalidation: redisInvalidation({ client }) });
 */
export function layered(options: LayeredOptions): LayeredStore {
  const { store, staleness, invalidation, ...bounds } = checkOptions('layered', options, {
    store: having('a store, with the functions of PartitionStore', 'read', 'write', 'remove', 'touch'),
    staleness: AMOUNT,
    invalidation: having('what redisInvalidation or postgresInvalidation returned', 'publish', 'subscribe'),
    maxEntries: BOUND,
    maxBytes: BOUND,
  });
  requireOptions('layered', { store }, ['store']);
  if (!(staleness > 0 && staleness <= 300)) {
    throw new InvalidArgumentError('staleness is a number of seconds, above 0 and at most 300.', {
      field: 'staleness',
    });
  }
  // A monotonic clock: copies age even if the system time is changed.
  const now = (): number => performance.now() / 1000;
  const copies = memoryStore({ ...bounds, now });
  /** Reads and writes in progress, whose result may be older than a later invalidation. */
  const underWay = new Map<string, Set<{ isOutdated: boolean }>>();

  const forget = (key: string): void => {
    for (const call of underWay.get(key) ?? []) call.isOutdated = true;
    void copies.remove(key);
  };
  const forgetAll = (): void => {
    for (const calls of underWay.values()) for (const call of calls) call.isOutdated = true;
    copies.clear();
  };
  /** Caches the result of a call unless an invalidation arrived meanwhile. Its age counts from the start of the call. */
  const keeping = async <T>(
    key: string,
    task: (keep: (entry: StoredPartition, longest: number | null) => Promise<void>) => Promise<T>,
  ): Promise<T> => {
    const call = { isOutdated: false };
    const calls = underWay.get(key) ?? new Set();
    underWay.set(key, calls.add(call));
    const begun = now();
    try {
      return await task(async (entry, longest) => {
        const ttl = Math.min(staleness, longest ?? Infinity) - (now() - begun);
        if (call.isOutdated || ttl <= 0) return;
        await copies.remove(key);
        // An entry that is too large for the memory is not copied.
        await copies.write(key, entry, { expected: null, ttl }).catch(() => false);
      });
    } finally {
      calls.delete(call);
      if (calls.size === 0) underWay.delete(key);
    }
  };
  const tell = (key: string): void => {
    forget(key);
    invalidation?.publish(key);
  };

  const closing = new AbortController();
  let end: (() => Promise<void>) | undefined;
  const listening = Promise.resolve(invalidation?.subscribe(forget, forgetAll, closing.signal)).then(
    async (unsubscribe) => {
      end = unsubscribe;
      if (!closing.signal.aborted) return;
      await end?.();
      closing.signal.throwIfAborted();
    },
  );
  listening.catch(() => undefined); // Callers await it if they need the result.

  return {
    listening,
    close: async () => {
      closing.abort();
      await end?.();
    },
    read: async (key, call) => {
      const copy = call?.fresh === true ? null : await copies.read(key);
      if (copy !== null) return copy;
      return keeping(key, async (keep) => {
        const entry = await store.read(key, call);
        // An entry with a TTL may be copied past its end by `staleness`.
        if (entry !== null) await keep(entry, null);
        else await copies.remove(key); // another server removed it
        return entry;
      });
    },
    write: (key, entry, condition, call) =>
      keeping(key, async (keep) => {
        let isWritten = false;
        try {
          isWritten = await store.write(key, entry, condition, call);
        } catch (error) {
          tell(key); // It may have been written.
          throw error;
        }
        await copies.remove(key);
        if (!isWritten) return false;
        await keep(entry, condition.ttl);
        for (const other of underWay.get(key) ?? []) other.isOutdated = true; // Reads that began before the write.
        invalidation?.publish(key);
        return true;
      }),
    remove: async (key, expected, call) => {
      try {
        const isGone = await store.remove(key, expected, call);
        if (isGone) tell(key);
        else forget(key);
        return isGone;
      } catch (error) {
        tell(key);
        throw error;
      }
    },
    touch: (key, ttl, call) => store.touch(key, ttl, call),
    ...(store.leases === undefined ? {} : { leases: freshLeases(store.leases, forget) }),
    ...(store.maintenance === undefined ? {} : { maintenance: store.maintenance }),
  };
}

/** Ensures that a new lease holder sees what the last holder wrote, and not an older copy. */
function freshLeases(leases: PartitionLeases, forget: (key: string) => void): PartitionLeases {
  return {
    take: async (key, lease, call) => {
      const isTaken = await leases.take(key, lease, call);
      if (isTaken) forget(key);
      return isTaken;
    },
    give: (key, lease, call) => leases.give(key, lease, call),
  };
}
