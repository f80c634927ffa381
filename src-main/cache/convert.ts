/**
 * A store's document as another library would have written it. Nothing is lost: where two entities come to stand
 * under one key, the newer one does, and the other stays under the key it had.
 */
import { writtenAt } from './credential.ts';
import { type Account, type AppMetadata, type Entity, ENTITY_TYPES, type EntityType } from './entities.ts';
import { canonicalEnvironment } from './environments.ts';
import { copyWith, sameJson } from './json.ts';
import { keyOf } from './keys.ts';
import { fieldsFor } from './library-fields.ts';
import { folded } from './match.ts';
import { isNode, type Profile, ROOTS, writesEmptyRoots } from './profiles.ts';
import { isUnderstood } from './shapes.ts';
import { freeKey, type Store } from './store.ts';
import { isHomeTenant, joinedProfiles, realmOf } from './tenant-profiles.ts';

interface Keyed {
  readonly key: string;
  readonly entity: Entity;
}

/** The roots, in the order of the profile; those that are not understood come last. */
export function converted(store: Store, profile: Profile): Map<string, unknown> {
  const roots = new Map<string, unknown>();
  for (const type of ROOTS[profile]) {
    const entities = entitiesOf(store, type, profile);
    if (entities.size > 0 || writesEmptyRoots(profile)) roots.set(type, entities);
  }
  const known = new Set<string>(ENTITY_TYPES);
  for (const section of store.roots) if (!known.has(section)) roots.set(section, store.kept(section));
  return roots;
}

/** One root: understood entities under the library's keys, then those that had to make room, then the others. */
function entitiesOf(store: Store, type: EntityType, profile: Profile): Map<string, unknown> {
  const stored = store.candidates(type).flatMap(({ key, entity }): Keyed[] => {
    return entity === null ? [] : [{ key, entity: copyWith(entity, fieldsFor(type, entity, profile)) }];
  });
  const written = new Map<string, Keyed>();
  const displaced: Keyed[] = [];
  for (const next of joined(type, stored, profile)) {
    const key = keyOf(type, next.entity, profile);
    const rival = written.get(key);
    if (rival === undefined || !isOlder(next.entity, rival.entity)) written.set(key, next);
    if (rival !== undefined) displaced.push(isOlder(next.entity, rival.entity) ? next : rival);
  }
  const root = new Map<string, unknown>([...written].map(([key, { entity }]) => [key, entity]));
  const addBeside = (key: string, value: unknown): void =>
    void root.set(
      freeKey(key, (name) => root.has(name)),
      value,
    );
  for (const { key, entity } of displaced) {
    const winner = written.get(keyOf(type, entity, profile));
    if (!sameJson(winner?.entity, entity)) addBeside(key, entity);
  }
  for (const { key, value, entity } of store.entries(type)) if (entity === null) addBeside(key, value);
  return root;
}

/** Where they do not both say when they were written, the one that comes later in the document is newer. */
function isOlder(entity: Entity, than: Entity): boolean {
  return writtenAt(entity) < writtenAt(than);
}

/** What a library keeps one of, and others several: an app's metadata under aliases, MSAL Node's accounts. */
function joined(type: EntityType, stored: readonly Keyed[], profile: Profile): readonly Keyed[] {
  if (type === 'AppMetadata') return groups(stored, 'client_id').map(joinedApp);
  if (type === 'Account' && isNode(profile)) return groups(stored, 'home_account_id').map(joinedAccount);
  return stored;
}

function groups(stored: readonly Keyed[], field: string): [Keyed, ...Keyed[]][] {
  const found = new Map<string, [Keyed, ...Keyed[]]>();
  for (const keyed of stored) {
    const environment = canonicalEnvironment(String(keyed.entity['environment']));
    const id = `${folded(keyed.entity[field])} ${environment}`;
    const group = found.get(id);
    if (group === undefined) found.set(id, [keyed]);
    else group.push(keyed);
  }
  return [...found.values()];
}

/** All that they say; the first one's word counts, but for the family, which only one may know. */
function joinedApp(group: readonly [Keyed, ...Keyed[]]): Keyed {
  const apps = group.flatMap(({ entity }): AppMetadata[] =>
    isUnderstood('AppMetadata', entity) ? [entity] : [],
  );
  const family = apps.map((app) => app.family_id).find((id) => typeof id === 'string' && id !== '');
  const entity = overlaid(apps);
  return {
    key: group[0].key,
    entity: family === undefined ? entity : copyWith(entity, { family_id: family }),
  };
}

/** The entity of the home tenant, with what only the others say, and the tenants of all of them in a list. */
function joinedAccount(group: readonly [Keyed, ...Keyed[]]): Keyed {
  const accounts = group.flatMap(({ entity }): Account[] =>
    isUnderstood('Account', entity) ? [entity] : [],
  );
  const main = accounts.find((account) => isHomeTenant(account, realmOf(account))) ?? accounts[0];
  const entity = overlaid(main === undefined ? accounts : [main, ...accounts]);
  return { key: group[0].key, entity: copyWith(entity, { tenantProfiles: joinedProfiles(accounts) }) };
}

/** The fields of all of them; where several have one, the first one's. */
function overlaid(entities: readonly Entity[]): Entity {
  return entities.reduceRight<Entity>((below, entity) => copyWith(below, entity), {});
}
