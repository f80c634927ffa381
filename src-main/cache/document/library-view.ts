/** Converts between the cache and the memory of one library. */

import type { Clock } from '../clock.ts';
import type { Entry } from '../entry.ts';
import { copyWith, folded, sameJson } from '../json.ts';
import { modifyEntity, place, sameEntries, supersededEntries, usersAccounts } from '../place.ts';
import {
  canonicalEnvironment,
  followsMsal,
  issuerIn,
  issuerSaidBy,
  sameEnvironment,
} from '../schema/authorities.ts';
import { type Dialect } from '../schema/dialects.ts';
import type { Account, Entity, EntityType } from '../schema/entities.ts';
import { isUnderstood } from '../schema/fields.ts';
import { fieldsFor } from '../schema/library-fields.ts';
import { ANY_TENANT, homeTenantOf, realmOf } from '../schema/tenant-profiles.ts';
import { signOut, signOutId } from '../sign-out.ts';
import { dialectOf, type Store } from '../store.ts';
import { cacheOf, storeOf, type TokenCache } from '../token-cache.ts';
import { usableBy } from './convert.ts';

/** Entities by type and by key of the library. */
export type LibraryView = ReadonlyMap<EntityType, ReadonlyMap<string, Entity>>;

/** A change that a library made to its memory. */
export interface LibraryChange {
  readonly type: EntityType;
  /** In the library's dialect. */
  readonly key: string;
  /** The entity as the library serializes it; null: the library removed it. */
  readonly entity: Entity | null;
  /** The account that it belongs or belonged to; "" for an app. */
  readonly home_account_id: string;
  readonly environment: string;
  /** The secret of a removed entity. If a newer one has replaced it meanwhile, that one is kept. */
  readonly secret?: string;
}

/** Returns a string that identifies a user under all aliases of the environment. */
export function userOf({
  home_account_id,
  environment,
}: Pick<LibraryChange, 'home_account_id' | 'environment'>): string {
  return `${folded(home_account_id)} ${canonicalEnvironment(environment)}`;
}

/** Returns the name that a library uses for an environment, given any of its aliases. */
export type NameOf = (environment: string) => string;

/**
 * Returns the entities of these entries in the library's form; see `usableBy`. All entries of an account must be passed together.
 *
 * @param now the cache's clock
 * @param nameOf returns an environment's name in the library's configuration; default: the name used by all libraries of the dialect
 */
export function viewOf(entries: Iterable<Entry>, dialect: Dialect, now: Clock, nameOf?: NameOf): LibraryView {
  return usableBy(dialect, storeOf(cacheOf(entries, { now })), nameOf);
}

/** What a library had in its memory before it changed it. */
interface LibraryContents {
  readonly dialect: Dialect;
  /** The users (see userOf). */
  readonly users: ReadonlySet<string>;
  readonly nameOf: NameOf;
  /** Returns what `viewOf` returned for these entries, all that an account has now; undefined if the library was loaded from others. */
  readonly loadedFrom: (entries: readonly Entry[]) => LibraryView | undefined;
}

/**
 * Applies a library's changes of its memory to the cache, matched by fields and not by keys. Changes that the cache already
 * has do nothing. An account that the library removed is signed out. Tokens for an account that was removed from the cache
 * meanwhile, and tokens without an account, are dropped: they are from refreshes that ended after the sign-out.
 */
export function takeFromLibrary(
  cache: TokenCache,
  changes: readonly LibraryChange[],
  { dialect, users: known, nameOf, loadedFrom }: LibraryContents,
): void {
  const store = storeOf(cache);
  store.run(() => {
    const views = new Map<string, LibraryView>();
    const current = ({ home_account_id, type, key }: LibraryChange): Entity | undefined => {
      let view = views.get(folded(home_account_id));
      if (view === undefined) {
        const entries = store.ofAccount(home_account_id);
        view = loadedFrom(entries) ?? viewOf(entries, dialect, store.now, nameOf);
        views.set(folded(home_account_id), view);
      }
      return view.get(type)?.get(key);
    };
    const issuerOf = issuersIn(changes);
    const set = changes
      .filter(({ entity }) => entity !== null)
      .map((change) => ({ ...change, entity: withIssuer(change.entity, issuerOf(change)) }));
    const signedIn = new Set(set.filter(({ type }) => type === 'Account').map(userOf));
    const removed = changes.filter(({ entity }) => entity === null);
    const had = removed.map((change) => ({ change, entity: current(change) }));
    const news = set.map((change) => ({ change, before: current(change) }));

    for (const { change, entity } of had) {
      if (entity === undefined || entity['secret'] !== change.secret || change.type === 'Account') continue;
      const environment = environmentIn(store, change, nameOf);
      modifyEntity(store, change.type, copyWith(entity, { environment }), null);
    }
    for (const { change } of had) {
      if (change.type !== 'Account' || signedIn.has(userOf(change))) continue;
      const environment = environmentIn(store, change, nameOf);
      const id = change.home_account_id;
      // If two issuers share the host, the account that MSAL had is the one whose tokens were removed with it.
      const issuers = new Set(
        had
          .filter((other) => other.entity !== undefined && userOf(other.change) === userOf(change))
          .map(({ entity }) => issuerIn(entity))
          .filter((issuer) => issuer !== ''),
      );
      if (issuers.size === 0) signOutId(store, id, { environment }, store.now());
      for (const issuer of issuers)
        signOut(store, { home_account_id: id, environment, issuer }, {}, store.now());
    }
    for (const { change, before } of news) {
      const user = userOf(change);
      const environment = environmentIn(store, change, nameOf);
      const own = {
        ...change,
        environment,
        entity: change.entity && copyWith(change.entity, { environment }),
      };
      const isWanted = hasAccount(store, own) || (signedIn.has(user) && !known.has(user));
      if (change.home_account_id === '' || isWanted)
        put(store, own, before && copyWith(before, { environment }));
    }
  });
}

/**
 * Returns the cache's name for the environment of a change. Only the library may know the names in its configuration, so
 * this looks for an account (or an app's metadata) in the cache that the library calls by the same name.
 */
function environmentIn(
  store: Store,
  { type, home_account_id, environment, entity }: LibraryChange,
  nameOf: NameOf,
): string {
  const isSame = (other: unknown): boolean =>
    typeof other === 'string' && (other === environment || nameOf(other) === environment);
  const client_id = entity?.['client_id'];
  const beside =
    type === 'AppMetadata' || home_account_id === ''
      ? store.candidates('AppMetadata').filter((entry) => entry.entity?.client_id === client_id)
      : store.candidates('Account', { home_account_id });
  const own = beside.find((entry) => isSame(entry.entity?.environment));
  return own?.entity?.environment ?? environment;
}

/** Returns the issuers in the library's new ID tokens. The library stores no issuer for the tokens that came with them. */
function issuersIn(changes: readonly LibraryChange[]): (change: LibraryChange) => string {
  const issuers = new Map<string, Set<string>>();
  for (const change of changes) {
    if (change.type !== 'IdToken' || change.entity === null) continue;
    const { environment, realm } = change.entity;
    if (followsMsal(String(environment), String(realm))) continue;
    const issuer = issuerSaidBy(change.entity);
    if (issuer === '') continue;
    const known = issuers.get(userOf(change)) ?? new Set();
    issuers.set(userOf(change), known.add(issuer));
  }
  return (change) => {
    const said = [...(issuers.get(userOf(change)) ?? [])];
    return said.length === 1 && change.type !== 'AppMetadata' ? (said[0] ?? '') : '';
  };
}

function withIssuer(entity: Entity | null, issuer: string): Entity | null {
  if (entity === null || issuer === '' || issuerIn(entity) !== '') return entity;
  if (String(entity['authority_type']).toUpperCase() === 'ADFS') return entity;
  return copyWith(entity, { issuer });
}

function hasAccount(store: Store, { home_account_id, environment }: LibraryChange): boolean {
  return store
    .candidates('Account', { home_account_id })
    .some(({ entity }) => entity !== null && sameEnvironment(entity.environment, environment));
}

/** @param before the cache's current entity for what the library had under the key */
function put(store: Store, { type, entity }: LibraryChange, before: Entity | undefined): void {
  if (entity === null || !isUnderstood(type, entity)) return;
  const news = Object.fromEntries(
    Object.entries(entity).filter(([field, value]) => !sameJson(before?.[field], value)),
  );
  if (before !== undefined && Object.keys(news).length === 0) return;
  if (isUnderstood('Account', entity) && type === 'Account') {
    const own = usersAccounts(store, entity).find(
      ({ entity: one }) => one !== null && sameRealm(one, entity),
    );
    if (own?.entity) {
      // Keep the document's environment, realm and account ID.
      const { environment, realm, home_account_id, ...rest } = news;
      modifyEntity(store, type, own.entity, rest);
      return;
    }
  } else if (before !== undefined && (type === 'AppMetadata' || before['secret'] === entity['secret'])) {
    modifyEntity(store, type, before, news);
    return;
  }
  const fields = fieldsFor(type, entity, dialectOf(store), () => store.now());
  const own = copyWith(entity, fields);
  const elsewhere = asOfAnyTenant(own).flatMap((same) => supersededEntries(store, type, same));
  const realm = elsewhere[0]?.entity?.['realm'];
  const adapted = realm === undefined ? own : copyWith(own, { realm });
  if (!isUnderstood(type, adapted)) return;
  const replaced = type === 'Account' ? sameEntries(store, type, own) : supersededEntries(store, type, own);
  place(store, type, adapted, [...replaced, ...elsewhere]);
}

/**
 * Finds the token of an app that signs in at `organizations` or `common`: MSAL Python stores it under that realm and looks
 * it up only there; MSAL Node uses the user's tenant. It stays where MSAL Python finds it; see fieldsFor.
 */
function asOfAnyTenant(token: Entity): Entity[] {
  const home = homeTenantOf(String(token['home_account_id']));
  if (home === undefined || folded(token['realm']) !== folded(home)) return [];
  return [...ANY_TENANT].map((realm) => copyWith(token, { realm }));
}

function sameRealm(a: Account, b: Account): boolean {
  return folded(realmOf(a)) === folded(realmOf(b));
}

/** Returns the entries of a cache by account, lower-cased; "" for entries of apps. Omits whole roots. */
export function entriesByAccount(cache: TokenCache): Map<string, Entry[]> {
  const accounts = new Map<string, Entry[]>();
  for (const entry of storeOf(cache).all()) {
    if (entry.key === null) continue;
    const entries = accounts.get(entry.account);
    if (entries === undefined) accounts.set(entry.account, [entry]);
    else entries.push(entry);
  }
  return accounts;
}
