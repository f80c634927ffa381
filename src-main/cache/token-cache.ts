import { type AccountFilter, summaries } from './accounts.ts';
import { type Clock, systemClock } from './clock.ts';
import { modifyEntity } from './place.ts';
import type {
  AccountReference,
  AccountSummary,
  AddReceipt,
  CacheChange,
  Entity,
  EntityFilter,
  EntityOf,
  EntityType,
  SignOutReceipt,
} from './schema/entities.ts';
import { matches } from './schema/match.ts';
import { scopeKeys } from './schema/scopes.ts';
import { addResponse, type TokenResponseEvent } from './response.ts';
import {
  type AppTokenFilter,
  countAll,
  countAppTokens,
  countBelongings,
  type RemovalCount,
  removeAppTokens,
  signOut,
  signOutAll,
  type SignOutFilter,
} from './sign-out.ts';
import { Store } from './store.ts';
import type { Profile } from './schema/dialects.ts';
import type { Entry } from './entry.ts';
import { eventOf } from './change.ts';

/** What a cache in memory takes from outside. */
export interface TokenCacheOptions {
  /** Seconds since the epoch. */
  now?: Clock;
}

let open: (cache: TokenCache) => Store;

/** The store of a cache, with its entries. Not exported from the package. */
export function storeOf(cache: TokenCache): Store {
  return open(cache);
}

/** A cache of these entries, which it shares. A later entry of the same place replaces an earlier one. */
export function cacheOf(
  entries: Iterable<Entry>,
  { profile = null, ...options }: TokenCacheOptions & { profile?: Profile | null } = {},
): TokenCache {
  const cache = new TokenCache(options);
  const store = storeOf(cache);
  store.profile = profile;
  for (const entry of entries) store.put(entry);
  return cache;
}

/**
 * Accounts and tokens in memory, in the schema that the MSAL libraries share. Synchronous; every call happens whole
 * or not at all. Entities are frozen: they are replaced, never changed.
 */
export class TokenCache {
  readonly #store: Store;
  readonly #listeners = new Set<(change: CacheChange) => void>();

  static {
    open = (cache) => cache.#store;
  }

  /** Empty. */
  constructor(options: TokenCacheOptions = {}) {
    const now = options.now ?? systemClock;
    this.#store = new Store(() => Math.floor(now())); // The schema has whole seconds; `Date.now() / 1000` has not.
    this.#store.onChange = (changes) => {
      this.changed();
      if (this.#listeners.size > 0) emit([...this.#listeners], eventOf(changes));
    };
  }

  /**
   * Another number whenever something has changed, which no other cache of this process has had: who finds the same
   * number again finds the same contents. It says nothing beyond that.
   */
  get version(): number {
    return this.#store.version;
  }

  /**
   * Takes in the response of a token endpoint: access token, refresh token, ID token, account and app metadata, as far
   * as it has them. A new access token replaces those of the same account, app, tenant and purpose whose scopes overlap.
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
   * @returns what was kept, and under which account
   * @throws InvalidArgumentError, with the name of the wrong `field`: an error response, one without tokens, one about
   *   another user than `home_account_id`. The cache is as it was
   */
  add(event: TokenResponseEvent): AddReceipt {
    return this.#store.run(() => addResponse(this.#store, event, this.#store.now())).value;
  }

  /**
   * Returns the entities that match, in the order in which they are stored; see EntityFilter. Expired tokens are included.
   *
   * @example
   * ```ts
   * const tokens = cache.find('AccessToken', { target: ['files.read'], query: { client_id: 'my-app' } });
   * ```
   */
  find<T extends EntityType>(type: T, filter?: EntityFilter): EntityOf[T][] {
    return this.#matching(type, filter).flatMap(({ entity }) =>
      entity === null ? [] : [entity as EntityOf[T]],
    );
  }

  /** `find`, for loops that change the cache: what is no longer as it was when the loop began is passed over. */
  *search<T extends EntityType>(type: T, filter?: EntityFilter): Iterable<EntityOf[T]> {
    for (const entry of this.#matching(type, filter)) {
      if (this.#store.entry(type, entry.key) === entry) yield entry.entity as EntityOf[T];
    }
  }

  #matching<T extends EntityType>(type: T, filter: EntityFilter | undefined): Entry<T>[] {
    // One of the scopes is enough to find what has all of them.
    const scopes = filter?.target === undefined ? undefined : scopeKeys(filter.target).slice(0, 1);
    const narrow = scopes?.[0] === '' ? undefined : scopes;
    return this.#store
      .candidates(type, filter?.query, narrow)
      .filter(({ entity }) => entity !== null && matches(type, entity, filter));
  }

  /**
   * Changes fields of an entity (undefined takes one away), or with null removes it. It is found by what it is and by
   * its fields, never by its key: every stored entry that denotes the same credential is dealt with. One that is not
   * in the cache any more is not brought back.
   *
   * @throws InvalidArgumentError where the result would not be an entity of this type
   */
  modify(type: EntityType, old: Entity, changes: Readonly<Record<string, unknown>> | null): void {
    this.#store.run(() => modifyEntity(this.#store, type, old, changes));
  }

  /** One for each user, whatever the number of tenants, environment aliases and apps; in a stable order. */
  accounts(filter?: AccountFilter): AccountSummary[] {
    return summaries(this.#store, filter);
  }

  /**
   * Removes an account and all that belongs to it: of every app, in every tenant, under every alias and key, the
   * family's refresh tokens, and data that is not understood but names the account. Tokens of apps without a user stay.
   *
   * @example
   * ```ts
   * for (const account of cache.accounts({ username: 'ada@example.org' })) cache.signOut(account);
   * ```
   *
   * @param account what `accounts()` returns, or the account's id
   * @throws AmbiguousAccountError where the id is that of users of several issuers. Nothing was removed
   */
  signOut(account: string | AccountReference, filter?: SignOutFilter): SignOutReceipt {
    return this.#store.run(() => signOut(this.#store, account, filter, this.#store.now())).value;
  }

  /**
   * Removes all accounts and the tokens of apps, also what belongs to accounts that have no account entity.
   *
   * @returns a receipt for each account, and one with an empty id where apps had tokens
   */
  signOutAll(): SignOutReceipt[] {
    return this.#store.run(() => signOutAll(this.#store, this.#store.now())).value;
  }

  /** Removes access tokens that belong to an app and to no user; those of users stay. */
  removeAppTokens(filter?: AppTokenFilter): SignOutReceipt {
    return this.#store.run(() => removeAppTokens(this.#store, filter, this.#store.now())).value;
  }

  /**
   * Calls the listener once for each call that changed something, after all of it is done. What a listener throws is
   * reported as an uncaught exception, and disturbs neither the cache nor the other listeners.
   *
   * @returns a function that ends it
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

  /** Called at every change, before the listeners. */
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
 * Counts what `signOut` would remove.
 *
 * @throws InvalidArgumentError where the id is empty, AmbiguousAccountError where it is that of several users
 */
export function removalCount(
  cache: TokenCache,
  account: string | AccountReference,
  filter?: SignOutFilter,
): RemovalCount {
  return countBelongings(storeOf(cache), account, filter);
}

/** Counts what `signOutAll` would remove. */
export function removalCountOfAll(cache: TokenCache): RemovalCount {
  return countAll(storeOf(cache));
}

/** Counts what `removeAppTokens` would remove. */
export function appRemovalCount(cache: TokenCache, filter?: AppTokenFilter): RemovalCount {
  return countAppTokens(storeOf(cache), filter);
}
