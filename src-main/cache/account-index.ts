/**
 * Indexes the entries by account, so that the cost of a lookup depends on the size of one account, not of the cache. IDs and
 * realms are compared case-insensitively, as in keys.
 */
import type { Entity, EntityType } from './schema/entities.ts';
import { canonicalEnvironment, hostOf } from './schema/environments.ts';
import type { Section } from './schema/grants.ts';
import { canonicalIssuer, issuerIn } from './schema/issuers.ts';
import { folded, purposesOf } from './schema/match.ts';
import { grantOf, scopeKeys } from './schema/scopes.ts';
import { type Entry as AnyEntry, nameOf } from './entry.ts';

type Entry = AnyEntry<Section>;

/** Up to this many entries, a linear scan is faster. */
const SMALL = 16;

/** Types whose entities are distinguished by realm in addition to app. */
const BY_REALM: ReadonlySet<Section> = new Set<Section>(['AccessToken', 'IdToken', 'Account']);

function slot(type: Section, client: unknown, realm: unknown): string {
  return `${type} ${folded(client)} ${BY_REALM.has(type) ? folded(realm) : ''}`;
}

/**
 * The entries of one account, in the order in which they were first stored: a list for up to 16 entries, since most accounts
 * have about five; otherwise maps by place, and by type, app and realm.
 */
class Bucket {
  #list: Entry[] | undefined;
  #places: Map<string, Entry> | undefined;
  /** Entries by type, app and realm; access tokens also by scope; and by the fields that entries for one credential share. */
  #slots: Map<string, Map<string, Entry>> | undefined;

  constructor(entry: Entry) {
    this.#list = [entry];
  }

  get entries(): Iterable<Entry> {
    return this.#list ?? this.#places?.values() ?? [];
  }

  get isEmpty(): boolean {
    return (this.#list?.length ?? this.#places?.size ?? 0) === 0;
  }

  add(entry: Entry): void {
    if (this.#list !== undefined) {
      if (this.#list.push(entry) <= SMALL) return;
      this.#places = new Map(this.#list.map((each) => [nameOf(each), each]));
      this.#list = undefined;
      return;
    }
    this.#places?.set(nameOf(entry), entry);
    if (this.#slots !== undefined) file(this.#slots, entry);
  }

  delete(entry: Entry): void {
    if (this.#list !== undefined) this.#list.splice(this.#list.indexOf(entry) >>> 0, 1);
    this.#places?.delete(nameOf(entry));
    this.#unfile(entry);
  }

  /** Replaces `before` with `entry`, at the same position. */
  replace(before: Entry, entry: Entry): void {
    if (this.#list !== undefined) {
      this.#list[this.#list.indexOf(before)] = entry;
      return;
    }
    this.#places?.set(nameOf(entry), entry); // A map keeps the order of its keys.
    if (this.#slots === undefined) return;
    const [old, fresh] = [slotsOf(before), slotsOf(entry)];
    const isSame = old.length === fresh.length && old.every((name, index) => name === fresh[index]);
    if (!isSame) this.#unfile(before);
    file(this.#slots, entry);
  }

  pick(
    type: EntityType,
    client: string | null | undefined,
    realm: string | null | undefined,
    scopes: readonly string[] | undefined,
  ): Iterable<Entry> {
    const narrow = client !== undefined && (realm !== undefined || !BY_REALM.has(type));
    if (this.#places === undefined) return this.entries;
    const slots = (this.#slots ??= filed(this.#places));
    if (!narrow) return slots.get(type)?.values() ?? [];
    const name = slot(type, client, realm);
    if (scopes === undefined || type !== 'AccessToken') return slots.get(name)?.values() ?? [];
    const found = new Map<string, Entry>();
    for (const scope of scopes)
      for (const [place, entry] of slots.get(scoped(name, scope)) ?? []) found.set(place, entry);
    return found.values();
  }

  like(type: EntityType, entity: Entity): Iterable<Entry> {
    if (this.#places === undefined) return this.entries;
    const slots = (this.#slots ??= filed(this.#places));
    const found = new Map<string, Entry>();
    for (const name of namesLike(type, entity))
      for (const [place, entry] of slots.get(name) ?? []) found.set(place, entry);
    return found.values();
  }

  #unfile(entry: Entry): void {
    if (this.#slots === undefined) return;
    for (const name of slotsOf(entry)) {
      const entries = this.#slots.get(name);
      entries?.delete(nameOf(entry));
      if (entries?.size === 0) this.#slots.delete(name);
    }
  }
}

function scoped(slotName: string, scope: string): string {
  return `${slotName}\n${scope}`;
}

function slotsOf({ section, entity }: Entry): string[] {
  if (entity === null) return [];
  const name = slot(section, entity['client_id'], entity['realm']);
  const found = [section, name];
  if (section === 'AccessToken')
    for (const scope of scopeKeys(grantOf(entity))) found.push(scoped(name, scope));
  found.push(...usersOf(purposeName(section, name, entity), section, entity));
  if (section === 'RefreshToken') found.push(...usersOf(`${name}\n*`, section, entity));
  return found;
}

/** Returns the index key shared by all entries that may denote the same credential. */
function namesLike(type: EntityType, entity: Entity): string[] {
  const name = slot(type, entity['client_id'], entity['realm']);
  const names = [purposeName(type, name, entity)];
  // A refresh token without a target is valid for all scopes of its app.
  if (type === 'RefreshToken') names.push(hasTarget(entity) ? forScopes(name, '') : `${name}\n*`);
  return names.flatMap((each) => usersLike(each, type, entity));
}

/** Returns the fields that are equal in two entities for one credential, apart from the user. */
function purposeName(type: Section, name: string, entity: Entity): string {
  if (type === 'RefreshToken') return forScopes(name, hasTarget(entity) ? entity['target'] : '');
  if (type !== 'AccessToken') return name;
  return `${forScopes(name, grantOf(entity))}\n${purposesOf(entity).join('\n')}`;
}

function hasTarget(entity: Entity): entity is Entity & { target: string } {
  return typeof entity['target'] === 'string' && entity['target'] !== '';
}

function forScopes(name: string, scopes: string): string {
  return `${name}\n=${scopeKeys(scopes).toSorted().join(' ')}`;
}

/** An entity without an issuer may belong to any issuer on its host. App metadata belongs to a host, not to an issuer. */
function usersOf(name: string, type: Section, entity: Entity): string[] {
  const host = hostIn(entity);
  const issuer = type === 'AppMetadata' ? '' : issuerIn(entity);
  if (issuer === '') return [`${name}\nhost ${host}`, `${name}\nunnamed ${host}`];
  return [`${name}\nhost ${host}`, `${name}\nissuer ${canonicalIssuer(issuer)}`];
}

function usersLike(name: string, type: Section, entity: Entity): string[] {
  const host = hostIn(entity);
  const issuer = type === 'AppMetadata' ? '' : issuerIn(entity);
  if (issuer === '') return [`${name}\nhost ${host}`];
  return [`${name}\nunnamed ${host}`, `${name}\nissuer ${canonicalIssuer(issuer)}`];
}

/** Returns the same name for all aliases of an environment; see `sameEnvironment`. */
function hostIn(entity: Entity): string {
  return hostOf(canonicalEnvironment(typeof entity['environment'] === 'string' ? entity['environment'] : ''));
}

function filed(places: ReadonlyMap<string, Entry>): Map<string, Map<string, Entry>> {
  const slots = new Map<string, Map<string, Entry>>();
  for (const entry of places.values()) file(slots, entry);
  return slots;
}

function file(slots: Map<string, Map<string, Entry>>, entry: Entry): void {
  for (const name of slotsOf(entry)) {
    const entries = slots.get(name);
    if (entries === undefined) slots.set(name, new Map([[nameOf(entry), entry]]));
    else entries.set(nameOf(entry), entry);
  }
}

/** Finds the entries of an account. The cost depends on the size of the account, not of the cache. */
export class AccountIndex {
  /** Entries by account; "" holds tokens and metadata of apps. null reserves the position of an account without entries. */
  readonly #buckets = new Map<string, Bucket | null>();

  add(entry: Entry): void {
    const bucket = this.#buckets.get(entry.account) ?? null;
    if (bucket === null) this.#buckets.set(entry.account, new Bucket(entry));
    else bucket.add(entry);
  }

  /** Reserves the next position in the order of accounts for an account without entries. */
  reserve(account: string): void {
    if (!this.#buckets.has(account)) this.#buckets.set(account, null);
  }

  /** Releases a reserved position, unless the account has entries by now. */
  release(account: string): void {
    if (this.#buckets.get(account) === null) this.#buckets.delete(account);
  }

  /** Iterates over all entries, account by account. */
  *all(): Iterable<Entry> {
    for (const bucket of this.#buckets.values()) if (bucket !== null) yield* bucket.entries;
  }

  delete(entry: Entry): void {
    const bucket = this.#buckets.get(entry.account);
    bucket?.delete(entry);
    if (bucket?.isEmpty === true) this.#buckets.delete(entry.account);
  }

  replace(before: Entry, entry: Entry): void {
    if (before.account === entry.account) {
      this.#buckets.get(entry.account)?.replace(before, entry);
      return;
    }
    this.add(entry);
    this.delete(before);
  }

  clear(): void {
    this.#buckets.clear();
  }

  /** The accounts that have entries or a reserved position. */
  get accounts(): string[] {
    return [...this.#buckets.keys()].filter((account) => account !== '');
  }

  /** Returns all entries of an account, including unrecognized ones. */
  of(home_account_id: string | null): Iterable<Entry> {
    return this.#buckets.get(folded(home_account_id))?.entries ?? [];
  }

  /** Returns entries that may denote the same credential as the entity: a superset. */
  like(type: EntityType, entity: Entity): Iterable<Entry> {
    return this.#buckets.get(folded(entity['home_account_id']))?.like(type, entity) ?? [];
  }

  /** Returns entries that may match: a superset of the matches. */
  candidates(
    type: EntityType,
    home_account_id: string | null,
    client: string | null | undefined,
    realm: string | null | undefined,
    scopes?: readonly string[],
  ): Iterable<Entry> {
    return this.#buckets.get(folded(home_account_id))?.pick(type, client, realm, scopes) ?? [];
  }
}
