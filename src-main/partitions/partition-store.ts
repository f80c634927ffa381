/** The contract of a partition store: four functions, and leases and maintenance where it can have them. */

/** One entry as a store keeps it. */
export interface StoredPartition {
  /** Opaque to the store, and returned unchanged. */
  readonly bytes: Uint8Array;
  /** 16 characters of base64url. The writer makes a new one for each write, so that no two writes share one. */
  readonly version: string;
}

/** What a write requires, and how long the entry lives. */
export interface WriteCondition {
  /** The version that `read` returned; null if it returned null. */
  readonly expected: string | null;
  /** Seconds until the entry expires; null: never. */
  readonly ttl: number | null;
}

/** What a store call comes with. */
export interface StoreCall {
  /** Aborted when nobody waits any more: don't send what has not been sent, and give connections back. */
  readonly signal?: AbortSignal;
}

/**
 * Where partitions live. Keys are 43 characters of base64url. The entries of two keys are independent, so a store may spread
 * them over machines. Sealing, retries, deadlines and TTLs are added around it.
 *
 * Everything that is not an answer must throw. If the store is down, slow or misconfigured, `null` and `false` would be
 * lies that cost a user the sign-in. `tokenkeep/partitions/conformance` tests all of it.
 */
export interface PartitionStore {
  /** null: there certainly is no entry under this key, or it has expired. Sees every write that has resolved. */
  read(key: string, call?: StoreCall): Promise<StoredPartition | null>;

  /**
   * Replaces the expected entry, completely or not at all, in one atomic step.
   *
   * true: it is stored, as durably as the store keeps anything. false: the version is not the expected one, and nothing
   * was changed. Throws if it did not happen or if that is unknown; it may then have happened.
   */
  write(key: string, entry: StoredPartition, condition: WriteCondition, call?: StoreCall): Promise<boolean>;

  /**
   * true: there is no entry under this key, or never was. false, only if a version is expected: the entry has another
   * version, and was not removed.
   */
  remove(key: string, expected?: string, call?: StoreCall): Promise<boolean>;

  /** Makes an entry live for `ttl` seconds from now and leaves its version alone. Without an entry, nothing happens. */
  touch(key: string, ttl: number, call?: StoreCall): Promise<void>;

  /** Absent: the store cannot exclude other processes, and those that share it are not kept apart. */
  readonly leases?: PartitionLeases;

  /** Absent: the store cannot list its entries, and `reseal` and `sealingReport` are refused. */
  readonly maintenance?: StoreMaintenance;
}

/** The right to do something for a partition alone, for a limited time. */
export interface Lease {
  /** What for: 43 characters of base64url. Leases of two names are independent. */
  readonly name: string;
  /** Who holds it: 22 characters of base64url, new each time it is asked for, and known to nobody else. */
  readonly owner: string;
  /** Seconds until it expires by the store's clock, so that a holder that dies does not block others for ever. */
  readonly ttl: number;
}

/**
 * Exclusion across all processes and machines that share the store, e.g. to refresh a partition's tokens at a provider that
 * treats reuse of a refresh token as theft.
 *
 * A lease is not a fence. A holder that stood still for longer than its lease (suspended, or cut off from the store) continues
 * beside the next one, and a store that loses what it acknowledged, as Redis may in a failover, loses leases too. Entries
 * need none of this: `write` compares versions, whoever holds what.
 */
export interface PartitionLeases {
  /**
   * Takes the lease, or prolongs it if this owner holds it, in one atomic step.
   *
   * true: this owner holds it alone for `ttl` seconds from now. false: another owner holds it, and nothing was changed.
   * Throws if that is unknown; it may then be taken.
   */
  take(key: string, lease: Lease, call?: StoreCall): Promise<boolean>;

  /** Resolved: this owner no longer holds it. Another owner's lease is left alone. */
  give(key: string, lease: Lease, call?: StoreCall): Promise<void>;
}

/** For jobs that go through all entries, such as resealing under a new key. */
export interface StoreMaintenance {
  /** The keys of all entries, in any order, without leases. One that is written or removed meanwhile may be missed or repeated. */
  keys(): AsyncIterable<string>;

  /** `write`, except that the entry expires when the one it replaces would have. */
  replace(key: string, entry: StoredPartition, expected: string, call?: StoreCall): Promise<boolean>;
}
