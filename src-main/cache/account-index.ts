/**
 * Index of the entries by account, so that the cost of a lookup or a sign-out depends on the size of one account, not
 * of the cache. Ids and realms are compared case-insensitively, as in keys.
 */
import type { EntityType } from './schema/entities.ts';
import type { Section } from './schema/grants.ts';
import { folded } from './schema/match.ts';
import { grantOf, scopeKeys } from './schema/scopes.ts';
import { type Entry as AnyEntry, nameOf } from './entry.ts';

type Entry = AnyEntry<Section>;

/** Up to this many entries, a linear scan is faster. */
const SMALL = 16;

/** Types whose entities are distinguished by realm in addition to app. */
const BY_REALM: ReadonlySet<Section> = new Set<Section>(['AccessToken', 'IdToken']);

function slot(type: Section, client: unknown, realm: unknown): string {
  return `${type} ${folded(client)} ${BY_REALM.has(type) ? folded(realm) : ''}`;
}

/**
 * The entries of one account, in the order in which they were first stored. A plain list, as most accounts have five;
 * where there are many, maps by place, and by type, app and realm.
 */
class Bucket {
  #list: Entry[] | undefined;
  #places: Map<string, Entry> | undefined;
  /** By type, app and realm; access tokens by scope as well. */
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
    if (this.#slots === undefined) {
      this.#slots = new Map();
      for (const entry of this.#places.values()) file(this.#slots, entry);
    }
    if (!narrow) return this.#slots.get(type)?.values() ?? [];
    const name = slot(type, client, realm);
    if (scopes === undefined || type !== 'AccessToken') return this.#slots.get(name)?.values() ?? [];
    const found = new Map<string, Entry>();
    for (const scope of scopes)
      for (const [place, entry] of this.#slots.get(scoped(name, scope)) ?? []) found.set(place, entry);
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
  if (section !== 'AccessToken') return [section, name];
  return [section, name, ...scopeKeys(grantOf(entity)).map((scope) => scoped(name, scope))];
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
  /** By account; "" holds tokens and metadata of apps. */
  readonly #buckets = new Map<string, Bucket>();

  add(entry: Entry): void {
    const bucket = this.#buckets.get(entry.account);
    if (bucket === undefined) this.#buckets.set(entry.account, new Bucket(entry));
    else bucket.add(entry);
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

  /** The accounts that have entries. */
  get accounts(): string[] {
    return [...this.#buckets.keys()].filter((account) => account !== '');
  }

  /** Returns all entries of an account, including unrecognized ones. */
  of(home_account_id: string | null): Iterable<Entry> {
    return this.#buckets.get(folded(home_account_id))?.entries ?? [];
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
