import { systemClock } from '../../cache/clock.ts';
import { InvalidArgumentError, PartitionError } from '../../errors.ts';
import { BOUND, checkOptions, FUNCTION } from '../../options.ts';
import { ListingCall } from '../deadline.ts';
import type { Lease, PartitionLeases, PartitionStore, StoredPartition } from '../partition-store.ts';

/** Options of `memoryStore`. */
export interface MemoryStoreOptions {
  /** How many entries; Infinity: no limit. Default: 10,000. */
  maxEntries?: number;
  /** Bytes of all entries together, without the overhead of the Map; Infinity: no limit. Default: 64 MiB. */
  maxBytes?: number;
  /** Seconds since the epoch. */
  now?: () => number;
}

/**
 * A partition store in the memory of this process.
 *
 * @example
 * import { type MemoryStore, memoryStore } from 'tokenkeep/partitions';
 *
 * const store: MemoryStore = memoryStore();
 * setInterval(() => console.log(`${store.size} partitions`), 60_000).unref();
 */
export interface MemoryStore extends PartitionStore {
  /** How many entries there are. */
  readonly size: number;
  /** Removes all entries. */
  clear(): void;
}

interface Held extends StoredPartition {
  /** Expiry time in seconds since the epoch; Infinity: never. */
  readonly expiresAt: number;
  /** Of an entry of the user index: the keys of the partitions that are found by it. */
  readonly lists?: readonly string[];
}

/**
 * Keeps partitions in memory: for a single process, for tests, and in front of another store (`layered`). When it is full, the
 * least recently used entries are evicted, and their users must sign in again. With `userIndex`, each user takes up to three entries
 * more, which stay as long as the partitions that they name.
 *
 * @throws InvalidArgumentError
 * @example
 * import { memoryStore, partitionedCaches } from 'tokenkeep/partitions';
 *
 * const caches = partitionedCaches({ store: memoryStore({ maxEntries: 1000 }), sealingKeys });
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const {
    maxEntries = 10_000,
    maxBytes = 64 * 1024 * 1024,
    now = systemClock,
  } = checkOptions('memoryStore', options, { maxEntries: BOUND, maxBytes: BOUND, now: FUNCTION });
  if (!(maxEntries >= 1 && maxBytes >= 1)) {
    throw new InvalidArgumentError('maxEntries and maxBytes of a memory store are numbers of at least 1.');
  }
  /** Least recently used first. */
  const entries = new Map<string, Held>();
  let bytes = 0;

  const drop = (key: string): void => {
    bytes -= entries.get(key)?.bytes.byteLength ?? 0;
    entries.delete(key);
  };
  const hold = (key: string, held: Held): void => {
    drop(key);
    entries.set(key, held);
    bytes += held.bytes.byteLength;
  };
  const put = (key: string, held: Held): void => {
    hold(key, held);
    let unseen = entries.size;
    for (const [oldest, least] of entries) {
      if (entries.size <= maxEntries && bytes <= maxBytes) break;
      // An index entry goes after its partitions, which no sign-out everywhere would find any more. The second time round, all may go.
      const isNeeded = oldest === key || least.lists?.some((listed) => entries.has(listed)) === true;
      drop(oldest);
      if (isNeeded && unseen > 0) hold(oldest, least);
      unseen -= 1;
    }
  };
  /** Returns the entry; undefined if there is none or it has expired. */
  const live = (key: string): Held | undefined => {
    const held = entries.get(key);
    if (held === undefined || now() < held.expiresAt) return held;
    drop(key);
    return undefined;
  };
  const expiry = (ttl: number | null): number => (ttl === null ? Infinity : now() + ttl);

  return {
    get size() {
      return entries.size;
    },
    clear: () => {
      entries.clear();
      bytes = 0;
    },
    read: async (key) => {
      const held = live(key);
      if (held === undefined) return Promise.resolve(null);
      put(key, held);
      return Promise.resolve({ bytes: held.bytes, version: held.version });
    },
    write: async (key, { bytes: own, version }, { expected, ttl }, call) => {
      if (own.byteLength > maxBytes) {
        throw new PartitionError(
          'partition_too_large',
          key,
          `The partition ${key} has ${own.byteLength} bytes, and the memory store holds ${maxBytes} at most. Nothing was written. Raise maxBytes, or use a store on a server.`,
        );
      }
      if ((live(key)?.version ?? null) !== expected) return Promise.resolve(false);
      const held = { bytes: own.slice(), version, expiresAt: expiry(ttl) };
      put(key, call instanceof ListingCall ? { ...held, lists: call.lists } : held);
      return Promise.resolve(true);
    },
    remove: async (key, expected) => {
      const held = live(key);
      if (expected !== undefined && held !== undefined && held.version !== expected)
        return Promise.resolve(false);
      drop(key);
      return Promise.resolve(true);
    },
    touch: async (key, ttl) => {
      const held = live(key);
      if (held !== undefined) put(key, { ...held, expiresAt: expiry(ttl) });
      return Promise.resolve();
    },
    leases: memoryLeases(now),
    maintenance: {
      async *keys() {
        for (const key of [...entries.keys()]) if (live(key) !== undefined) yield await Promise.resolve(key);
      },
      replace: (key, { bytes: own, version }, expected) => {
        const held = live(key);
        if (held?.version !== expected) return Promise.resolve(false);
        put(key, { ...held, bytes: own.slice(), version });
        return Promise.resolve(true);
      },
    },
  };
}

/** Leases of this process: callers that share them exclude each other. */
export function memoryLeases(now: () => number): PartitionLeases {
  const leases = new Map<string, { owner: string; expiresAt: number }>();
  const at = (key: string, { name }: Lease): string => `${key} ${name}`;
  return {
    take: (key, lease) => {
      const held = leases.get(at(key, lease));
      if (held !== undefined && held.owner !== lease.owner && now() < held.expiresAt)
        return Promise.resolve(false);
      leases.set(at(key, lease), { owner: lease.owner, expiresAt: now() + lease.ttl });
      return Promise.resolve(true);
    },
    give: (key, lease) => {
      if (leases.get(at(key, lease))?.owner === lease.owner) leases.delete(at(key, lease));
      return Promise.resolve();
    },
  };
}
