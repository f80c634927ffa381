/**
 * Where the entries of an account are: what makes the cost of a lookup or a sign-out that of one account, and not
 * that of the cache. Ids and realms are compared in any case, as they are in keys.
 */
import type { EntityType } from './entities.ts';
import { folded } from './match.ts';
import type { Entry } from './store.ts';

/** Below this many entries it is quicker to look at all of them. */
const SMALL = 16;

/** Types whose entities are told apart by their realm as well as by their app. */
const BY_REALM: ReadonlySet<EntityType> = new Set<EntityType>(['AccessToken', 'IdToken']);

function slot(type: EntityType, client: unknown, realm: unknown): string {
  return `${type} ${folded(client)} ${BY_REALM.has(type) ? folded(realm) : ''}`;
}

/** The entries of one account; a second level, by app and realm, is made when there are many. */
class Bucket {
  readonly entries: Set<Entry>;
  #slots: Map<string, Set<Entry>> | undefined;

  constructor(entry: Entry) {
    this.entries = new Set([entry]);
  }

  add(entry: Entry): void {
    this.entries.add(entry);
    if (this.#slots !== undefined) this.#file(this.#slots, entry);
  }

  delete(entry: Entry): void {
    this.entries.delete(entry);
    if (this.#slots === undefined || entry.entity === null) return;
    const key = slot(entry.section, entry.entity['client_id'], entry.entity['realm']);
    const set = this.#slots.get(key);
    set?.delete(entry);
    if (set?.size === 0) this.#slots.delete(key);
  }

  pick(
    type: EntityType,
    client: string | null | undefined,
    realm: string | null | undefined,
  ): Iterable<Entry> {
    const narrow = client !== undefined && (realm !== undefined || !BY_REALM.has(type));
    if (!narrow || this.entries.size <= SMALL) return this.entries;
    if (this.#slots === undefined) {
      this.#slots = new Map();
      for (const entry of this.entries) this.#file(this.#slots, entry);
    }
    return this.#slots.get(slot(type, client, realm)) ?? [];
  }

  #file(slots: Map<string, Set<Entry>>, entry: Entry): void {
    if (entry.entity === null) return;
    const key = slot(entry.section, entry.entity['client_id'], entry.entity['realm']);
    const set = slots.get(key);
    if (set === undefined) slots.set(key, new Set([entry]));
    else set.add(entry);
  }
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
    if (bucket?.entries.size === 0) this.#buckets.delete(entry.home);
  }

  clear(): void {
    this.#buckets.clear();
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
