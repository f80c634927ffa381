/**
 * The entries of a cache, including the properties of its document: the order of roots, keys as written, and unrecognized entries. Every
 * change is recorded, so that it can be reported and undone.
 */
import { InvalidArgumentError } from '../errors.ts';
import type { Clock } from './clock.ts';
import { type Change, condensed, Entry, nameOf, type Place, placeOf } from './entry.ts';
import { folded } from './json.ts';
import { canonicalIssuer, cloudOf, issuerIn } from './schema/authorities.ts';
import type { Dialect, Layout } from './schema/dialects.ts';
import type { AccountOutline, AccountSummary, Entity, EntityType } from './schema/entities.ts';
import { isSection } from './schema/fields.ts';
import { GRANT, type Section } from './schema/grants.ts';
import { grantOf, purposesOf, scopeKeys } from './schema/match.ts';

function understood<T extends EntityType>(type: T, found: Iterable<Entry<Section>>): Entry<T>[] {
  const entries: Entry<T>[] = [];
  for (const entry of found)
    if (entry.section === type && entry.isUnderstood) entries.push(entry as Entry<T>);
  return entries;
}

function isFilled(value: unknown): boolean {
  return typeof value === 'object' ? Object.keys(value ?? {}).length > 0 : true;
}

/** Returns the key if it is free, else the key with the first free number appended, assuming that numbers are assigned in order. */
export function freeKey(key: string, isTaken: (key: string) => boolean): string {
  if (!isTaken(key)) return key;
  // Exponential, then binary search: thousands of entities may share a key.
  let free = 2;
  while (isTaken(`${key}-${free}`)) free *= 2;
  let taken = free === 2 ? 1 : free / 2;
  while (free - taken > 1) {
    const middle = Math.floor((free + taken) / 2);
    if (isTaken(`${key}-${middle}`)) taken = middle;
    else free = middle;
  }
  return `${key}-${free}`;
}

/** Counter behind `Store.version`, shared by all stores of this process. */
let states = 0;

type Root = Map<string, Entry<Section>>;

/** What is restored if a transaction is undone. */
interface Transaction {
  /** The number of changes before it. */
  readonly mark: number;
  readonly dialect: Dialect | null;
  readonly layout: Layout | undefined;
}

/**
 * [Note: deferred accounts] An account whose entries are read on demand. Its entries are grants, whose keys are listed, or of
 * the types below, with keys that begin with the account's id and a hyphen, so that a store knows which account to read when it
 * is asked for a key. Other entries are put into the store at once.
 */
export interface DeferredAccount {
  /** Lower-cased. */
  readonly account: string;
  /** The number of its entries. */
  readonly size: number;
  /** The number of those that are not understood. */
  readonly notUnderstood: number;
  /** The keys of its grants. */
  readonly grants: readonly string[];
  /** Its users, as `accounts()` returns them. */
  readonly users: readonly AccountSummary[];
  /** A summary of its tokens for lists; null if a list has to read the account. */
  readonly outline: AccountOutline | null;
  /** Reads the entries. Throws if they can't be read; nothing is changed then. */
  read(): readonly Entry[];
}

const DEFERRABLE: ReadonlySet<string> = new Set<EntityType>([
  'AccessToken',
  'RefreshToken',
  'IdToken',
  'Account',
]);

/** Whether entries of an account can be deferred. [Note: deferred accounts] */
export function isDeferrable(account: string, entries: readonly Entry[]): boolean {
  const start = `${account}-`;
  return entries.every(
    (entry) =>
      entry.account === account &&
      (entry.section === GRANT || (DEFERRABLE.has(entry.section) && folded(entry.key).startsWith(start))),
  );
}

/** The dialect of a cache that was not read from a document. */
const DEFAULT_DIALECT: Dialect = 'msal-python';

/** The dialect in which new entities are written. */
export function dialectOf(store: Store): Dialect {
  return store.dialect ?? DEFAULT_DIALECT;
}

export class Store {
  /** Items by key, or the single entry of an unrecognized root. */
  readonly #roots = new Map<string, Root | Entry>();
  readonly #index = new AccountIndex();
  readonly #malformed = new Set<Entry<Section>>();
  readonly #deferred = new Map<string, DeferredAccount>();
  /** By account and place: what deferred accounts have been given since. See `putLater`. */
  readonly #later = new Map<string, Map<string, Entry>>();
  /** The deferred accounts by the keys of their grants. */
  readonly #grantOwners = new Map<string, string>();
  /** The lengths of the ids of accounts that were deferred. */
  readonly #idLengths = new Set<number>();
  #journal: Change[] = [];
  #depth = 0;

  now: Clock;
  /** A number that changes with the contents and is unique among all stores of this process. */
  version = ++states;
  /** The dialect of the document; null if there is no document or the dialect is unknown. */
  dialect: Dialect | null = null;
  /** The layout of the document; undefined for that of the dialect. */
  layout: Layout | undefined;
  /** Called after each outermost `run` that changed something. */
  onChange: ((changes: readonly Change[]) => void) | undefined;
  /**
   * Whether the cache is given to functions by a handle that stores it. Such a cache takes changes only while a function of the handle runs:
   * a later change would be in memory and nowhere else.
   */
  isLent = false;
  /** Whether `replace` must record its changes. */
  isObserved = false;
  /** The number of entries that `putLater` was given and that turned out to be new when their account was read. */
  grown = 0;

  constructor(now: Clock) {
    this.now = now;
  }

  /** The names of the roots, in their order. */
  get roots(): Iterable<string> {
    this.#readAll();
    return this.#roots.keys();
  }

  /** Returns the entry of an unrecognized root; undefined if there is none. */
  kept(section: string): Entry | undefined {
    const root = this.#roots.get(section);
    return root instanceof Map ? undefined : root;
  }

  /** Returns the unrecognized roots, in document order. */
  keptRoots(): Entry[] {
    return [...this.#roots.values()].flatMap((root) => (root instanceof Map ? [] : [root]));
  }

  /** Returns all entries: roots in document order, entities in the order in which they were stored. */
  all(): Entry[] {
    this.#readAll();
    const entries: Entry[] = [];
    for (const root of this.#roots.values()) {
      if (root instanceof Map) for (const entry of root.values()) entries.push(entry);
      else entries.push(root);
    }
    return entries;
  }

  /** Returns all entries of a type, recognized or not. */
  entries<T extends Section>(section: T): Iterable<Entry<T>> {
    if (DEFERRABLE.has(section)) this.#readAll();
    if (section === GRANT) this.#readGrants();
    return this.entriesInMemory(section);
  }

  /** Returns the entries of a type without those of deferred accounts. */
  entriesInMemory<T extends Section>(section: T): Iterable<Entry<T>> {
    const root = this.#roots.get(section);
    return (root instanceof Map ? root.values() : []) as Iterable<Entry<T>>;
  }

  entry<T extends Section>(section: T, key: string): Entry<T> | undefined {
    this.#readOwners({ section, key });
    const root = this.#roots.get(section);
    return (root instanceof Map ? root.get(key) : undefined) as Entry<T> | undefined;
  }

  /** The unrecognized entries of entity roots. */
  get malformed(): ReadonlySet<Entry<Section>> {
    this.#readAll();
    return this.#malformed;
  }

  /** The number of unrecognized entries of entity roots. */
  get notUnderstood(): number {
    this.readChanged();
    let count = this.#malformed.size;
    for (const deferred of this.#deferred.values()) count += deferred.notUnderstood;
    return count;
  }

  /** The unrecognized entries in memory: those of deferred accounts name their account and belong to no other. */
  get malformedInMemory(): ReadonlySet<Entry<Section>> {
    return this.#malformed;
  }

  /** The number of entries. An unrecognized root counts as one. */
  get size(): number {
    this.readChanged();
    let size = 0;
    for (const deferred of this.#deferred.values()) size += deferred.size;
    for (const root of this.#roots.values()) size += root instanceof Map ? root.size : 1;
    return size;
  }

  /** The accounts that have entries, lower-cased. */
  get accounts(): string[] {
    return this.#index.accounts;
  }

  /** Returns all entries of an account, recognized or not. "" selects entries without an account, except unrecognized roots. */
  ofAccount(home_account_id: string): Entry<Section>[] {
    this.#read(folded(home_account_id));
    return [...(this.#index.of(home_account_id)?.entries ?? [])];
  }

  /**
   * Returns recognized entries that may match the query: a superset of the matches, found by index if the query allows.
   *
   * @param scopes limits access tokens to those with at least one of these scopes
   */
  candidates<T extends EntityType>(
    type: T,
    query: Readonly<Record<string, string | null>> = {},
    scopes?: string | readonly string[],
  ): Entry<T>[] {
    const account = type === 'AppMetadata' ? null : query['home_account_id'];
    if (account !== undefined) this.#read(folded(account));
    const found: Iterable<Entry<Section>> =
      account === undefined
        ? this.entries(type)
        : (this.#index.of(account)?.under(() => namesFor(type, query, scopes)) ?? []);
    return understood(type, found);
  }

  /** Returns recognized entries that may denote the same credential as the entity: a superset, found by index. */
  like<T extends EntityType>(type: T, entity: Entity): Entry<T>[] {
    this.#read(folded(entity['home_account_id']));
    return understood(
      type,
      this.#index.of(entity['home_account_id'])?.under(() => namesLike(type, entity)) ?? [],
    );
  }

  /** Adds an account whose entries are read on demand and stay in memory from then on. */
  defer(deferred: DeferredAccount): void {
    this.version = ++states;
    this.#deferred.set(deferred.account, deferred);
    this.#idLengths.add(deferred.account.length);
    for (const key of deferred.grants) this.#grantOwners.set(key, deferred.account);
    this.#index.reserve(deferred.account);
  }

  /** The accounts whose entries have not been read yet, and are what was deferred. */
  get deferred(): ReadonlyMap<string, DeferredAccount> {
    this.readChanged();
    return this.#deferred;
  }

  /** Returns an account whose entries have not been read yet, and are what was deferred; undefined if it is any other. */
  unread(account: string): DeferredAccount | undefined {
    if (this.#later.has(account)) this.#read(account);
    return this.#deferred.get(account);
  }

  /** Reads a deferred account. This is not a change: the contents stay the same. */
  #read(account: string): void {
    if (this.#deferred.size === 0) return;
    const deferred = this.#deferred.get(account);
    if (deferred === undefined) return;
    const entries = deferred.read();
    this.#deferred.delete(account);
    for (const key of deferred.grants) this.#grantOwners.delete(key);
    for (const entry of entries) this.#file(entry);
    for (const entry of this.#later.get(account)?.values() ?? [])
      if (this.#file(entry) === undefined) this.grown += 1;
    this.#later.delete(account);
    this.#index.release(account);
  }

  /** Reads the deferred accounts that have been given entries. Throws if one can't be read. */
  readChanged(): void {
    for (const account of [...this.#later.keys()]) this.#read(account);
  }

  /** Reads the deferred accounts that may have an entry at this place. */
  #readOwners(place: Place): void {
    if (this.#deferred.size > 0) for (const account of this.#owners(place)) this.#read(account);
  }

  #owners({ section, key }: Place): string[] {
    if (key === null) return [];
    if (section === GRANT) return [this.#grantOwners.get(key) ?? ''];
    // A key has about twenty hyphens, and the ids of a cache have one or two lengths.
    const name = folded(key);
    const lengths = [...this.#idLengths].filter((length) => name[length] === '-');
    return lengths.map((length) => name.slice(0, length)).filter((account) => this.#deferred.has(account));
  }

  #readAll(): void {
    if (this.#deferred.size === 0) return;
    for (const account of [...this.#deferred.keys()]) this.#read(account);
    this.#order();
  }

  #readGrants(): void {
    if (this.#grantOwners.size === 0) return;
    for (const account of new Set(this.#grantOwners.values())) this.#read(account);
    this.#order();
  }

  #order(): void {
    // The order of entries must not depend on which accounts were asked for first.
    const kept = this.keptRoots();
    const empty = [...this.#roots.keys()].filter((section) => isSection(section));
    this.#roots.clear();
    for (const entry of this.#index.all()) this.#root(entry.section).set(entry.key, entry);
    for (const root of kept) this.#roots.set(root.section, root);
    for (const section of empty) this.#root(section);
  }

  /** Returns the root of entities with this name; creates it if it is missing. */
  #root(section: Section): Root {
    const root = this.#roots.get(section);
    if (root instanceof Map) return root;
    const fresh: Root = new Map<string, Entry<Section>>();
    this.#roots.set(section, fresh);
    return fresh;
  }

  /** Stores an entry. An unrecognized root that occupies the place of an entity root is renamed. */
  put(entry: Entry): void {
    if (entry.key === null && isSection(entry.section)) this.#readAll();
    const root = this.#roots.get(entry.section);
    if (entry.key === null && root instanceof Map && root.size > 0) {
      this.#putBeside(entry);
      return;
    }
    if (entry.key !== null && root !== undefined && !(root instanceof Map)) {
      this.drop(root);
      this.#putBeside(root);
    }
    this.#readOwners(entry);
    this.#read(entry.account);
    this.version = ++states;
    const before = this.#file(entry);
    if (this.#depth > 0)
      this.#journal.push(before === undefined ? { after: entry } : { before, after: entry });
  }

  /**
   * Stores an entry of a deferred account when the account is read, so that it need not be read now. The change is not recorded.
   *
   * @returns whether it does so; otherwise nothing has changed
   */
  putLater(entry: Entry): boolean {
    const { account, section } = entry;
    if (this.isObserved || section === GRANT || !this.#deferred.has(account)) return false;
    if (!isDeferrable(account, [entry]) || this.#owners(entry).length > 1) return false;
    const root = this.#roots.get(section);
    if (root instanceof Map && root.has(entry.key ?? '')) return false; // An entry of another account.
    this.version = ++states;
    const entries = this.#later.get(account) ?? new Map<string, Entry>();
    this.#later.set(account, entries.set(nameOf(entry), entry));
    return true;
  }

  /** Stores a whole root under a free name. */
  #putBeside({ section, value }: Entry): void {
    const name = freeKey(section, (other) => other === section || this.#roots.has(other));
    if (isFilled(value)) this.put(Entry.of(name, null, value));
  }

  drop(place: Place): void {
    const before = this.#unset(place);
    if (before !== undefined && this.#depth > 0) this.#journal.push({ before });
  }

  /** Creates an empty entity root. */
  open(section: Section): void {
    if (!this.#roots.has(section)) this.#root(section);
  }

  /**
   * Clears the store and fills it again. Changes are recorded only if the store is observed, since for a large document that
   * would cost more than reading it. `fill` must not throw.
   */
  replace(fill: () => void): void {
    if (this.#depth > 0 || this.isObserved) this.transact(() => this.#clear(fill));
    else this.#clear(fill);
  }

  #clear(fill: () => void): void {
    if (this.#depth > 0) for (const before of this.all()) this.#journal.push({ before });
    this.version = ++states;
    this.#roots.clear();
    this.#index.clear();
    this.#malformed.clear();
    this.#deferred.clear();
    this.#later.clear();
    this.#grantOwners.clear();
    this.#idLengths.clear();
    fill();
  }

  /**
   * Like `transact`, for callers that may have kept the cache of a handle.
   *
   * @throws InvalidArgumentError if no function of the handle is running
   */
  run<T>(fn: () => T): { value: T; changes: Change[] } {
    this.assertOpen();
    return this.transact(fn);
  }

  /** @throws InvalidArgumentError if the cache is lent and no function of the handle is running */
  assertOpen(): void {
    if (this.isLent && this.#depth === 0)
      throw new InvalidArgumentError(
        'The function that was given this cache has ended, so the change would not be stored. Nothing was changed. Call `update` again.',
      );
  }

  /**
   * Runs a transaction: if `fn` throws, all its changes are undone. Calls `onChange` once at the end of
   * the outermost run.
   */
  transact<T>(fn: () => T): { value: T; changes: Change[] } {
    const turn = this.#begin();
    let value: T;
    try {
      value = fn();
    } catch (error) {
      this.#undo(turn);
      throw error;
    }
    return { value, changes: this.#end(turn) };
  }

  /**
   * Does what `transact` does, for work of many turns. During the pauses, the store takes no changes from anybody else; its contents can be
   * read. Must not be nested.
   */
  async transactInTurns<T>(
    fn: (pause: () => Promise<void>) => Promise<T>,
    pause: () => Promise<void>,
  ): Promise<{ value: T; changes: Change[] }> {
    const turn = this.#begin();
    try {
      const value = await fn(async () => {
        this.#depth -= 1;
        try {
          await pause();
        } finally {
          this.#depth += 1;
        }
      });
      return { value, changes: this.#end(turn) };
    } catch (error) {
      this.#undo(turn);
      throw error;
    }
  }

  #begin(): Transaction {
    const { dialect, layout } = this;
    this.#depth += 1;
    return { mark: this.#journal.length, dialect, layout };
  }

  #undo({ mark, dialect, layout }: Transaction): void {
    this.#depth -= 1;
    for (const change of this.#journal.splice(mark).reverse()) {
      this.version = ++states;
      if (change.before === undefined) this.#unset(placeOf(change));
      else this.#file(change.before);
    }
    this.dialect = dialect;
    this.layout = layout;
  }

  #end({ mark }: Transaction): Change[] {
    this.#depth -= 1;
    const changes = condensed(mark === 0 ? this.#journal : this.#journal.slice(mark));
    if (this.#depth === 0) {
      this.#journal = [];
      if (changes.length > 0) this.onChange?.(changes);
    }
    return changes;
  }

  /** @returns the previous entry */
  #file(entry: Entry): Entry | undefined {
    if (entry.key === null) {
      const root = this.#roots.get(entry.section);
      this.#roots.set(entry.section, entry);
      return root instanceof Map ? undefined : root;
    }
    const item = entry as Entry<Section>; // Roots with other names have no items.
    const items = this.#root(item.section);
    const before = items.get(item.key);
    if (before === undefined) this.#index.add(item);
    else {
      this.#index.replace(before, item);
      this.#malformed.delete(before);
    }
    if (!item.isUnderstood) this.#malformed.add(item);
    items.set(item.key, item);
    return before;
  }

  /** @returns the previous entry */
  #unset(place: Place): Entry | undefined {
    this.#readOwners(place);
    const { section, key } = place;
    const root = this.#roots.get(section);
    if (root === undefined || (key === null) === root instanceof Map) return undefined;
    if (!(root instanceof Map)) {
      this.version = ++states;
      this.#roots.delete(section);
      return root;
    }
    const entry = root.get(key ?? '');
    if (entry === undefined) return undefined;
    this.version = ++states;
    root.delete(entry.key);
    this.#index.delete(entry);
    this.#malformed.delete(entry);
    return entry;
  }
}

// Indexes the entries by account, so that the cost of a lookup depends on the size of one account, not of the cache. IDs and
// realms are compared case-insensitively, as in keys.

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
  #list: Entry<Section>[] | undefined = [];
  #places: Map<string, Entry<Section>> | undefined;
  /** Entries by type, app and realm; access tokens also by scope; and by the fields that entries for one credential share. */
  #slots: Map<string, Map<string, Entry<Section>>> | undefined;

  get entries(): Iterable<Entry<Section>> {
    return this.#list ?? this.#places?.values() ?? [];
  }

  get isEmpty(): boolean {
    return (this.#list?.length ?? this.#places?.size ?? 0) === 0;
  }

  add(entry: Entry<Section>): void {
    if (this.#list !== undefined) {
      if (this.#list.push(entry) <= SMALL) return;
      this.#places = new Map(this.#list.map((each) => [nameOf(each), each]));
      this.#list = undefined;
      return;
    }
    this.#places?.set(nameOf(entry), entry);
    if (this.#slots !== undefined) file(this.#slots, entry);
  }

  delete(entry: Entry<Section>): void {
    if (this.#list !== undefined) this.#list.splice(this.#list.indexOf(entry) >>> 0, 1);
    this.#places?.delete(nameOf(entry));
    this.#unfile(entry);
  }

  /** Replaces `before` with `entry`, at the same position. */
  replace(before: Entry<Section>, entry: Entry<Section>): void {
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

  /** Returns the entries that are filed under any of these names; if there are few entries, all of them. */
  under(names: () => readonly string[]): Iterable<Entry<Section>> {
    if (this.#places === undefined) return this.entries;
    const slots = (this.#slots ??= filed(this.#places));
    const [only = '', ...more] = names();
    if (more.length === 0) return slots.get(only)?.values() ?? [];
    const found = new Map<string, Entry<Section>>();
    for (const name of [only, ...more])
      for (const [place, entry] of slots.get(name) ?? []) found.set(place, entry);
    return found.values();
  }

  #unfile(entry: Entry<Section>): void {
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

function slotsOf({ section, entity }: Entry<Section>): string[] {
  if (entity === null) return [];
  const name = slot(section, entity['client_id'], entity['realm']);
  const found = [section, name];
  if (section === 'AccessToken')
    for (const scope of scopeKeys(grantOf(entity))) found.push(scoped(name, scope));
  found.push(...usersOf(purposeName(section, name, entity), section, entity));
  if (section === 'RefreshToken') found.push(...usersOf(`${name}\n*`, section, entity));
  return found;
}

/** Returns the names under which all entries that may match the query are filed. */
function namesFor(
  type: EntityType,
  { client_id, realm }: Readonly<Record<string, string | null>>,
  scopes: string | readonly string[] | undefined,
): string[] {
  if (client_id === undefined || (realm === undefined && BY_REALM.has(type))) return [type];
  const name = slot(type, client_id, realm);
  if (scopes === undefined || type !== 'AccessToken') return [name];
  return scopeKeys(scopes).map((scope) => scoped(name, scope));
}

/** Returns the names under which all entries that may denote the same credential are filed. */
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
  const host = cloudOf(entity['environment']);
  const issuer = type === 'AppMetadata' ? '' : issuerIn(entity);
  if (issuer === '') return [`${name}\nhost ${host}`, `${name}\nunnamed ${host}`];
  return [`${name}\nhost ${host}`, `${name}\nissuer ${canonicalIssuer(issuer)}`];
}

function usersLike(name: string, type: Section, entity: Entity): string[] {
  const host = cloudOf(entity['environment']);
  const issuer = type === 'AppMetadata' ? '' : issuerIn(entity);
  if (issuer === '') return [`${name}\nhost ${host}`];
  return [`${name}\nunnamed ${host}`, `${name}\nissuer ${canonicalIssuer(issuer)}`];
}

function filed(places: ReadonlyMap<string, Entry<Section>>): Map<string, Map<string, Entry<Section>>> {
  const slots = new Map<string, Map<string, Entry<Section>>>();
  for (const entry of places.values()) file(slots, entry);
  return slots;
}

function file(slots: Map<string, Map<string, Entry<Section>>>, entry: Entry<Section>): void {
  for (const name of slotsOf(entry)) {
    const entries = slots.get(name);
    if (entries === undefined) slots.set(name, new Map([[nameOf(entry), entry]]));
    else entries.set(nameOf(entry), entry);
  }
}

/** Finds the entries of an account. The cost depends on the size of the account, not of the cache. */
class AccountIndex {
  /** Entries by account; "" holds tokens and metadata of apps. null reserves the position of an account without entries. */
  readonly #buckets = new Map<string, Bucket | null>();

  add(entry: Entry<Section>): void {
    const bucket = this.#buckets.get(entry.account) ?? new Bucket();
    this.#buckets.set(entry.account, bucket);
    bucket.add(entry);
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
  *all(): Iterable<Entry<Section>> {
    for (const bucket of this.#buckets.values()) if (bucket !== null) yield* bucket.entries;
  }

  delete(entry: Entry<Section>): void {
    const bucket = this.#buckets.get(entry.account);
    bucket?.delete(entry);
    if (bucket?.isEmpty === true) this.#buckets.delete(entry.account);
  }

  replace(before: Entry<Section>, entry: Entry<Section>): void {
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

  /** Returns the entries of an account, including unrecognized ones; null if it has none. */
  of(home_account_id: unknown): Bucket | null {
    return this.#buckets.get(folded(home_account_id)) ?? null;
  }
}
