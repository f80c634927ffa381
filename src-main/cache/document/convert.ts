/**
 * Converts a store's document to the form of another library. If a credential is stored more than once, the newest one is
 * kept, because MSAL Node discards duplicates. If different credentials get the same key, all are kept, the newest under
 * that key. Data that is not understood is kept.
 */

import { copyWith, folded } from '../json.ts';
import { ageIn } from '../place.ts';
import { canonicalEnvironment, cloudOf } from '../schema/authorities.ts';
import { type Dialect, isNode, keyOf, ROOTS, writesEmptyRoots } from '../schema/dialects.ts';
import { ENTITY_TYPES, type Entity, type EntityType } from '../schema/entities.ts';
import { isExpired } from '../schema/expiry.ts';
import { isUnderstood } from '../schema/fields.ts';
import { GRANT } from '../schema/grants.ts';
import { fieldsFor } from '../schema/library-fields.ts';
import { grantOf, sameCredential, scopeKeys } from '../schema/match.ts';
import { isHomeTenant, joinedProfiles, realmOf } from '../schema/tenant-profiles.ts';
import { freeKey, type Store } from '../store.ts';

/** Returns the roots in the order of the dialect; roots that are not understood come last. */
export function converted(store: Store, dialect: Dialect): Map<string, unknown> {
  const roots = new Map<string, unknown>();
  for (const type of ROOTS[dialect]) {
    const entities = entitiesOf(store, type, dialect);
    if (entities.size > 0 || writesEmptyRoots(dialect)) roots.set(type, entities);
  }
  const known = new Set<string>(ENTITY_TYPES);
  for (const section of store.roots) {
    if (known.has(section)) continue;
    const kept = store.kept(section);
    if (kept !== undefined || section !== GRANT) roots.set(section, kept?.value);
    else roots.set(section, new Map(Array.from(store.entries(GRANT), ({ key, value }) => [key, value])));
  }
  return roots;
}

/** An entity with the fields of the library. */
interface Aged {
  readonly entity: Entity;
  /** Returns when it was written, in seconds since the epoch; NaN if unknown. Called only to compare two, since it may decode a token. */
  readonly age: () => number;
  /** Whether the credential is still valid. A valid one is kept, even if an expired one is newer. */
  readonly isOfUse: () => boolean;
}

/** Returns the valid entities of a type under the library's keys, and those that a newer one displaced. */
function arranged(
  store: Store,
  type: EntityType,
  dialect: Dialect,
  nameOf?: (environment: string) => string,
): { placed: Map<string, Entity>; displaced: Entity[] } {
  const stored = store.candidates(type).flatMap(({ entity }): Aged[] => {
    if (entity === null) return [];
    const age = (): number => ageIn(store, type, entity);
    const fields = fieldsFor(type, entity, dialect, age);
    const said = fields['environment'];
    const environment = typeof said === 'string' ? said : entity.environment;
    const changes = { ...fields, environment: nameOf === undefined ? environment : nameOf(environment) };
    const isSame = Object.keys(changes).every((field) => entity[field] === Reflect.get(changes, field));
    const isOfUse = (): boolean => type !== 'AccessToken' || !isExpired(entity, store.now());
    return [{ entity: isSame ? entity : copyWith(entity, changes), age, isOfUse }];
  });
  const placed = new Map<string, Aged>();
  const displaced: Entity[] = [];
  for (const next of newest(type, joined(type, stored, dialect))) {
    const key = keyOf(type, next.entity, dialect);
    const rival = placed.get(key);
    if (rival === undefined || !isOlder(next, rival)) placed.set(key, next);
    if (rival !== undefined) displaced.push(isOlder(next, rival) ? next.entity : rival.entity);
  }
  return { placed: new Map([...placed].map(([key, { entity }]) => [key, entity])), displaced };
}

/** Returns one root: valid entities under the library's keys, then displaced ones, then data that is not understood. */
function entitiesOf(store: Store, type: EntityType, dialect: Dialect): Map<string, unknown> {
  const { placed, displaced } = arranged(store, type, dialect);
  const root = new Map<string, unknown>(placed);
  const addBeside = (key: string, value: unknown): void => {
    const free = freeKey(key, (name) => root.has(name));
    root.set(free, value);
  };
  for (const entity of displaced) addBeside(keyOf(type, entity, dialect), entity);
  for (const { key, value, entity } of store.entries(type)) if (entity === null) addBeside(key, value);
  return root;
}

/**
 * Returns the entities for a library's memory: each credential once, with the library's fields and keys. Omits data that is
 * not understood, because the library would throw, and displaced entities, which it would confuse with the newer ones.
 */
export function usableBy(
  dialect: Dialect,
  store: Store,
  nameOf?: (environment: string) => string,
): Map<EntityType, Map<string, Entity>> {
  return new Map(ENTITY_TYPES.map((type) => [type, arranged(store, type, dialect, nameOf).placed]));
}

/**
 * Returns each credential once, in its newest form and in the order of the document. Compares only entities of the same
 * account, app, tenant and host, and access tokens of the same scopes.
 */
function newest(type: EntityType, stored: readonly Aged[]): readonly Aged[] {
  if (stored.length < 2) return stored;
  const slots = new Map<string, Aged[]>();
  const stale = new Set<Aged>();
  for (const next of stored) {
    const { rivals, own } = slotsOf(type, next.entity);
    for (const other of rivals.flatMap((slot) => slots.get(slot) ?? [])) {
      if (sameCredential[type](next.entity, other.entity)) stale.add(isOlder(next, other) ? next : other);
    }
    for (const slot of own) {
      const others = slots.get(slot);
      if (others === undefined) slots.set(slot, [next]);
      else others.push(next);
    }
  }
  return stored.filter((aged) => !stale.has(aged));
}

/** Returns the groups in which an entity is compared. A refresh token without a target is compared with those of every target. */
function slotsOf(type: EntityType, entity: Entity): { own: string[]; rivals: string[] } {
  const host = cloudOf(entity['environment']);
  const slot = [entity['home_account_id'], entity['client_id'], entity['realm'], host].map(folded).join('\n');
  const scopes = (text: string): string => `${slot}\n${scopeKeys(text).toSorted().join(' ')}`;
  const one = (name: string): { own: string[]; rivals: string[] } => ({ own: [name], rivals: [name] });
  if (type === 'AccessToken') return one(scopes(grantOf(entity)));
  if (type !== 'RefreshToken') return one(slot);
  const target = typeof entity['target'] === 'string' ? entity['target'] : '';
  const [all, general] = [`all ${slot}`, `general ${slot}`];
  if (target === '') return { own: [all, general], rivals: [all] };
  return { own: [all, scopes(target)], rivals: [general, scopes(target)] };
}

/** If the write time of either is unknown, the one later in the document counts as newer. */
function isOlder(one: Aged, than: Aged): boolean {
  const [use, other] = [one.isOfUse(), than.isOfUse()];
  return use === other ? one.age() < than.age() : other;
}

/** Merges entities of which the library keeps only one: an app's metadata under aliases, and MSAL Node's accounts. */
function joined(type: EntityType, stored: readonly Aged[], dialect: Dialect): readonly Aged[] {
  const entities = stored.map(({ entity }) => entity);
  const one = (entity: Entity): Aged => ({ entity, age: () => NaN, isOfUse: () => true });
  if (type === 'AppMetadata') return groups(entities, 'client_id').map((apps) => one(joinedApp(apps)));
  if (type !== 'Account' || !isNode(dialect)) return stored;
  return groups(entities, 'home_account_id').map((accounts) => one(joinedAccount(accounts)));
}

function groups(entities: readonly Entity[], field: string): Entity[][] {
  const found = new Map<string, Entity[]>();
  for (const entity of entities) {
    const id = `${folded(entity[field])} ${canonicalEnvironment(String(entity['environment']))}`;
    const group = found.get(id);
    if (group === undefined) found.set(id, [entity]);
    else group.push(entity);
  }
  return [...found.values()];
}

/** Merges app metadata: the first one wins, except for the family, which only one of them may have. */
function joinedApp(apps: readonly Entity[]): Entity {
  const family = apps.map((app) => app['family_id']).find((id) => typeof id === 'string' && id !== '');
  const entity = overlaid(apps);
  return family === undefined ? entity : copyWith(entity, { family_id: family });
}

/** Merges accounts: the entity of the home tenant, completed by the others, with a list of all tenants. */
function joinedAccount(group: readonly Entity[]): Entity {
  const accounts = group.filter((entity) => isUnderstood('Account', entity));
  const main = accounts.find((account) => isHomeTenant(account, realmOf(account))) ?? accounts[0];
  const entity = overlaid(main === undefined ? accounts : [main, ...accounts]);
  return copyWith(entity, { tenantProfiles: joinedProfiles(accounts) });
}

/** Merges the fields of all entities; the first entity that has a field wins. */
function overlaid(entities: readonly Entity[]): Entity {
  return entities.reduceRight<Entity>((below, entity) => copyWith(below, entity), {});
}
