import { InvalidArgumentError } from '../errors.ts';
import { checkOptions, FUNCTION, LIST_OF_TEXTS, QUERY } from '../options.ts';
import { type AccountFilter, summaries } from './accounts.ts';
import { appDataOf, rootOfAppData } from './app-data.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Change, condensed, Entry, eventOf, inverse, placeOf } from './entry.ts';
import { modifyEntity } from './place.ts';
import { addResponse, type TokenResponseEvent } from './response.ts';
import type { Dialect } from './schema/dialects.ts';
import {
  type AccountReference,
  type AccountSummary,
  type AddReceipt,
  type CacheChange,
  ENTITY_TYPES,
  type Entity,
  type EntityFilter,
  type EntityOf,
  type EntityType,
  type SignOutReceipt,
} from './schema/entities.ts';
import { matches, scopeKeys } from './schema/match.ts';
import {
  type AppTokenFilter,
  countAll,
  countAppTokens,
  countBelongings,
  type RemovalCount,
  removeAppTokens,
  type SignOutFilter,
  signOut,
  signOutAll,
} from './sign-out.ts';
import { Store } from './store.ts';

/** Options for an in-memory token cache. */
export interface TokenCacheOptions {
  /** Returns the current time in seconds since the epoch. Default: the system clock. */
  now?: Clock;
}

/** Returns the store behind a cache. Internal: the package does not export it. */
export let storeOf: (cache: TokenCache) => Store;

/** Creates a cache that shares the given entries. If two have the same section and key, the later one replaces the earlier. */
export function cacheOf(
  entries: Iterable<Entry>,
  { dialect = null, ...options }: TokenCacheOptions & { dialect?: Dialect | null } = {},
): TokenCache {
  const cache = new TokenCache(options);
  const store = storeOf(cache);
  store.dialect = dialect;
  for (const entry of entries) store.put(entry);
  return cache;
}

/**
 * An in-memory token cache in the schema that the MSAL libraries share. All calls are synchronous and atomic. Entities are frozen: a
 * change replaces the entity.
 *
 * @example
 * import { TokenCache } from 'tokenkeep';
 *
 * const cache = new TokenCache();
 * cache.add({ client_id: 'my-app', scope: 'files.read', token_endpoint: 'https://id.example/token', response });
 * for (const account of cache.accounts()) console.log(account.username);
 */
export class TokenCache {
  readonly #store: Store;
  readonly #listeners = new Set<(change: CacheChange) => void>();

  static {
    storeOf = (cache) => cache.#store;
  }

  /** Creates an empty cache. */
  constructor(options: TokenCacheOptions = {}) {
    checkOptions(new.target.name, options, { now: FUNCTION });
    const now = options.now ?? systemClock;
    this.#store = new Store(() => Math.floor(now())); // The schema has whole seconds; `Date.now() / 1000` has fractions.
    this.#store.onChange = (changes) => {
      this.changed();
      if (this.#listeners.size > 0) emit([...this.#listeners], eventOf(changes));
    };
  }

  /**
   * A number that identifies the current contents. It changes with every change and is unique among all caches of this process: if
   * the version is the same, the contents are the same. The numbers have no other meaning.
   */
  get version(): number {
    return this.#store.version;
  }

  /**
   * Adds the response of a token endpoint: access token, refresh token, ID token, account and app metadata, as far as present. A new
   * access token replaces tokens of the same account, app, tenant and type whose scopes overlap.
   *
   * @example
   * ```ts
   * const receipt = cache.add({
   *   client_id: 'my-app',
   *   scope: ['files.read'],
   *   token_endpoint: 'https://id.example/realms/main/protocol/openid-connect/token',
   *   grant_type: 'authorization_code',
   *   response: { access_token: 'secret', token_type: 'Bearer', expires_in: 300 },
   * });
   * if (receipt.notGranted.length > 0) console.warn('not granted:', receipt.notGranted);
   * ```
   *
   * @returns a receipt that lists the entities written and the account they belong to
   * @throws InvalidArgumentError if the event is invalid (`field` names the field), the response is an error or has no tokens, or it
   *   belongs to another user than `home_account_id`. The cache is unchanged
   */
  add(event: TokenResponseEvent): AddReceipt {
    return this.#store.run(() => addResponse(this.#store, event, this.#store.now())).value;
  }

  /**
   * Returns the entities that match, in the order in which they are stored; see EntityFilter. Expired tokens are included. A secret is
   * read as `entity.secret` only: copies of an entity, its JSON and its printed form have none.
   *
   * @throws InvalidArgumentError if the type does not exist, or the filter has other fields or values than EntityFilter
   * @example
   * ```ts
   * const tokens = cache.find('AccessToken', { target: ['files.read'], query: { client_id: 'my-app' } });
   * ```
   */
  find<T extends EntityType>(type: T, filter?: EntityFilter): EntityOf[T][] {
    return this.#matching(type, filter).map(({ shown }) => shown as EntityOf[T]);
  }

  /** Like `find`, for loops that change the cache: skips entities that were changed or removed since the loop began. */
  *search<T extends EntityType>(type: T, filter?: EntityFilter): Iterable<EntityOf[T]> {
    for (const entry of this.#matching(type, filter)) {
      if (this.#store.entry(type, entry.key) === entry) yield entry.shown as EntityOf[T];
    }
  }

  #matching<T extends EntityType>(type: T, filter: EntityFilter | undefined): Entry<T>[] {
    if (!ENTITY_TYPES.includes(type))
      throw new InvalidArgumentError(`find: \`type\` is not a type of entity: ${ENTITY_TYPES.join(', ')}.`, {
        field: 'type',
      });
    checkOptions('find', filter, { target: LIST_OF_TEXTS, query: QUERY });
    // A token that has all scopes is indexed under each of them, so one is enough.
    const scopes = filter?.target === undefined ? undefined : scopeKeys(filter.target).slice(0, 1);
    const narrow = scopes?.[0] === '' ? undefined : scopes;
    return this.#store
      .candidates(type, filter?.query, narrow)
      .filter(({ entity }) => entity !== null && matches(type, entity, filter));
  }

  /**
   * Changes fields of an entity (undefined removes a field); null removes the entity. Entries are matched by their fields, not by
   * their keys, and every stored entry for the same credential is changed. An entity that is no longer in the cache is not restored.
   *
   * @throws InvalidArgumentError if the result would not be a valid entity of this type
   */
  modify(type: EntityType, old: Entity, changes: Readonly<Record<string, unknown>> | null): void {
    this.#store.run(() => modifyEntity(this.#store, type, old, changes));
  }

  /** Returns the accounts in the cache, one per user across tenants, environment aliases and apps, in a stable order. */
  accounts(filter?: AccountFilter): AccountSummary[] {
    return summaries(this.#store, filter);
  }

  /**
   * Removes an account and every entry that belongs to it: of every app and tenant, under every alias and key, including family refresh
   * tokens and unrecognized entries that name the account. Tokens of apps without a user stay.
   *
   * @example
   * ```ts
   * for (const account of cache.accounts({ username: 'ada@example.org' })) cache.signOut(account);
   * ```
   *
   * @param account an account from `accounts()`, or its `home_account_id`
   * @throws AmbiguousAccountError if users of several issuers have this id. Nothing is removed
   */
  signOut(account: string | AccountReference, filter?: SignOutFilter): SignOutReceipt {
    return this.#store.run(() => signOut(this.#store, account, filter, this.#store.now())).value;
  }

  /**
   * Removes all accounts and the tokens of apps, including tokens whose account entity is missing.
   *
   * @returns one receipt per account, and one with an empty id if apps had tokens
   */
  signOutAll(): SignOutReceipt[] {
    return this.#store.run(() => signOutAll(this.#store, this.#store.now())).value;
  }

  /** Removes access tokens that belong to an app itself (client credentials). Tokens of users stay. */
  removeAppTokens(filter?: AppTokenFilter): SignOutReceipt {
    return this.#store.run(() => removeAppTokens(this.#store, filter, this.#store.now())).value;
  }

  /**
   * Calls the listener once after each call that changed the cache. An error thrown by a listener is reported as an uncaught exception
   * and affects neither the cache nor other listeners.
   *
   * @returns a function that removes the listener
   */
  on(_event: 'change', listener: (change: CacheChange) => void): () => void {
    const own = (change: CacheChange): void => listener(change); // The same function may listen twice.
    this.#listeners.add(own);
    this.#store.isObserved = true;
    return () => {
      this.#listeners.delete(own);
      this.#store.isObserved = this.#listeners.size > 0;
    };
  }

  /** Called after every change, before the listeners. Subclasses may override it. */
  protected changed(): void {}
}

function emit(listeners: readonly ((change: CacheChange) => void)[], change: CacheChange): void {
  for (const listener of listeners) {
    try {
      listener(change);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/**
 * Counts the entries that `signOut` would remove, by type.
 *
 * @throws InvalidArgumentError if the id is empty; AmbiguousAccountError if several users have it
 * @example
 * import { removalCount } from 'tokenkeep/cache';
 *
 * const [account] = cache.accounts();
 * if (account !== undefined) console.log(removalCount(cache, account).RefreshToken);
 */
export function removalCount(
  cache: TokenCache,
  account: string | AccountReference,
  filter?: SignOutFilter,
): RemovalCount {
  return countBelongings(storeOf(cache), account, filter);
}

/** Counts the entries that `signOutAll` would remove. */
export function removalCountOfAll(cache: TokenCache): RemovalCount {
  return countAll(storeOf(cache));
}

/**
 * Counts the entries that `removeAppTokens` would remove, by type.
 *
 * @example
 * import { appRemovalCount } from 'tokenkeep/cache';
 *
 * console.log(appRemovalCount(cache, { client_id: 'my-app' }).AccessToken);
 */
export function appRemovalCount(cache: TokenCache, filter?: AppTokenFilter): RemovalCount {
  return countAppTokens(storeOf(cache), filter);
}

// [Note: app data in the cache]

/**
 * Returns the value stored under a name, as frozen JSON; undefined if there is none.
 *
 * @example
 * import { appData } from 'tokenkeep/ipc';
 *
 * const settings = await vault.read((cache) => appData(cache, 'my-app settings'));
 */
export function appData(cache: TokenCache, name: string): unknown {
  return storeOf(cache).kept(rootOfAppData(name))?.value;
}

/**
 * Keeps a value under a name, inside an update. Searches ignore it.
 *
 * @param value JSON; undefined removes the value. A sign-out does not change it, so remove what is about the account in the same update
 *
 * @example
 * import { setAppData } from 'tokenkeep/ipc';
 *
 * await vault.update((cache) => setAppData(cache, 'my-app settings', { theme: 'dark' }));
 */
export function setAppData(cache: TokenCache, name: string, value: unknown): void {
  const store = storeOf(cache);
  store.run(() => {
    if (value === undefined) store.drop({ section: rootOfAppData(name), key: null });
    else store.put(Entry.of(rootOfAppData(name), null, JSON.parse(JSON.stringify(value)) as unknown));
  });
}

/** Returns the names under which values are stored. */
export function appDataNames(cache: TokenCache): string[] {
  return storeOf(cache)
    .keptRoots()
    .flatMap(({ section }) => appDataOf(section) ?? []);
}

// Transactions, and batches of transactions that are committed together.

/** The result of a transaction. */
export interface Transaction<T> {
  value: T;
  /** One change for each place that differs afterwards; none if the changes cancel out. */
  changes: readonly Change[];
  /** Undoes the transaction and emits a `change` event. */
  undo(): void;
}

/**
 * Runs `fn` as a transaction and emits one `change` event. If `fn` throws, its changes are undone and the error is rethrown.
 *
 * @throws InvalidArgumentError if `fn` returns a promise, since its later changes would be outside of the transaction
 */
export function transact<T>(cache: TokenCache, fn: (cache: TokenCache) => T): Transaction<T> {
  const { value, changes } = storeOf(cache).transact(() => {
    const result = fn(cache);
    assertSynchronous(result);
    return result;
  });
  return { value, changes, undo: () => void apply(cache, changes.map(inverse)) };
}

/** Does what `transact` does for work of many turns. */
async function transactInTurns<T>(
  cache: TokenCache,
  fn: InTurns<T>,
  pause: () => Promise<void>,
): Promise<Transaction<T>> {
  const work = (own: () => Promise<void>): Promise<T> => fn(cache, own);
  const { value, changes } = await storeOf(cache).transactInTurns(work, pause);
  return { value, changes, undo: () => void apply(cache, changes.map(inverse)) };
}

/** @throws InvalidArgumentError if a function that was given a cache returned a promise */
export function assertSynchronous(result: unknown): void {
  if (typeof result !== 'object' || result === null) return;
  if (!('then' in result) || typeof result.then !== 'function') return;
  Promise.resolve(result).catch(() => undefined); // The caller gets the error below instead.
  throw new InvalidArgumentError(
    'The function that reads or changes a cache must not be async. Its changes were taken back. Await before the call, not inside of it.',
  );
}

/**
 * Applies changes that were made to another cache, with one `change` event.
 *
 * @returns the changes made to this cache
 */
export function apply(cache: TokenCache, changes: Iterable<Change>): Change[] {
  const store = storeOf(cache);
  return store.transact(() => {
    for (const change of changes) {
      if (change.after === undefined) store.drop(placeOf(change));
      else store.put(change.after);
    }
  }).changes;
}

/** Long work on a cache that awaits `pause` between accounts. */
export type InTurns<T> = (cache: TokenCache, pause: () => Promise<void>) => Promise<T>;

/** A function to run on a cache, and the callbacks for its outcome. */
export interface Job {
  readonly run: (cache: TokenCache) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Jobs that have run and whose changes are not durable yet. */
export interface Batch {
  /** The combined changes of all jobs, one for each place. */
  readonly changes: readonly Change[];
  /** The changes of each job that changed something, in order. */
  readonly updates: readonly (readonly Change[])[];
  /** Call it when the changes are durable: each job resolves with its value, or rejects with the error that it threw. */
  settle(): void;
  /** Call it if they cannot be made durable: rolls the cache back and rejects each job with `reason`, or with its own error. */
  withdraw(reason: unknown): void;
}

/** A job of many turns, which only `runBatchInTurns` runs. */
export interface LongJob extends Omit<Job, 'run'> {
  readonly inTurns: InTurns<unknown>;
}

/** Runs jobs in order, each as a transaction. A job that throws changes nothing and does not stop the others. */
export function runBatch(cache: TokenCache, jobs: readonly Job[]): Batch {
  const ran: Ran = { done: [], failed: [] };
  for (const job of jobs) {
    try {
      ran.done.push({ job, transaction: transact(cache, job.run) });
    } catch (error) {
      ran.failed.push({ job, error });
    }
  }
  return batchOf(ran);
}

/** Does what `runBatch` does. Long jobs await `pause` between their turns. */
export async function runBatchInTurns(
  cache: TokenCache,
  jobs: readonly (Job | LongJob)[],
  pause: () => Promise<void>,
): Promise<Batch> {
  const ran: Ran = { done: [], failed: [] };
  for (const job of jobs) {
    try {
      const transaction =
        'run' in job ? transact(cache, job.run) : await transactInTurns(cache, job.inTurns, pause);
      ran.done.push({ job, transaction });
    } catch (error) {
      ran.failed.push({ job, error });
    }
  }
  return batchOf(ran);
}

/** The outcomes of jobs, in the order in which they ran. */
interface Ran {
  readonly done: { job: Job | LongJob; transaction: Transaction<unknown> }[];
  readonly failed: { job: Job | LongJob; error: unknown }[];
}

function batchOf({ done, failed }: Ran): Batch {
  const updates = done.map(({ transaction }) => transaction.changes).filter(({ length }) => length > 0);
  return {
    changes: updates.length === 1 ? (updates[0] ?? []) : condensed(updates.flat()),
    updates,
    settle: () => {
      for (const { job, transaction } of done) job.resolve(transaction.value);
      for (const { job, error } of failed) job.reject(error);
    },
    withdraw: (reason) => {
      for (const { transaction } of done.toReversed()) transaction.undo();
      for (const { job } of done) job.reject(reason);
      for (const { job, error } of failed) job.reject(error);
    },
  };
}
