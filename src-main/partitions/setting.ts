import type { Sealing } from './entry.ts';
import type { PartitionStore } from './store.ts';
import type { Lifetime } from './ttl.ts';

/** What all partitions of one `partitionedCaches` have in common. */
export interface Setting {
  readonly store: PartitionStore;
  readonly sealing: Sealing;
  readonly lifetime: Lifetime;
  /** Milliseconds. */
  readonly patience: number;
  /** Milliseconds. */
  readonly turnPatience: number;
  /** Milliseconds. */
  readonly lease: number;
  /** Seconds since the epoch. */
  readonly now: () => number;
}
