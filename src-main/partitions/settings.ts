import type { Sealing } from './entry.ts';
import type { PartitionStore } from './partition-store.ts';
import type { Lifetime } from './lifetime.ts';

/** What all partitions of one `partitionedCaches` have in common. */
export interface Setting {
  readonly store: PartitionStore;
  readonly sealing: Sealing;
  readonly lifetime: Lifetime;
  /** Milliseconds. */
  readonly timeout: number;
  /** Milliseconds. */
  readonly turnTimeout: number;
  /** Milliseconds. */
  readonly lease: number;
  /** Seconds since the epoch. */
  readonly now: () => number;
}
