/**
 * Where the entries of an account are: what makes the cost of a lookup or a sign-out that of one account, and not
 * that of the cache. Ids and realms are compared in any case, as they are in keys.
 */
import type { EntityType } from './schema/entities.ts';
import { folded } from './schema/match.ts';
import type { Entry } from './store.ts';

/** Below this many entries it is quicker to look at all of them. */
const SMALL = 16;

/** Types whose entities are told apart by their realm as well as by their app. */
const BY_REALM: ReadonlySet<EntityType> = new Set<EntityType>(['AccessToken', 'IdToken']);

function slot(type: EntityType, client: unknown, realm: unknown): string {
  return `${type} ${folded(client)} ${BY_REALM.has(type) ? folded(realm) : ''}`;
}

/** The entries of one account: a plain list, as most have five; a set, and places by app and realm, where there are many. */
class Bucket {
  #entries: Entry[] | Set<Entry>;
  #slots: Map<string, Set<Entry>> | undefined;

  constructor(entry: Entry) {
    this.#entries = [entry];
  }

  get entries(): Iterable<Entry> {
    return this.#entries;
  }

  get isEmpty(): boolean {
    return (Array.isArray(this.#entries) ? this.#entries.length : this.#entries.size) === 0;
  }

  add(entry: Entry): void {
    if (!Array.isArray(this.#entries)) this.#entries.add(entry);
    else if (this.#entries.push(entry) > SMALL) this.#entries = new Set(this.#entries);
    if (this.#slots !== undefined) file(this.#slots, entry);
  }

  delete(entry: Entry): void {
    if (Array.isArray(this.#entries)) this.#entries = this.#entries.filter((other) => other !== entry);
    else this.#entries.delete(entry);
    const key = slotOf(entry);
    const slot = this.#slots?.get(key);
    slot?.delete(entry);
    if (slot?.size === 0) this.#slots?.delete(key);
  }

  /** In the place of `before`, as in its root: answers come in the order in which entries are stored. */
  replace(before: Entry, entry: Entry): void {
    const own = (other: Entry): Entry => (other === before ? entry : other);
    if (Array.isArray(this.#entries)) this.#entries = this.#entries.map(own);
    else this.#entries = new Set([...this.#entries].map(own));
    this.#slots = undefined;
  }

  pick(
    type: EntityType,
    client: string | null | undefined,
    realm: string | null | undefined,
  ): Iterable<Entry> {
    const narrow = client !== undefined && (realm !== undefined || !BY_REALM.has(type));
    if (!narrow || Array.isArray(this.#entries)) return this.#entries;
    if (this.#slots === undefined) {
      this.#slots = new Map();
      for (const entry of this.#entries) file(this.#slots, entry);
    }
    return this.#slots.get(slot(type, client, realm)) ?? [];
  }
}

function slotOf({ section, entity }: Entry): string {
  return slot(section, entity?.['client_id'], entity?.['realm']);
}

function file(slots: Map<string, Set<Entry>>, entry: Entry): void {
  if (!entry.isUnderstood) return;
  const key = slotOf(entry);
  const set = slots.get(key);
  if (set === undefined) slots.set(key, new Set([entry]));
  else set.add(entry);
}

export class AccountIndex {
  /** By home account id; "" holds what belongs to an app and to no user: its tokens and its metadata. */
  readonly #buckets = new Map<string, Bucket>();

  add(entry: Entry): void {
    const bucket = this.#buckets.get(entry.home);
    if (bucket === undefined) this.#buckets.set(entry.home, new Bucket(entry));
    else bucket.add(entry);
  }

  delete(entry: Entry): void {
    const bucket = this.#buckets.get(entry.home);
    bucket?.delete(entry);
    if (bucket?.isEmpty === true) this.#buckets.delete(entry.home);
  }

  replace(before: Entry, entry: Entry): void {
    if (before.home === entry.home) {
      this.#buckets.get(entry.home)?.replace(before, entry);
      return;
    }
    this.add(entry);
    this.delete(before);
  }

  clear(): void {
    this.#buckets.clear();
  }

  /** The accounts that have entries. */
  *homes(): Iterable<string> {
    for (const home of this.#buckets.keys()) if (home !== '') yield home;
  }

  /** All entries of an account, those that are not understood included. */
  of(home_account_id: string | null): Iterable<Entry> {
    return this.#buckets.get(folded(home_account_id))?.entries ?? [];
  }

  /** What may match; a superset of what does. */
  candidates(
    type: EntityType,
    home_account_id: string | null,
    client: string | null | undefined,
    realm: string | null | undefined,
  ): Iterable<Entry> {
    return this.#buckets.get(folded(home_account_id))?.pick(type, client, realm) ?? [];
  }
}
