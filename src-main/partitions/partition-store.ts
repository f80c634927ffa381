/** The contract of a partition store: four functions, and optionally leases and maintenance. */

/** One entry as a store keeps it. */
export interface StoredPartition {
  /** Opaque to the store, and returned unchanged. */
  readonly bytes: Uint8Array;
  /** 16 characters of base64url. The writer makes a new one for each write, so that no two writes share one. */
  readonly version: string;
}

/** The condition of a write, and the entry's TTL. */
export interface WriteCondition {
  /** The version that `read` returned; null if it returned null. */
  readonly expected: string | null;
  /** Seconds until the entry expires; null: never. */
  readonly ttl: number | null;
}

/** Options of a store call. */
export interface StoreCall {
  /** Aborted when the caller stops waiting: don't send unsent requests, and release connections. */
  readonly signal?: AbortSignal;
  /** Of a read: a copy that may be older than the last resolved write won't do. A store without copies needs no such thing. */
  readonly fresh?: boolean;
}

/**
 * Stores partitions. Keys are 43 characters of base64url. Entries are independent of each other, so a store may distribute
 * them over machines. Sealing, retries, deadlines and TTLs are added around it.
 *
 * Throw for every failure. If the store is down, slow or misconfigured, returning `null` or `false` would
 * sign the user out. `tokenkeep/partitions/conformance` tests the whole contract.
 *
 * @example
 * import type { PartitionStore, StoredPartition } from 'tokenkeep/partitions';
 *
 * const entries = new Map<string, StoredPartition>();
 * const store: PartitionStore = {
 *   read: async (key) => entries.get(key) ?? null,
 *   write: async (key, entry, { expected }) => {
 *     if ((entries.get(key)?.version ?? null) !== expected) return false;
 *     entries.set(key, entry);
 *     return true;
 *   },
 *   remove: async (key, expected) => {
 *     const version = entries.get(key)?.version;
 *     if (expected !== undefined && version !== undefined && version !== expected) return false;
 *     entries.delete(key);
 *     return true;
 *   },
 *   touch: async () => undefined, // entries of this store never expire
 * };
 */
export interface PartitionStore {
  /** Resolves with null only if there is no entry under this key, or it has expired. Sees every write that has resolved. */
  read(key: string, call?: StoreCall): Promise<StoredPartition | null>;

  /**
   * Replaces the expected entry, completely or not at all, in one atomic step.
   *
   * true: it is stored, as durably as the store keeps anything. false: the version is not the expected one, and nothing
   * was changed. Throws if it did not happen or if that is unknown; it may then have happened. It is unknown after a refusal of a request
   * that the client has sent more than once: the first may have been done, and another server may have written since.
   */
  write(key: string, entry: StoredPartition, condition: WriteCondition, call?: StoreCall): Promise<boolean>;

  /**
   * true: there is no entry under this key, or never was. false, only if a version is expected: the entry has another
   * version, and was not removed. Throws as `write`.
   */
  remove(key: string, expected?: string, call?: StoreCall): Promise<boolean>;

  /** Sets the entry to expire `ttl` seconds from now without changing its version. Does nothing if there is no entry. */
  touch(key: string, ttl: number, call?: StoreCall): Promise<void>;

  /** Absent if the store cannot exclude other processes; turns then exclude callers in this process only. */
  readonly leases?: PartitionLeases;

  /** Absent if the store cannot list its entries; `reseal` and `sealingReport` are then refused. */
  readonly maintenance?: StoreMaintenance;
}

/** An exclusive right to a task of a partition, for a limited time. */
export interface Lease {
  /** The task: 43 characters of base64url. Leases with different names are independent. */
  readonly name: string;
  /** The holder: 22 characters of base64url, new for each request and known only to the holder. */
  readonly owner: string;
  /** Seconds until it expires by the store's clock, so that a holder that dies does not block others for ever. */
  readonly ttl: number;
}

/**
 * Exclusion across all processes and machines that share the store, e.g. to refresh a partition's tokens at a provider that
 * treats reuse of a refresh token as theft.
 *
 * A lease is not a fence. A holder that stalled for longer than its lease (suspended, or cut off from the store) continues
 * beside the next one, and a store that loses acknowledged writes, as Redis may in a failover, loses leases too. Entries
 * don't depend on leases: `write` always compares versions.
 *
 * @example
 * import type { PartitionLeases } from 'tokenkeep/partitions';
 *
 * const held = new Map<string, { owner: string; until: number }>();
 * const leases: PartitionLeases = {
 *   take: async (key, { name, owner, ttl }) => {
 *     const holder = held.get(key + name);
 *     const now = performance.now();
 *     if (holder !== undefined && holder.owner !== owner && holder.until > now) return false;
 *     held.set(key + name, { owner, until: now + ttl * 1000 });
 *     return true;
 *   },
 *   give: async (key, { name, owner }) => {
 *     if (held.get(key + name)?.owner === owner) held.delete(key + name);
 *   },
 * };
 */
export interface PartitionLeases {
  /**
   * Takes the lease, or renews it if this owner holds it, in one atomic step.
   *
   * true: this owner holds it alone for `ttl` seconds from now. false: another owner holds it, and nothing was changed.
   * Throws if that is unknown; it may then be taken.
   */
  take(key: string, lease: Lease, call?: StoreCall): Promise<boolean>;

  /** Releases the lease. Another owner's lease is left unchanged. */
  give(key: string, lease: Lease, call?: StoreCall): Promise<void>;
}

/**
 * Functions for jobs over all entries, such as resealing with a new key.
 *
 * @example
 * import type { StoredPartition, StoreMaintenance } from 'tokenkeep/partitions';
 *
 * const entries = new Map<string, StoredPartition>();
 * const maintenance: StoreMaintenance = {
 *   keys: async function* () {
 *     yield* entries.keys();
 *   },
 *   replace: async (key, entry, expected) => {
 *     if (entries.get(key)?.version !== expected) return false;
 *     entries.set(key, entry);
 *     return true;
 *   },
 * };
 */
export interface StoreMaintenance {
  /** Lists the keys of all entries, in any order, without leases. Entries that change meanwhile may be missed or repeated. */
  keys(): AsyncIterable<string>;

  /** Like `write`, but the entry keeps the expiry time of the one it replaces. */
  replace(key: string, entry: StoredPartition, expected: string, call?: StoreCall): Promise<boolean>;
}
