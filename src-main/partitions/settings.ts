/** Validates the options of `partitionedCaches`. */
import { systemClock } from '../cache/clock.ts';
import { InvalidArgumentError } from '../errors.ts';
import { checkOptions, FLAG, FUNCTION, having, NAME, type OptionNames } from '../options.ts';
import { checkedStore } from './checked-store.ts';
import type { Sealing } from './entry.ts';
import { type Lifetime, lifetimeOf, type PartitionTtl } from './lifetime.ts';
import type { PartitionStore } from './partition-store.ts';
import { KeyRing, type SealingKeys } from './sealing-keys.ts';

/** Options of `partitionedCaches`. */
export interface PartitionedCachesOptions {
  /** The store of the entries: `memoryStore`, `sessionStore`, `redisStore`, `postgresStore`, or your own. */
  store: PartitionStore;
  /**
   * Newest first; all of them open entries. `'plain-text'` disables sealing: anyone who can read the store, its backups or its
   * traffic can then sign in as any user.
   */
  sealingKeys: SealingKeys | 'plain-text';
  /**
   * The id of the key that seals. Default: the first one's. To rotate while several versions of your app run, deploy twice: first
   * add the new key and name the old one here, then name the new one.
   */
  sealWith?: string;
  /** Also reads plain-text entries and seals them at the next write, to migrate from `'plain-text'`. Default: false. */
  acceptPlainText?: boolean;
  /** Default: `'tokens'`. */
  ttl?: PartitionTtl;
  /** Milliseconds that one read or update may take once its turn comes; then it rejects with `store_timeout`. Default: 5,000. */
  timeout?: number;
  /** Milliseconds that `exclusively` waits for its turn; then it rejects with `partition_busy`. Default: 60,000. */
  turnTimeout?: number;
  /**
   * Milliseconds that one turn of `exclusively` may last. Then its signal is aborted, it rejects with
   * `partition_turn_expired`, and the next one begins. Default: 30,000.
   */
  turnLimit?: number;
  /**
   * Milliseconds for which a process that dies in its turn blocks the others. The lease of a longer turn is renewed. Default: 10,000.
   */
  lease?: number;
  /**
   * How many opened caches stay in memory, so that an entry whose version has not changed is not opened again. They hold
   * tokens in the clear, as the caches of running requests do. 0 keeps none. Default: 1,000.
   */
  openCaches?: number;
  /** Keeps a sealed index per user, which `signOutUser` needs. It is written at each sign-in. Default: false. */
  userIndex?: boolean;
  /** An earlier cache to import from. A partition without an entry is filled from it once. */
  importFrom?: PartitionImport;
  /** Seconds since the epoch. */
  now?: () => number;
}

/**
 * An earlier token cache. Its users are moved into partitions when they return.
 *
 * @example
 * import type { PartitionImport } from 'tokenkeep/partitions';
 *
 * const earlier = new Map<string, string>(); // the documents that another cache plugin kept, by session
 * const importFrom: PartitionImport = {
 *   read: async (id) => earlier.get(id) ?? null,
 *   remove: async (id) => earlier.delete(id),
 * };
 */
export interface PartitionImport {
  /**
   * The cache document of this partition id, as text or UTF-8: what MSAL Node's `DistributedCachePlugin` stores, what
   * Microsoft.Identity.Web stores in the field `data`, or any other MSAL cache document. null: there is none. For any
   * other text, and for a document with two fields of one name, reads and updates of the partition reject with DocumentError.
   */
  read(id: string): Promise<string | Uint8Array | null>;
  /**
   * Deletes it. Called once it has been imported, and again before a partition is deleted, so that a user who signed out stays signed out.
   */
  remove(id: string): Promise<unknown>;
}

/** Settings that all partitions of one `partitionedCaches` share. */
export interface Settings {
  readonly store: PartitionStore;
  readonly sealing: Sealing;
  readonly lifetime: Lifetime;
  /** Milliseconds, as the four that follow. */
  readonly timeout: number;
  readonly turnTimeout: number;
  readonly turnLimit: number;
  readonly lease: number;
  readonly openCaches: number;
  readonly userIndex: boolean;
  readonly importFrom: PartitionImport | undefined;
  /** Seconds since the epoch. */
  readonly now: () => number;
}

/** One day in milliseconds. Timers are limited to about 25 days. */
const LONGEST = 24 * 3_600_000;

const NAMES: OptionNames<PartitionedCachesOptions> = {
  store: true,
  sealingKeys: true,
  sealWith: NAME,
  acceptPlainText: FLAG,
  ttl: true,
  timeout: true,
  turnTimeout: true,
  turnLimit: true,
  lease: true,
  openCaches: true,
  userIndex: FLAG,
  importFrom: having('an object with the functions `read` and `remove`', 'read', 'remove'),
  now: FUNCTION,
};

/** @throws InvalidArgumentError */
export function settingsOf(options: PartitionedCachesOptions): Settings {
  checkOptions('partitionedCaches', options, NAMES, 'Nothing was read or written.');
  const { store, sealingKeys, sealWith, ttl = 'tokens', now = systemClock, importFrom } = options;
  const { timeout = 5000, turnTimeout = 60_000, turnLimit = 30_000, lease = 10_000 } = options;
  const { openCaches = 1000, userIndex = false, acceptPlainText = false } = options;
  for (const [name, value, least] of [
    ['timeout', timeout, 1],
    ['turnTimeout', turnTimeout, 1],
    ['turnLimit', turnLimit, 1],
    ['lease', lease, 100],
  ] as const)
    if (!(Number.isFinite(value) && value >= least && value <= LONGEST))
      throw new InvalidArgumentError(`${name} is a number of milliseconds, from ${least} to ${LONGEST}.`, {
        field: name,
      });
  if (!Number.isInteger(openCaches) || openCaches < 0)
    throw new InvalidArgumentError('openCaches is a number of caches: 0, or more.', { field: 'openCaches' });
  assertStore(store);
  if (sealingKeys !== 'plain-text' && !Array.isArray(sealingKeys)) {
    throw new InvalidArgumentError(
      "Pass sealingKeys, newest first: `parseSealingKeys('2026-11:…')` with the output of `openssl rand -base64 32`. Pass 'plain-text' if anyone who can read the store may read the tokens. Nothing was read or written.",
      { field: 'sealingKeys' },
    );
  }
  if (sealingKeys === 'plain-text' && sealWith !== undefined)
    throw new InvalidArgumentError(
      'sealWith names a sealing key, and sealingKeys has none. Leave sealWith out, or pass sealing keys. Nothing was read or written.',
      { field: 'sealWith' },
    );
  const keys = sealingKeys === 'plain-text' ? null : new KeyRing(sealingKeys, sealWith);
  return {
    ...{
      store: checkedStore(store),
      sealing: { keys, acceptPlainText },
      lifetime: lifetimeOf(ttl),
      timeout,
      turnTimeout,
      turnLimit,
    },
    ...{ lease, openCaches, userIndex, importFrom, now },
  };
}

function assertStore(store: unknown): void {
  const missing = ['read', 'write', 'remove', 'touch'].filter(
    (name) => typeof store !== 'object' || store === null || typeof Reflect.get(store, name) !== 'function',
  );
  if (missing.length === 0) return;
  throw new InvalidArgumentError(
    `The store has no function ${missing.join(', ')}. Pass redisStore({ client }), postgresStore({ pool }), sessionStore(…), memoryStore(), or an object with the functions of PartitionStore. Nothing was read or written.`,
    { field: 'store' },
  );
}
