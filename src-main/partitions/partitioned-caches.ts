import type { SignOutReceipt } from '../cache/schema/entities.ts';
import type { CacheHandle } from '../cache/handle.ts';
import { systemClock } from '../cache/clock.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { InvalidArgumentError } from '../errors.ts';
import { Exclusive } from './leases.ts';
import { type Found, openFound } from './partition-contents.ts';
import { type Ownership, ownershipOf, type PartitionUser } from './ownership.ts';
import { type PartitionName, partitionName } from './partition-name.ts';
import { type Deadline, withDeadline } from './deadline.ts';
import { KeyRing, type SealingKeys } from './sealing-keys.ts';
import type { Setting } from './settings.ts';
import { SharedReads, Touches } from './reads.ts';
import type { PartitionStore } from './partition-store.ts';
import { lifetimeOf, type PartitionTtl } from './lifetime.ts';
import { Updates } from './updates.ts';

/** Where partitions are kept, under which keys, and for how long. */
export interface PartitionedCachesOptions {
  /** Where the entries are: `memoryStore`, `sessionStore`, `redisStore`, `postgresStore`, or one of your own. */
  store: PartitionStore;
  /** Newest first. `'plain-text'` does without sealing: whoever reads the store, its backups or its traffic then signs in as anyone. */
  sealingKeys: SealingKeys | 'plain-text';
  /** Default: `'tokens'`. */
  ttl?: PartitionTtl;
  /** Milliseconds that one read or update may take; then it rejects with `store_timeout`. Default: 5,000. */
  timeout?: number;
  /** Milliseconds that `exclusively` waits for its turn; then it rejects with `partition_busy`. Default: 60,000. */
  turnTimeout?: number;
  /**
   * Milliseconds for which a process that dies in its turn (`exclusively`) keeps the others waiting. A turn that takes longer is
   * prolonged meanwhile. Default: 10,000.
   */
  lease?: number;
  /** Seconds since the epoch. */
  now?: () => number;
}

/** One user's token cache in a store. */
export interface Partition extends CacheHandle {
  /** Its key in the store, and its name in errors. */
  readonly key: string;

  /**
   * Sees what other processes wrote. Reads of one user that are asked for at once share one read of the store, and the cache:
   * `fn` must not change it.
   *
   * @throws PartitionError, PartitionStoreError; what `fn` throws
   */
  read<T>(fn: (cache: TokenCache) => T): Promise<T>;

  /**
   * Resolved: it is in the store, on top of what others wrote. `fn` may be run more than once, on a newer cache each
   * time, where another process was quicker; so it must do nothing but change the cache. An empty cache is deleted.
   *
   * Rejected: nothing was changed, with one exception: after `store_timeout` and `store_unavailable` it may have been
   * written, whole, where the store's answer was lost.
   *
   * @throws PartitionError, PartitionStoreError; what `fn` throws
   */
  update<T>(fn: (cache: TokenCache) => T): Promise<T>;

  /** Removes an account and all that belongs to it; if nothing is left then, the partition too. */
  signOut(home_account_id: string): Promise<SignOutReceipt>;

  /** Deletes the entry, whatever is in it, also one that can't be opened. */
  remove(): Promise<void>;

  /**
   * Runs `task` while no one else runs one for this partition under the same name: one refresh at a time. Redis and PostgreSQL exclude all
   * processes and machines that share them; memory, the session and stores without leases, those of this process. Not to be
   * nested.
   *
   * It ends with its holder, however that ends. But it is no fence: a holder that stood still for longer than its lease, suspended
   * or cut off from the store, goes on beside the next one. What both write is not lost all the same.
   *
   * @throws PartitionError `partition_busy`, PartitionStoreError: the task was not run. What the task throws
   */
  exclusively<T>(name: string, task: () => Promise<T>): Promise<T>;
}

/** Whose a partition is. */
export interface PartitionOptions {
  /** Whose credentials may be in it; anyone else's are refused. Default: `'one'`. */
  user?: PartitionUser;
}

/** For tokens that belong to an app and to no user. */
export interface AppPartition {
  client_id: string;
  /** The tenant. */
  realm: string;
  /** The provider's host. Default: "", for apps that know only one. */
  environment?: string;
}

/** The caches of all users of a store. */
export interface PartitionedCaches {
  /**
   * The cache of one user. Handles cost nothing and hold nothing: make one for each request.
   *
   * @param id what your app knows the user or session by, the same in each request; never from the request's body or address
   * @throws InvalidArgumentError for an id that is empty, longer than 512 bytes or has control characters
   */
  partition(id: string, options?: PartitionOptions): Partition;
  /** The cache of an app's own tokens (client credentials). No user's credentials are let in. */
  appPartition(app: AppPartition): Partition;
}

/**
 * One token cache for each user of a web app, sealed, in a store of your choice.
 *
 * @throws InvalidArgumentError
 */
export function partitionedCaches(options: PartitionedCachesOptions): PartitionedCaches {
  const caches = new Caches(settingOf(options));
  return {
    partition: (id, { user = 'one' } = {}) => caches.open(partitionName('user', id), ownershipOf(user)),
    appPartition: ({ client_id, realm, environment = '' }) => {
      const id = JSON.stringify([environment, client_id, realm]).toLowerCase();
      return caches.open(partitionName('app', id), ownershipOf('none'));
    },
  };
}

function settingOf(options: PartitionedCachesOptions): Setting {
  const { store, sealingKeys, ttl = 'tokens', now = systemClock } = options;
  const { timeout = 5000, turnTimeout = 60_000, lease = 10_000 } = options;
  for (const [name, value, least] of [
    ['timeout', timeout, 1],
    ['turnTimeout', turnTimeout, 1],
    ['lease', lease, 100],
  ] as const)
    if (!(value >= least && value <= LONGEST))
      throw new InvalidArgumentError(`${name} is a number of milliseconds, from ${least} to ${LONGEST}.`);
  if (sealingKeys !== 'plain-text' && !Array.isArray(sealingKeys)) {
    throw new InvalidArgumentError(
      "Give sealingKeys, newest first; or 'plain-text' where you mean it. Nothing was read or written.",
    );
  }
  const sealing = sealingKeys === 'plain-text' ? null : new KeyRing(sealingKeys);
  return { store, sealing, lifetime: lifetimeOf(ttl), timeout, turnTimeout, lease, now };
}

/** A day: timers take no more than 25 of them. */
const LONGEST = 24 * 3_600_000;

class Caches {
  readonly #setting: Setting;
  readonly #reads = new SharedReads<Found>();
  readonly #touches = new Touches();
  readonly #exclusive: Exclusive;
  readonly #updates: Updates;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#exclusive = new Exclusive(setting);
    this.#updates = new Updates(setting, (key) => this.#touches.forget(key));
  }

  open(name: PartitionName, ownership: Ownership): Partition {
    const update = <T>(fn: (cache: TokenCache) => T): Promise<T> => this.#updates.add(name, ownership, fn);
    return {
      key: name.key,
      read: async (fn) => {
        const found = await this.#reads.share(name.key, () => this.#read(name));
        ownership.check(found, name);
        return fn(found.cache);
      },
      update,
      signOut: (home_account_id) => update((cache) => cache.signOut(home_account_id)),
      exclusively: (line, task) => this.#exclusive.run(name, line, task),
      remove: () =>
        this.#withDeadline((deadline) => deadline.with((call) => this.#remove(name, call.signal))),
    };
  }

  #read(name: PartitionName): Promise<Found> {
    const { store, sealing, now, lifetime } = this.#setting;
    return this.#withDeadline(async (deadline) => {
      const found = openFound(await deadline.with((call) => store.read(name.key, call)), name, sealing, now);
      const { sliding } = lifetime;
      if (sliding !== null && found.version !== null && this.#touches.isDue(name.key, now(), sliding.after))
        await deadline.with((call) => store.touch(name.key, sliding.ttl, call));
      return found;
    });
  }

  async #remove({ key }: PartitionName, signal: AbortSignal): Promise<void> {
    await this.#setting.store.remove(key, undefined, { signal });
  }

  #withDeadline<T>(task: (deadline: Deadline) => Promise<T>): Promise<T> {
    return withDeadline(this.#setting.timeout, task);
  }
}
