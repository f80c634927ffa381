import { randomBytes } from 'node:crypto';
import { mergeIssued } from '../cache/document/merge.ts';
import { folded } from '../cache/json.ts';
import {
  type CacheHandle,
  inMemory,
  checkExclusively,
  needsSignal,
  type Synchronous,
  UPDATE_OPTIONS,
  type UpdateOptions,
} from '../cache/handle.ts';
import type {
  AccessToken,
  AccountReference,
  AccountSummary,
  SignOutReceipt,
} from '../cache/schema/entities.ts';
import { signOutId } from '../cache/sign-out.ts';
import { storeOf, TokenCache, transact } from '../cache/token-cache.ts';
import {
  AmbiguousAccountError,
  InvalidArgumentError,
  PartitionError,
  PartitionStoreError,
  SessionEndedError,
  SignInRequiredError,
} from '../errors.ts';
import {
  CACHE_FUNCTION,
  checkArgument,
  checkOptions,
  FLAG,
  FUNCTION,
  HOST,
  oneOf,
  type OptionNames,
  SIGNAL,
  TEXT,
  TEXTS,
} from '../options.ts';
import { type Abortable, abandonable, untilBegun } from '../waiting.ts';
import {
  type AppTokenRequest,
  type AskTokenEndpoint,
  apiToken,
  appWanted,
  type OnBehalfOfRequest,
  onBehalfWanted,
  userOfAssertion,
} from './api-tokens.ts';
import { Deadline } from './deadline.ts';
import { published, purposeOf } from './diagnostics.ts';
import { type EntryMetadata, readEntry } from './entry.ts';
import { type Turn, Turns } from './leases.ts';
import { endingAt, type Lifetime, lifetimeOf, type PartitionTtl } from './lifetime.ts';
import {
  type ResealOptions,
  type ResealReport,
  reseal,
  type SealingReport,
  sealingReport,
} from './maintenance.ts';
import { keepMarks } from './marks.ts';
import { ownershipOf, type PartitionUser } from './ownership.ts';
import { type Found, isSpelledIn, openFound, userCountIn } from './partition-contents.ts';
import { type PartitionName, partitionName } from './partition-name.ts';
import { newVersion } from './random.ts';
import { OpenedCaches, SharedFlights, SharedReads, Touches } from './reads.ts';
import { type PartitionedCachesOptions, type Settings, settingsOf } from './settings.ts';
import { epochOf } from './tombstones.ts';
import { type OpenedAs, Updates } from './updates.ts';
import {
  HEADROOM,
  identityOf,
  type IndexRecord,
  noIndex,
  type PartitionUserReference,
  UserIndex,
} from './user-index.ts';

/**
 * One user's token cache in a store.
 *
 * @example
 * import type { Partition } from 'tokenkeep/partitions';
 *
 * async function signOut(partition: Partition): Promise<void> {
 *   for (const account of await partition.read((cache) => cache.accounts())) await partition.signOut(account);
 * }
 */
export interface Partition extends CacheHandle {
  /** The partition's key in the store. Errors name it. */
  readonly key: string;

  /** Identifies the state that the last read of this handle saw; see UpdateOptions. */
  readonly epoch?: number;

  /**
   * Reads the cache, including what other processes wrote. Simultaneous reads of one user share one read of the store, and the cache:
   * `fn` must not change it.
   *
   * @throws PartitionError, PartitionStoreError; InvalidArgumentError if `fn` changed the cache; what `fn` throws
   */
  read<T>(fn: Synchronous<T>, options?: Abortable): Promise<T>;

  /**
   * Changes the cache. Resolves when it is stored, on top of others' changes. `fn` may run more than once, on a newer cache each
   * time, if another process was faster, so it must do nothing but change the cache. An empty cache is deleted.
   *
   * If it rejects, nothing was changed, with one exception. After `store_timeout` and `store_unavailable` it may have been
   * written completely, if the store's answer was lost.
   *
   * @throws PartitionError, PartitionStoreError, SessionEndedError; what `fn` throws
   */
  update<T>(fn: Synchronous<T>, options?: UpdateOptions): Promise<T>;

  /** Removes an account and all its entries. Removes the partition if it is empty afterwards. */
  signOut(account: string | AccountReference): Promise<SignOutReceipt>;

  /** Deletes the entry, even if it cannot be opened. */
  remove(): Promise<void>;

  /**
   * Runs `task` alone among the tasks of this partition with the same name: one refresh at a time. Redis and PostgreSQL exclude
   * all processes and machines that share them; memory, session and stores without leases exclude tasks of this process only.
   * Don't nest calls.
   *
   * The turn ends when the task settles, when its holder dies, or after `turnLimit`. Then the signal is aborted: pass it to the
   * call to the provider. A lease is not a fence: a holder that was suspended for longer than its lease continues beside the
   * next one. The updates of both are kept.
   *
   * @throws PartitionError `partition_busy`, PartitionStoreError: the task was not run. PartitionError
   *   `partition_turn_expired`: the task has not ended. What the task throws
   */
  exclusively<T>(name: string, task: (signal: AbortSignal) => Promise<T>, options?: Abortable): Promise<T>;
}

/** Options for opening a partition. */
export interface PartitionOptions {
  /** The user whose credentials the partition accepts; others are refused. Default: `'one'`. */
  user?: PartitionUser;
  /** The lifetime of the entry. Default: the `ttl` option of `partitionedCaches`. */
  ttl?: PartitionTtl;
  /** The end of the session, as a Date or in seconds since the epoch. The entry expires then at the latest. */
  expires?: Date | number;
}

/** Identifies the partition of an app's own tokens, which belong to no user. */
export interface AppPartition {
  client_id: string;
  /** The tenant. */
  realm: string;
  /** The provider's host. Default: "", for apps that know only one. */
  environment?: string;
}

/** The result of `signIn`. */
export interface SignedIn<T> {
  /** The partition that now has the tokens. */
  readonly partition: Partition;
  readonly account: AccountSummary;
  /** What `redeem` returned. */
  readonly value: T;
}

/** The result of `signOutUser`: counts, never secrets. */
export interface UserSignOutReceipt {
  /** How many partitions the user was signed out of. */
  readonly partitions: number;
  /** How many of them could not be opened and were deleted entirely. */
  readonly deleted: number;
  /** How many more are listed for the user afterwards: 0, unless the user signed in meanwhile. */
  readonly remaining: number;
}

/**
 * The caches of all users of a store.
 *
 * @example
 * import type { PartitionedCaches } from 'tokenkeep/partitions';
 *
 * async function start(caches: PartitionedCaches): Promise<void> {
 *   await caches.check(); // fails now rather than for the first user
 *   console.log(await caches.sealingReport());
 * }
 */
export interface PartitionedCaches {
  /** Whether users can be signed out everywhere: the option `userIndex`. */
  readonly userIndex: boolean;

  /**
   * Opens the cache of one user. Handles cost nothing and hold nothing: make one for each request.
   *
   * @param id your app's id of the user or session, the same in each request; never taken from the request's body or URL
   * @throws InvalidArgumentError for an id that is empty, longer than 512 bytes or has control characters
   */
  partition(id: string, options?: PartitionOptions): Partition;

  /** Opens the cache of an app's own tokens (client credentials). No user's credentials are accepted. */
  appPartition(app: AppPartition): Partition;

  /**
   * Runs a sign-in whose user is known only afterwards. `redeem` gets an empty cache in memory, for example for `msalCachePlugin` and
   * `acquireTokenByCode`. The one account in that cache determines the partition, into which the whole cache is merged.
   *
   * @param redeem redeems the code into the handle
   * @param idOf returns the partition's id for the account; as in `partition`
   * @throws SignInRequiredError if nobody signed in; AmbiguousAccountError; what `redeem` throws: nothing was stored
   * @example
   * import { type AuthorizationCodeRequest, ConfidentialClientApplication } from '@azure/msal-node';
   * import { msalCachePlugin } from 'tokenkeep/msal';
   * import type { PartitionedCaches } from 'tokenkeep/partitions';
   *
   * const signIn = (caches: PartitionedCaches, request: AuthorizationCodeRequest) =>
   *   caches.signIn(
   *     (handle) =>
   *       new ConfidentialClientApplication({ auth, cache: { cachePlugin: msalCachePlugin(handle) } })
   *         .acquireTokenByCode(request),
   *     (account) => account.home_account_id,
   *   );
   */
  signIn<T>(
    redeem: (handle: CacheHandle) => Promise<T>,
    idOf: (account: AccountSummary, value: T) => string,
    options?: PartitionOptions,
  ): Promise<SignedIn<T>>;

  /**
   * Returns a token of the app itself (client credentials). Callers that come together share one request to the provider, on all
   * servers with Redis or PostgreSQL. A token that is still valid is returned if an early refresh fails and the cache
   * still has it.
   *
   * @throws what `ask` throws; SignInRequiredError if the provider answered `invalid_grant`; an Error with the provider's code in `error`
   *   for any other error response; InvalidArgumentError
   * @example
   * import type { AskTokenEndpoint, PartitionedCaches } from 'tokenkeep/partitions';
   *
   * const scopes = 'https://graph.microsoft.com/.default';
   * const token = (caches: PartitionedCaches, ask: AskTokenEndpoint) =>
   *   caches.acquireForApp({ client_id: 'my-app', realm: 'my-tenant', scopes }, ask);
   */
  acquireForApp(request: AppTokenRequest, ask: AskTokenEndpoint): Promise<AccessToken>;

  /**
   * Returns a token for another API on behalf of the user who called this one, found by the hash of the assertion. One request at a
   * time for each user. A refresh token that came with it is used first, also when the assertion has expired (long-running jobs).
   *
   * @throws SignInRequiredError if only the user can get the token (`interaction_required` and others, see `reason`): answer 401, so that the
   *   caller gets a new one; its `cause` has `claims`. Also if the user was signed out meanwhile. An Error with the provider's code in `error` for any other error response.
   *   What `ask` throws; InvalidArgumentError
   * @example
   * import type { AskTokenEndpoint, PartitionedCaches } from 'tokenkeep/partitions';
   *
   * const token = (caches: PartitionedCaches, assertion: string, ask: AskTokenEndpoint) =>
   *   caches.acquireOnBehalfOf({ client_id: 'my-app', assertion, scopes: ['User.Read'] }, ask);
   */
  acquireOnBehalfOf(request: OnBehalfOfRequest, ask: AskTokenEndpoint): Promise<AccessToken>;

  /**
   * Signs a user out of every partition, on every server, that was written since `userIndex: true` was set, provided that the store drops
   * no entry before it expires (Redis: `maxmemory-policy noeviction`).
   *
   * @throws InvalidArgumentError without an index; PartitionStoreError: repeat it, some partitions may still be there; PartitionError: an
   *   index entry of the user can't be opened, or has dropped partitions (`partition_too_large`, of more than 1,000). The user was signed out
   *   of all partitions that are listed
   */
  signOutUser(user: PartitionUserReference): Promise<UserSignOutReceipt>;

  /**
   * Seals every entry with the current key, including those of inactive users. Then an old key may be removed. Run it from one
   * process; it can be stopped and repeated at any time.
   *
   * @throws InvalidArgumentError if the store cannot list its entries; PartitionStoreError
   */
  reseal(options?: ResealOptions): Promise<ResealReport>;

  /** Counts which sealing key seals how many entries, without opening them. @throws as `reseal` */
  sealingReport(): Promise<SealingReport>;

  /**
   * Writes, reads and removes an entry and a lease, to find at start-up what would otherwise fail for the first user: missing
   * permissions, a read-only replica, a missing table, the client of another library.
   *
   * @throws PartitionStoreError, PartitionError
   */
  check(): Promise<void>;
}

/**
 * Keeps one sealed token cache per user of a web app, in a store of your choice.
 *
 * @throws InvalidArgumentError
 * @example
 * import { memoryStore, parseSealingKeys, partitionedCaches } from 'tokenkeep/partitions';
 *
 * const caches = partitionedCaches({
 *   store: memoryStore(),
 *   sealingKeys: parseSealingKeys('2026-11:3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs='),
 * });
 * const accounts = await caches.partition('an id of the session').read((cache) => cache.accounts());
 */
export function partitionedCaches(options: PartitionedCachesOptions): PartitionedCaches {
  const settings = settingsOf(options);
  const { now } = settings;
  const caches = new Caches(settings);
  const flights = new SharedFlights();
  const partition: PartitionedCaches['partition'] = (id, how) => {
    const { user = 'one', ttl, expires } = checkOptions<PartitionOptions>('partition', how, PARTITION, READ);
    const lifetime = ttl === undefined ? settings.lifetime : lifetimeOf(ttl);
    return caches.open({
      name: partitionName('user', id),
      ownership: ownershipOf(user),
      lifetime: expires === undefined ? lifetime : endingAt(lifetime, secondsOf(expires, now())),
    });
  };
  const appPartition: PartitionedCaches['appPartition'] = (app) => {
    const {
      client_id,
      realm,
      environment = '',
    } = checkOptions<AppTokenRequest>('appPartition', app as AppTokenRequest, APP_PARTITION, READ);
    const id = JSON.stringify([folded(environment), client_id, realm]);
    return caches.open({
      name: partitionName('app', id),
      ownership: ownershipOf('none'),
      lifetime: settings.lifetime,
    });
  };
  const own: PartitionedCaches = {
    userIndex: settings.userIndex,
    partition,
    appPartition,
    signIn: async (redeem, idOf, how) => {
      checkArgument('signIn', 'redeem', redeem, FUNCTION);
      checkArgument('signIn', 'idOf', idOf, FUNCTION); // Before the code is redeemed, which works once.
      const memory = new TokenCache({ now });
      const value = await redeem(inMemory(memory));
      const account = onlyAccountIn(memory);
      const theirs = partition(idOf(account, value), how);
      await theirs.update((cache) => mergeIssued(cache, memory));
      return { partition: theirs, account, value };
    },
    acquireForApp: async (request, ask) => {
      checkOptions<AppTokenRequest>('acquireForApp', request, APP_PARTITION, READ);
      checkArgument('acquireForApp', 'ask', ask, FUNCTION);
      const wanted = appWanted(request);
      const handle = appPartition(request);
      const name = JSON.stringify([handle.key, wanted.scopes.toSorted(), wanted.forceRefresh]);
      return flights.share(name, () => apiToken(handle, wanted, watched(handle.key, ask), now));
    },
    acquireOnBehalfOf: async (request, ask) => {
      checkArgument('acquireOnBehalfOf', 'ask', ask, FUNCTION);
      const wanted = onBehalfWanted(checkOptions('acquireOnBehalfOf', request, ON_BEHALF_OF, READ));
      const handle = partition(userOfAssertion(request.assertion));
      const name = JSON.stringify([
        handle.key,
        wanted.hash,
        wanted.client_id,
        wanted.scopes.toSorted(),
        wanted.forceRefresh,
      ]);
      return flights.share(name, () => apiToken(handle, wanted, watched(handle.key, ask), now));
    },
    signOutUser: (user) => caches.signOutUser(user),
    reseal: (how) => reseal(settings, how),
    sealingReport: () => sealingReport(settings),
    check: () => check(settings),
  };
  keepMarks(own, settings);
  return own;
}

function watched(partition: string, ask: AskTokenEndpoint): AskTokenEndpoint {
  return (parameters, signal) =>
    published('ask', partition, (note) => {
      note({ grant_type: parameters.grant_type });
      return ask(parameters, signal);
    });
}

function onlyAccountIn(cache: TokenCache): AccountSummary {
  const [account, ...others] = cache.accounts();
  if (account === undefined)
    throw new SignInRequiredError(
      'The sign-in brought no account: ask for the scope openid, so that the provider says who signed in. Nothing was stored.',
    );
  if (others.length === 0) return account;
  throw new AmbiguousAccountError(
    'The sign-in brought several users, so it is unknown whose partition this is. Nothing was stored.',
    [account, ...others],
  );
}
const READ = 'Nothing was read or written.';
const PARTITION = { user: true, ttl: true, expires: true } as const;
/** The options of `acquireForApp`, including those that name the partition. */
const APP_PARTITION: OptionNames<AppTokenRequest> = {
  client_id: TEXT,
  realm: TEXT,
  environment: HOST,
  scopes: TEXTS,
  forceRefresh: FLAG,
};
const ON_BEHALF_OF: OptionNames<OnBehalfOfRequest> = {
  client_id: TEXT,
  assertion: true,
  scopes: TEXTS,
  grant: oneOf('jwt-bearer', 'token-exchange'),
  forceRefresh: FLAG,
};

function secondsOf(expires: Date | number, now: number): number {
  const seconds = expires instanceof Date ? expires.getTime() / 1000 : expires;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds))
    throw new InvalidArgumentError(
      'expires is a Date, or a number of seconds since the epoch. Nothing was read or written.',
      { field: 'expires' },
    );
  if (seconds <= now)
    throw new SessionEndedError(
      'The session has expired, so its partition is not opened. Ask the user to sign in again.',
    );
  return seconds;
}

class Caches {
  readonly #settings: Settings;
  readonly #opened: OpenedCaches;
  readonly #reads = new SharedReads<Found>();
  readonly #touches = new Touches();
  readonly #turns: Turns;
  readonly #updates: Updates;
  readonly #index: UserIndex | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#opened = new OpenedCaches(settings.openCaches);
    this.#turns = new Turns(settings);
    this.#index = settings.userIndex ? new UserIndex(settings) : undefined;
    this.#updates = new Updates(settings, this.#opened, this.#index, (key) => this.#touches.forget(key));
  }

  open(as: OpenedAs): Partition {
    return new OpenedPartition(this, as);
  }

  /** @param seen called with the metadata before `fn` runs, so that `fn` finds it in the handle */
  async read<T>(as: OpenedAs, fn: Synchronous<T>, seen: (metadata: EntryMetadata) => void): Promise<T> {
    const { key } = as.name;
    let found: Found;
    do found = await this.#reads.share(key, () => this.#read(as));
    while (found.cache.version !== found.opened); // An update has changed the cache in the meantime.
    as.ownership.check(found, as.name);
    seen(found.metadata);
    const transaction = transact(found.cache, fn);
    if (transaction.changes.length === 0) return transaction.value;
    transaction.undo();
    throw new InvalidArgumentError(
      'The function passed to read() changed the cache. Nothing was written. Use update() to change it.',
    );
  }

  async update<T>(as: OpenedAs, fn: Synchronous<T>, options?: UpdateOptions): Promise<T> {
    const { signal } = checkOptions('update', options, UPDATE_OPTIONS);
    checkArgument('update', 'fn', fn, CACHE_FUNCTION);
    return untilBegun(signal, (begin) =>
      this.#updates.add(
        as,
        (cache) => {
          begin();
          return fn(cache);
        },
        options,
      ),
    );
  }

  async exclusively<T>(
    { name }: OpenedAs,
    turn: string,
    task: (turn: Pick<Turn, 'signal'>) => Promise<T>,
    options?: Abortable,
  ): Promise<T> {
    const { signal } = options ?? {};
    return untilBegun(signal, (begin) =>
      this.#turns.run(
        name,
        turn,
        async (own) => {
          begin();
          return task(signal === undefined ? own : either(own, signal));
        },
        signal,
      ),
    );
  }

  async remove({ name }: OpenedAs): Promise<void> {
    const { store, importFrom, timeout } = this.#settings;
    const { key, kind, id } = name;
    await Deadline.run(timeout, async (deadline) => {
      const listed = this.#index === undefined ? null : await this.#metadataOf(name, deadline);
      if (importFrom !== undefined && kind === 'user' && id !== undefined)
        await deadline.with(async () => importFrom.remove(id));
      await deadline.with((call) => store.remove(key, undefined, call));
      if (listed !== null) await this.#index?.dropped(name, listed, deadline).catch(() => undefined); // The index entries expire.
    });
  }

  /** Returns null if there is no entry, or none that can be opened. */
  async #metadataOf(name: PartitionName, deadline: Deadline): Promise<EntryMetadata | null> {
    const { store, sealing } = this.#settings;
    const stored = await deadline.readFresh(store, name.key);
    try {
      return stored && readEntry(stored.bytes, name, sealing).metadata;
    } catch (error) {
      if (error instanceof PartitionError) return null;
      throw error;
    }
  }

  async signOutUser(user: PartitionUserReference): Promise<UserSignOutReceipt> {
    const index = this.#index ?? missing();
    const { records, fault } = await index.find(user);
    const keys = new Set(records.map(({ key }) => key));
    const gone: IndexRecord[] = [];
    let deleted = 0;
    for (const key of keys) {
      const name: PartitionName = { kind: 'user', id: undefined, key };
      const accounts = records.filter((record) => record.key === key);
      const lifetime = listedLifetime(accounts, this.#settings.now());
      const as: OpenedAs = { name, ownership: ownershipOf('several'), lifetime };
      try {
        const isSignedOut = await this.update(as, (cache) => {
          const store = storeOf(cache);
          const before = cache.version;
          for (const { account, of } of accounts) {
            // Another user, whose subject differs only in case, may have signed in here since.
            if (of !== undefined && !isSpelledIn(cache, account)) continue;
            const isOne = of === undefined || userCountIn(cache, folded(account)) < 2;
            if (isOne) signOutId(store, account, {}, store.now());
            else cache.signOut({ home_account_id: account, issuer: of });
          }
          return cache.version !== before;
        });
        // If the user isn't in it, a sign-in may be about to write it. What else is listed without tokens expires.
        if (isSignedOut) gone.push(...accounts);
      } catch (error) {
        if (!(error instanceof PartitionError) || error.code === 'partition_busy') throw error;
        await this.remove(as); // It cannot be opened, and its tokens must go.
        gone.push(...accounts);
        deleted += 1;
      }
    }
    await index.forget(user, gone);
    if (fault !== undefined) throw fault;
    const known = new Set(records.map(identityOf));
    const { records: left } = await index.find(user);
    return {
      partitions: keys.size,
      deleted,
      remaining: left.filter((record) => !known.has(identityOf(record))).length,
    };
  }

  async #read(as: OpenedAs): Promise<Found> {
    const { store, sealing, now, timeout, importFrom } = this.#settings;
    const { name, lifetime } = as;
    return Deadline.run(timeout, async (deadline) => {
      const stored = await deadline.with((call) => store.read(name.key, call));
      if (stored === null && importFrom !== undefined && name.kind === 'user' && name.id !== undefined)
        return this.#readImported(as, deadline);
      const known = stored === null ? undefined : this.#opened.of(name.key, stored.version);
      const found = known ?? openFound(stored, name, sealing, now);
      if (known === undefined) this.#opened.keep(name.key, found);
      const { sliding } = lifetime;
      if (sliding !== null && stored !== null) {
        const ttl = sliding.ttl(now());
        if (this.#touches.isDue(name.key, now(), ttl, sliding.after))
          await this.#touch(name, ttl, found, deadline);
      }
      return found;
    });
  }

  /** A touch that fails rejects no read: the entry was there, and the next read tries again. */
  async #touch(
    name: PartitionName,
    ttl: number,
    { cache, metadata }: Found,
    deadline: Deadline,
  ): Promise<void> {
    try {
      await deadline.with((call) => this.#settings.store.touch(name.key, ttl, call));
      await this.#index?.touch(name, cache, metadata, ttl, deadline);
    } catch {
      this.#touches.forget(name.key);
    }
  }

  /** Imports the partition, by an update that changes nothing, and reads it. */
  async #readImported(as: OpenedAs, deadline: Deadline): Promise<Found> {
    const { store, sealing, now } = this.#settings;
    await this.update({ ...as, ownership: ownershipOf('several') }, () => undefined);
    return openFound(await deadline.with((call) => store.read(as.name.key, call)), as.name, sealing, now);
  }
}

class OpenedPartition implements Partition {
  readonly #caches: Caches;
  readonly #as: OpenedAs;
  #epoch: number | undefined;

  constructor(caches: Caches, as: OpenedAs) {
    this.#caches = caches;
    this.#as = as;
  }

  get key(): string {
    return this.#as.name.key;
  }

  get epoch(): number {
    return this.#epoch ?? 0;
  }

  async read<T>(fn: Synchronous<T>, options?: Abortable): Promise<T> {
    const { signal } = checkOptions('read', options, { signal: SIGNAL });
    checkArgument('read', 'fn', fn, CACHE_FUNCTION);
    return abandonable(signal, () =>
      published('read', this.key, () =>
        this.#caches.read(this.#as, fn, (metadata) => (this.#epoch = epochOf(metadata))),
      ),
    );
  }

  update<T>(fn: Synchronous<T>, options?: UpdateOptions): Promise<T> {
    return published('update', this.key, () => this.#caches.update(this.#as, fn, options));
  }

  signOut(account: string | AccountReference): Promise<SignOutReceipt> {
    return this.update((cache) => cache.signOut(account));
  }

  remove(): Promise<void> {
    return this.#caches.remove(this.#as);
  }

  async exclusively<T>(
    name: string,
    task: (signal: AbortSignal) => Promise<T>,
    options?: Abortable,
  ): Promise<T> {
    checkExclusively(name, task, options);
    return published('turn', this.key, (note) => {
      const start = performance.now();
      note({ purpose: purposeOf(name) });
      const begun = (turn: Pick<Turn, 'signal'>): Promise<T> => {
        note({ waited: performance.now() - start });
        return needsSignal(task) ? task(turn.signal) : (task as () => Promise<T>)();
      };
      return this.#caches.exclusively(this.#as, name, begun, options);
    });
  }
}

/** Returns a turn whose signal is also aborted by the caller's. */
function either(turn: Turn, signal: AbortSignal): Pick<Turn, 'signal'> {
  return {
    get signal() {
      return AbortSignal.any([turn.signal, signal]);
    },
  };
}

/**
 * A partition of several users keeps its lifetime when one is signed out. It is known only from the index, so that the partition may
 * expire up to a fifth of its lifetime earlier or later, until it is updated again.
 */
function listedLifetime(records: readonly IndexRecord[], now: number): Lifetime {
  const expiries = records.map(({ expires }) => expires);
  const left = Math.max(60, (Math.max(...expiries.map(Number)) - now) / HEADROOM);
  return { ttl: () => (expiries.includes(null) ? null : left), sliding: null };
}

function missing(): never {
  throw noIndex();
}

async function check(settings: Settings): Promise<void> {
  const { store, timeout } = settings;
  const { key } = partitionName('probe', randomBytes(16).toString('base64url'));
  const bytes = Buffer.from('Tokenkeep checks its store');
  const entry = { bytes, version: newVersion() };
  const lease = { name: key, owner: randomBytes(16).toString('base64url'), ttl: 10 };
  await Deadline.run(timeout, async (deadline) => {
    await deadline.with((call) => store.read(key, call));
    await deadline.with((call) => store.write(key, entry, { expected: null, ttl: 60 }, call));
    const found = await deadline.readFresh(store, key);
    await deadline.with((call) => store.touch(key, 60, call));
    const { leases } = store;
    if (leases !== undefined) {
      await deadline.with((call) => leases.take(key, lease, call));
      await deadline.with((call) => leases.give(key, lease, call));
    }
    await deadline.with((call) => store.remove(key, entry.version, call));
    if (found?.version === entry.version && Buffer.from(found.bytes).equals(bytes)) return;
    throw new PartitionStoreError(
      'store_mismatch',
      'The partition store did not return what was written to it. No user data was involved. Check that reads go to the primary, and that no proxy changes values.',
    );
  });
}
