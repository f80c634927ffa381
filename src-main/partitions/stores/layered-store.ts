import { InvalidArgumentError } from '../../errors.ts';
import { memoryStore, type MemoryStoreOptions } from './memory-store.ts';
import type { PartitionLeases, PartitionStore, StoredPartition } from '../partition-store.ts';

/** How the processes of a site tell each other which entries have changed: `redisInvalidation`, `postgresInvalidation`. */
export interface PartitionInvalidation {
  /** Tells the others, as well as it can: what is not told is found out when the copy is too old. */
  publish(key: string): void;
  /**
   * @param onChange with the key of an entry that another process has changed
   * @param onGap invalidation may have been missed
   * @returns what ends it
   */
  subscribe(onChange: (key: string) => void, onGap: () => void): Promise<() => Promise<void>>;
}

/** What lies behind the memory, and how old its copies may be. */
export interface LayeredOptions extends Pick<MemoryStoreOptions, 'maxEntries' | 'maxBytes'> {
  /** Where the entries are; Redis, PostgreSQL. */
  store: PartitionStore;
  /** Seconds for which a copy in memory may be used without asking the store. At most 300. */
  staleness: number;
  /** Makes it shorter than `staleness` in practice; `staleness` holds with and without it. */
  invalidation?: PartitionInvalidation;
}

export interface LayeredStore extends PartitionStore {
  /** Resolved: invalidation are heard. Rejected: they can't be, and the copies are trusted for `staleness` all the same. */
  readonly listening: Promise<void>;
  /** Ends the listening. */
  close(): Promise<void>;
}

/**
 * Memory in front of another store. Copies are of the sealed bytes. A read may be answered from a copy that is up to
 * `staleness` seconds old: an access token that another process has replaced, or a user that it has signed out, is seen for that
 * long at most. Updates are not affected: they compare with what is in the store, and a copy that was too old costs a
 * second try. Nor is what happens under a lease (`exclusively`): its holder reads the store, so that no refresh token of
 * yesterday is redeemed.
 */
export function layered({ store, staleness, invalidation, ...bounds }: LayeredOptions): LayeredStore {
  if (!(staleness > 0 && staleness <= 300)) {
    throw new InvalidArgumentError('staleness is a number of seconds, from above 0 to 300.');
  }
  // A clock that nobody sets: copies get older whatever happens to the time of day.
  const copies = memoryStore({ ...bounds, now: () => performance.now() / 1000 });
  /** Reads that are under way, and may bring something older than what was told since. */
  const reading = new Map<string, Set<{ isOutdated: boolean }>>();

  const forget = (key: string): void => {
    for (const read of reading.get(key) ?? []) read.isOutdated = true;
    void copies.remove(key);
  };
  const forgetAll = (): void => {
    for (const reads of reading.values()) for (const read of reads) read.isOutdated = true;
    copies.clear();
  };
  const keep = async (key: string, entry: StoredPartition, longest: number | null): Promise<void> => {
    await copies.remove(key);
    const ttl = longest === null ? staleness : Math.min(staleness, longest);
    // One that is too large for the memory is simply not copied.
    await copies.write(key, entry, { expected: null, ttl }).catch(() => false);
  };
  const told = (key: string): void => {
    forget(key);
    invalidation?.publish(key);
  };

  const subscription = invalidation?.subscribe(forget, forgetAll);
  const listening = Promise.resolve(subscription).then(() => undefined);
  listening.catch(() => undefined); // Whoever wants to know awaits it.

  return {
    listening,
    close: async () => {
      const end = await subscription?.catch(() => undefined);
      await end?.();
    },
    read: async (key, call) => {
      const copy = await copies.read(key);
      if (copy !== null) return copy;
      const read = { isOutdated: false };
      const reads = reading.get(key) ?? new Set();
      reading.set(key, reads.add(read));
      try {
        const entry = await store.read(key, call);
        // Inside a session that goes on, an entry with a TTL may be copied past its end by `staleness`.
        if (entry !== null && !read.isOutdated) await keep(key, entry, null);
        return entry;
      } finally {
        reads.delete(read);
        if (reads.size === 0) reading.delete(key);
      }
    },
    write: async (key, entry, condition, call) => {
      try {
        if (!(await store.write(key, entry, condition, call))) {
          forget(key);
          return false;
        }
      } catch (error) {
        told(key); // It may have been written.
        throw error;
      }
      told(key);
      await keep(key, entry, condition.ttl);
      return true;
    },
    remove: async (key, expected, call) => {
      try {
        const isGone = await store.remove(key, expected, call);
        if (isGone) told(key);
        else forget(key);
        return isGone;
      } catch (error) {
        told(key);
        throw error;
      }
    },
    touch: (key, ttl, call) => store.touch(key, ttl, call),
    ...(store.leases === undefined ? {} : { leases: freshLeases(store.leases, forget) }),
  };
}

/** Who has just got a lease must see what its last holder wrote, not a copy from before. */
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
