/** Finds entities stored more than once because libraries use different keys and environment aliases. */
import type { Change, Entry } from '../cache/entry.ts';
import { copyWith, folded } from '../cache/json.ts';
import { ageIn, sameEntries } from '../cache/place.ts';
import { canonicalEnvironment, canonicalIssuer, issuerIn } from '../cache/schema/authorities.ts';
import { keyOf } from '../cache/schema/dialects.ts';
import type { AccessToken, Account, Entity, EntityType, RefreshToken } from '../cache/schema/entities.ts';
import { expiryOf, isExpired, isRefusedForGood, isUsable, refusalsOf } from '../cache/schema/expiry.ts';
import { isUnderstood } from '../cache/schema/fields.ts';
import { fieldsFor } from '../cache/schema/library-fields.ts';
import { assertionHashOf, covers, scopesOf } from '../cache/schema/match.ts';
import { joinedProfiles, realmOf } from '../cache/schema/tenant-profiles.ts';
import { dialectOf, type Store } from '../cache/store.ts';
import { change, type Diagnosis, diagnosis } from './finding.ts';
import { isWithoutScopes } from './unreadable.ts';

/** @param home an account id, or "" for the entries of apps */
export function duplicates(store: Store, home: string, now: number): Diagnosis[] {
  return [
    ...(home === '' ? apps(store) : []),
    ...accounts(store, home),
    ...tokens(store, home, 'AccessToken', now),
    ...tokens(store, home, 'IdToken', now),
    ...refreshTokens(store, home, now),
  ];
}

/** Groups entries that denote the same entity; only groups of two or more are returned. */
function groups<T extends EntityType>(
  entries: readonly Entry<T>[],
  sameAs: (entry: Entry<T>) => readonly Entry<T>[],
): Entry<T>[][] {
  const seen = new Set<Entry<T>>();
  const found: Entry<T>[][] = [];
  for (const entry of entries) {
    if (seen.has(entry)) continue;
    const group = sameAs(entry).filter((other) => !seen.has(other));
    for (const other of group) seen.add(other);
    if (group.length > 1) found.push(group);
  }
  return found;
}

function known<T extends EntityType>(store: Store, type: T): (entry: Entry<T>) => Entry<T>[] {
  return ({ entity }) => (entity === null ? [] : sameEntries(store, type, entity));
}

/** Whether the entity is an account with a list of tenants. */
function isListing(entity: Entity | null): entity is Account {
  return Array.isArray(entity?.['tenantProfiles']) && isUnderstood('Account', entity);
}

/** Merges the fields of `others` into `keep`, whose own fields take precedence, and removes `others`. */
function joinedInto<T extends EntityType>(keep: Entry<T>, others: readonly Entry<T>[]): Change[] {
  const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === '';
  const missing: Record<string, unknown> = {};
  for (const { entity } of others) {
    for (const [field, value] of Object.entries(entity ?? {})) {
      if (isEmpty(keep.entity?.[field]) && isEmpty(missing[field]) && !isEmpty(value)) missing[field] = value;
    }
  }
  const removals = others.map((entry) => change(entry));
  const lists = [keep, ...others].flatMap(({ entity }) => (isListing(entity) ? [entity] : []));
  if (lists.length > 0) missing['tenantProfiles'] = joinedProfiles(lists);
  if (keep.entity === null || Object.keys(missing).length === 0) return removals;
  const joined = copyWith(keep.entity, missing);
  return [change(keep, joined), ...removals];
}

function apps(store: Store): Diagnosis[] {
  const found: Diagnosis[] = [];
  for (const [keep, ...others] of groups(store.candidates('AppMetadata'), known(store, 'AppMetadata'))) {
    if (keep === undefined) continue;
    const causes = [
      { library: 'MSAL Node', says: 'It throws when it refreshes a token of this app.' } as const,
    ];
    const says = 'The metadata of an app is stored twice, under two aliases of one cloud.';
    found.push(diagnosis('duplicate-app', says, causes, [keep, ...others], joinedInto(keep, others)));
  }
  return found;
}

/** Finds account entities of the same user and tenant. MSAL Python may have written `common` for the home tenant. */
function accounts(store: Store, home: string): Diagnosis[] {
  const found: Diagnosis[] = [];
  const id = (account: Account): string =>
    [
      account.home_account_id,
      canonicalEnvironment(account.environment),
      realmOf(account),
      canonicalIssuer(issuerIn(account)),
    ]
      .map(folded)
      .join(' ');
  const byId = new Map<string, Entry<'Account'>[]>();
  for (const entry of store.candidates('Account', { home_account_id: home })) {
    if (entry.entity === null) continue;
    const group = byId.get(id(entry.entity));
    if (group === undefined) byId.set(id(entry.entity), [entry]);
    else group.push(entry);
  }
  for (const group of byId.values()) {
    if (group.length < 2) continue;
    const main = group.find((entry) => isAtHome(store, entry)) ?? group[0];
    if (main === undefined) continue;
    const others = group.filter((entry) => entry !== main);
    const causes = [
      { library: 'MSAL Node', says: 'It lists the user twice and signs out only one of them.' } as const,
    ];
    const says = 'A user is stored twice for one tenant, under two keys or two aliases of one cloud.';
    found.push(diagnosis('duplicate-account', says, causes, [main, ...others], joinedInto(main, others)));
  }
  return found;
}

/** Finds duplicate access and ID tokens. Of access tokens, the usable one that expires last is kept, as `lookup` returns it; then the newer one. */
function tokens(store: Store, home: string, type: 'AccessToken' | 'IdToken', now: number): Diagnosis[] {
  const found: Diagnosis[] = [];
  const entries = store.candidates(type, { home_account_id: home });
  for (const all of groups(entries, known(store, type))) {
    const group = all.filter(({ entity }) => entity === null || !isWithoutScopes(entity));
    if (group.length < 2) continue;
    const [keep, ...others] = newestFirst(store, type, group, now);
    if (keep === undefined) continue;
    const causes = [
      type === 'AccessToken'
        ? ({
            library: 'MSAL Node',
            says: 'When it looks for this token, it removes both and requests a new one.',
          } as const)
        : ({ library: 'MSAL Node', says: 'It removes both, and the app gets no ID token.' } as const),
    ];
    const says = `${type === 'IdToken' ? 'An ID token' : 'An access token'} is stored twice, under keys of two libraries.`;
    const removals = others.map((entry) => change(entry));
    found.push(diagnosis('duplicate-token', says, causes, [keep, ...others], removals));
  }
  return found;
}

/** Whether the key is the one under which the library of the document's dialect looks for the entity. */
function isAtHome(store: Store, { section, key, entity }: Entry<EntityType>): boolean {
  if (entity === null) return false;
  const dialect = dialectOf(store);
  return (
    keyOf(
      section,
      copyWith(
        entity,
        fieldsFor(section, entity, dialect, () => NaN),
      ),
      dialect,
    ) === key
  );
}

type Credential = 'AccessToken' | 'RefreshToken' | 'IdToken';

function newestFirst<T extends Credential>(
  store: Store,
  type: T,
  group: readonly Entry<T>[],
  now: number,
): Entry<T>[] {
  const ranked = group.map((entry) => ({ entry, rank: rankOf(store, type, entry, now) }));
  // Of entries with equal rank, the last one in the document comes first.
  const sorted = ranked.toReversed().sort(({ rank: a }, { rank: b }) => {
    return b.use - a.use || b.end - a.end || b.age - a.age || b.home - a.home;
  });
  return sorted.map(({ entry }) => entry);
}

function rankOf(
  store: Store,
  type: Credential,
  entry: Entry<EntityType>,
  now: number,
): { use: number; end: number; age: number; home: number } {
  const entity: Entity = entry.entity ?? {};
  const token = type === 'AccessToken' ? (entry.entity as AccessToken | null) : null;
  const age = ageIn(store, type, entity);
  return {
    use: token !== null && !isUsable(token, now) ? 0 : 1,
    end: token === null ? 0 : Math.min(expiryOf(token), Number.MAX_SAFE_INTEGER),
    age: Number.isNaN(age) ? 0 : age,
    home: type !== 'RefreshToken' && isAtHome(store, entry) ? 1 : 0,
  };
}

/** Whether the token can't be redeemed, as far as is known. */
const isDead = (token: RefreshToken | null, now: number): boolean =>
  token === null || isExpired(token, now) || isRefusedForGood(token);

/** Finds refresh tokens of one app and account that are superseded by the newest one that can be redeemed. */
function refreshTokens(store: Store, home: string, now: number): Diagnosis[] {
  const found: Diagnosis[] = [];
  const sameApp = ({ entity }: Entry<'RefreshToken'>): Entry<'RefreshToken'>[] => {
    if (entity === null) return [];
    const { home_account_id, client_id, environment } = entity;
    return store
      .candidates('RefreshToken', { home_account_id, client_id })
      .filter(
        ({ entity: other }) =>
          other !== null &&
          folded(other.client_id) === folded(client_id) &&
          canonicalEnvironment(other.environment) === canonicalEnvironment(environment) &&
          canonicalIssuer(issuerIn(other)) === canonicalIssuer(issuerIn(entity)) &&
          assertionHashOf(other) === assertionHashOf(entity),
      );
  };
  for (const group of groups(store.candidates('RefreshToken', { home_account_id: home }), sameApp)) {
    const sorted = newestFirst(store, 'RefreshToken', group, now);
    const [newest, ...older] = sorted.slice(sorted.findIndex(({ entity }) => !isDead(entity, now)));
    // One that was refused for some scopes stands in for no other.
    if (!newest?.entity || isDead(newest.entity, now) || refusalsOf(newest.entity).length > 0) continue;
    const target = newest.entity.target ?? '';
    const isTimeless = ({ entity }: Entry<'RefreshToken'>): boolean =>
      Number.isNaN(ageIn(store, 'RefreshToken', entity ?? {}));
    const shadowed = older.filter((entry) => {
      // Where nothing tells a time, not even an access token beside them, it is unknown which is the newer.
      if (isTimeless(newest) && isTimeless(entry)) return false;
      const { entity } = entry;
      const scopes = scopesOf(entity?.target ?? '');
      const family = entity?.family_id ?? '';
      if (family !== '' && newest.entity?.family_id !== family) return false; // Other apps of the family may use it.
      return target === '' || scopes.length === 0 || covers(target, scopes);
    });
    if (shadowed.length === 0) continue;
    const causes = [
      {
        library: 'MSAL Node',
        says: 'It keeps redeeming the older one. If the provider accepts each token only once, the user is signed out.',
      },
      { library: 'MSAL Python', says: 'It also tries the older one when the newer one is refused.' },
    ] as const;
    const says = 'A refresh token is superseded by a newer one of the same app.';
    const removals = shadowed.map((entry) => change(entry));
    found.push(diagnosis('shadowed-refresh-token', says, causes, [newest, ...shadowed], removals));
  }
  return found;
}
