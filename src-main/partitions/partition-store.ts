/**
 * What a store of partitions is: four functions, and leases where it can have them. Sealing, retries, time limits and TTLs are
 * added around it.
 */

export interface StoredPartition {
  /** Opaque to the store, and given back as they are. */
  readonly bytes: Uint8Array;
  /** 16 characters of base64url, made afresh by whoever writes, so that no two writes ever have the same. */
  readonly version: string;
}

/** What has to be there for a write to happen, and how long it stays. */
export interface WriteCondition {
  /** The version that `read` gave; null where it gave null. */
  readonly expected: string | null;
  /** Seconds until the entry goes by itself; null: never. */
  readonly ttl: number | null;
}

/** What a call to a store comes with. */
export interface StoreCall {
  /** Aborted when nobody waits any more: what has not been sent should not be, and a connection is to be given back. */
  readonly signal?: AbortSignal;
}

/**
 * Where partitions live. Keys are 43 characters of base64url. The entries of two keys have nothing to do with each other, so
 * a store may spread them over machines.
 *
 * Everything that is not an answer must throw: where the store is down, slow or of another mind, `null` and `false`
 * would be lies that cost a user the sign-in. `conformance` tests all of it.
 */
export interface PartitionStore {
  /** null: it is certain that there is nothing under this key, or that it has expired. Sees every write that was resolved. */
  read(key: string, call?: StoreCall): Promise<StoredPartition | null>;

  /**
   * Puts an entry in the place of the expected one, whole or not at all, in one atomic step.
   *
   * true: it is there, as durably as the store keeps anything. false: the version is another than the expected one, and
   * nothing was changed. Throws where it did not happen, or where that can't be told; it may then have happened.
   */
  write(key: string, entry: StoredPartition, condition: WriteCondition, call?: StoreCall): Promise<boolean>;

  /**
   * true: there is nothing under this key any more, or never was. false, only where a version is expected: the version is
   * another one, and nothing was removed.
   */
  remove(key: string, expected?: string, call?: StoreCall): Promise<boolean>;

  /** Lets an entry live for `ttl` seconds from now, and its version as it is. Where there is none, nothing happens. */
  touch(key: string, ttl: number, call?: StoreCall): Promise<void>;

  /** Absent: the store can't say who may do something alone, and those who share it are not kept apart. */
  readonly leases?: PartitionLeases;
}

/** The right to do something for a partition alone, for a while. */
export interface Lease {
  /** What for: 43 characters of base64url. Leases of two names have nothing to do with each other. */
  readonly name: string;
  /** Who has it: 22 characters of base64url, made afresh each time that it is asked for, and known to nobody else. */
  readonly owner: string;
  /** Seconds until it goes by itself, so that a holder that dies keeps others waiting no longer. By the store's clock. */
  readonly ttl: number;
}

/**
 * Who may do something for a partition alone, in all processes and on all machines that share the store: refresh its tokens, where
 * the provider takes a refresh token that comes twice for stolen.
 *
 * A lease is no fence. A holder that stood still for longer than its lease (suspended, or cut off from the store) goes on beside the
 * next one and is not stopped; a store that loses what it acknowledged, as Redis may in a failover, loses leases too. Entries
 * need none of this: `write` compares, whoever holds what. A lease is no entry, and neither touches the other.
 */
export interface PartitionLeases {
  /**
   * Takes the lease, or prolongs it where this owner has it, in one atomic step.
   *
   * true: this owner has it, alone, for `ttl` seconds from now. false: another owner has it, and nothing was changed. Throws
   * where that can't be told; it may then be taken.
   */
  take(key: string, lease: Lease, call?: StoreCall): Promise<boolean>;

  /** Resolved: this owner does not have it any more, and the next one may. Another owner's is left alone. */
  give(key: string, lease: Lease, call?: StoreCall): Promise<void>;
}
