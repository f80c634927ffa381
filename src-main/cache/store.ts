/**
 * The entities of a cache with everything that stands beside them in its document: roots in their order, keys as
 * they were written, and what is not understood. Every change is noted, so that it can be told and taken back.
 */
import { AccountIndex } from './account-index.ts';
import type { Clock } from './clock.ts';
import { ENTITY_TYPES, type EntityType } from './schema/entities.ts';
import { Entry, type Unread } from './entry.ts';
import type { Layout, Profile } from './schema/dialects.ts';
import { atOneGo, type Sliced } from './sliced.ts';

export type { Entry } from './entry.ts';

/** One place of a document set or emptied. `key` null: a root that is not understood, as a whole. */
export interface RecordChange {
  readonly section: string;
  readonly key: string | null;
  /** Absent where there was nothing. */
  readonly before?: unknown;
  /** Absent where nothing is left. */
  readonly after?: unknown;
}

const TYPES: ReadonlySet<string> = new Set(ENTITY_TYPES);

export function isEntityType(section: string): section is EntityType {
  return TYPES.has(section);
}

function isOf<T extends EntityType>(type: T, entry: Entry): entry is Entry<T> {
  return entry.section === type;
}

function isFilled(value: unknown): boolean {
  return typeof value === 'object' ? Object.keys(value ?? {}).length > 0 : true;
}

/** The key, or the key with the first number after it that is free. */
export function freeKey(key: string, isTaken: (key: string) => boolean): string {
  if (!isTaken(key)) return key;
  let number = 2;
  while (isTaken(`${key}-${number}`)) number += 1;
  return `${key}-${number}`;
}

/** A root that is not understood. */
class Kept {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

/** Counts the states that all stores of this process have been in. */
let states = 0;

export class Store {
  readonly #roots = new Map<string, Map<string, Entry> | Kept>();
  readonly #index = new AccountIndex();
  readonly #malformed = new Set<Entry>();
  #journal: RecordChange[] = [];
  #depth = 0;

  readonly now: Clock;
  /** Another number whenever something changes, which no other store has had: the same number, the same contents. */
  version = ++states;
  /** null: in memory from the beginning, or nothing in the document told. */
  profile: Profile | null = null;
  /** undefined: as the profile has it. */
  layout: Layout | undefined;
  /** Told of every change, once all that belongs to it is done. */
  onChange: ((changes: readonly RecordChange[]) => void) | undefined;
  /** Whether someone wants to hear what exactly has changed when all of it is replaced. */
  isObserved = false;

  constructor(now: Clock) {
    this.now = now;
  }

  /** The names of the roots, in their order. */
  get roots(): Iterable<string> {
    return this.#roots.keys();
  }

  /** The value of a root that is not understood; undefined where there is none. */
  kept(section: string): unknown {
    const root = this.#roots.get(section);
    return root instanceof Kept ? root.value : undefined;
  }

  /** All entries of a root, understood or not. */
  entries(section: EntityType): Iterable<Entry> {
    const root = this.#roots.get(section);
    return root instanceof Map ? root.values() : [];
  }

  entry(section: EntityType, key: string): Entry | undefined {
    const root = this.#roots.get(section);
    return root instanceof Map ? root.get(key) : undefined;
  }

  /** The entries that are not understood. */
  get malformed(): ReadonlySet<Entry> {
    return this.#malformed;
  }

  /** How many entries there are, and roots that are not understood. */
  get size(): number {
    let size = 0;
    for (const root of this.#roots.values()) size += root instanceof Map ? root.size : 1;
    return size;
  }

  /** The accounts that have entries, lower-cased. */
  get homes(): Iterable<string> {
    return this.#index.homes();
  }

  /** All entries of an account, whatever their type, understood or not; of "" those that belong to none. */
  ofAccount(home_account_id: string): Entry[] {
    return [...this.#index.of(home_account_id)];
  }

  /** The understood entries of a type that may match the query: a superset, found by index where the query allows. */
  candidates<T extends EntityType>(type: T, query: Readonly<Record<string, string | null>> = {}): Entry<T>[] {
    const home = type === 'AppMetadata' ? null : query['home_account_id'];
    const found =
      home === undefined
        ? this.entries(type)
        : this.#index.candidates(type, home, query['client_id'], query['realm']);
    const entries: Entry<T>[] = [];
    for (const entry of found) if (isOf(type, entry) && entry.isUnderstood) entries.push(entry);
    return entries;
  }

  /** Puts a frozen value in its place. */
  put(section: string, key: string | null, value: unknown): void {
    const kept = key === null ? undefined : this.kept(section);
    if (kept !== undefined) {
      // Where entities belong there was something else: it makes room, and goes on beside them.
      this.drop(section, null);
      if (isFilled(kept))
        this.put(
          freeKey(section, (name) => name === section || this.#roots.has(name)),
          null,
          kept,
        );
    }
    const before = this.#set(section, key, value);
    this.#note(section, key, before, value);
  }

  /** Files what need not be read yet. Only to fill a store: it is noted nowhere. */
  load(record: Unread): void {
    this.version = ++states;
    this.#place(Entry.unread(record));
  }

  drop(section: string, key: string | null): void {
    const root = this.#roots.get(section);
    if (key === null) {
      if (!(root instanceof Kept)) return;
      this.#roots.delete(section);
      this.version = ++states;
      this.#note(section, null, root.value, undefined);
      return;
    }
    const entry = root instanceof Map ? root.get(key) : undefined;
    if (entry === undefined || !(root instanceof Map)) return;
    root.delete(key);
    this.#unfile(entry);
    this.version = ++states;
    this.#note(section, key, entry.value, undefined);
  }

  /** Notes that a root is there, though empty. */
  open(section: EntityType): void {
    if (!this.#roots.has(section)) this.#roots.set(section, new Map());
  }

  /**
   * Empties the store and fills it again. Where nobody asks what has changed, it is not noted: of a large document that
   * would cost more than reading it. `fill` must not throw.
   */
  replace(fill: () => void): void {
    if (this.#depth > 0 || this.isObserved) this.run(() => this.#clear(fill));
    else this.#clear(fill);
  }

  #clear(fill: () => void): void {
    for (const [section, root] of this.#depth > 0 ? this.#roots : []) {
      if (root instanceof Kept) this.#note(section, null, root.value, undefined);
      else for (const [key, entry] of root) this.#note(section, key, entry.value, undefined);
    }
    this.version = ++states;
    this.#roots.clear();
    this.#index.clear();
    this.#malformed.clear();
    fill();
  }

  /**
   * Runs what belongs together: all of it happens, or, where it throws, nothing. One notice at the end of the
   * outermost.
   */
  run<T>(fn: () => T): { value: T; changes: RecordChange[] } {
    return atOneGo(
      this.runInSlices(function* () {
        return fn();
      }),
    );
  }

  /** `run` with pauses. */
  *runInSlices<T>(fn: () => Sliced<T>): Sliced<{ value: T; changes: RecordChange[] }> {
    const mark = this.#journal.length;
    const { profile, layout } = this;
    this.#depth += 1;
    let value: T;
    try {
      value = yield* fn();
    } catch (error) {
      for (const change of this.#journal.slice(mark).reverse()) this.#revert(change);
      this.#journal.length = mark;
      this.#depth -= 1;
      this.profile = profile;
      this.layout = layout;
      throw error;
    }
    const changes = yield* merged(this.#journal.slice(mark));
    this.#depth -= 1;
    if (this.#depth === 0) {
      this.#journal = [];
      if (changes.length > 0) this.onChange?.(changes);
    }
    return { value, changes };
  }

  #set(section: string, key: string | null, value: unknown): unknown {
    this.version = ++states;
    const root = this.#roots.get(section);
    if (key === null || !isEntityType(section)) {
      this.#roots.set(section, new Kept(value));
      return root instanceof Kept ? root.value : undefined;
    }
    return this.#place(Entry.of(section, key, value))?.value;
  }

  /** @returns what stood there */
  #place(entry: Entry): Entry | undefined {
    const root = this.#roots.get(entry.section);
    const entries = root instanceof Map ? root : new Map<string, Entry>();
    if (entries !== root) this.#roots.set(entry.section, entries);
    const before = entries.get(entry.key);
    if (before === undefined) this.#index.add(entry);
    else {
      this.#index.replace(before, entry);
      this.#malformed.delete(before);
    }
    if (!entry.isUnderstood) this.#malformed.add(entry);
    entries.set(entry.key, entry);
    return before;
  }

  #unfile(entry: Entry): void {
    this.#index.delete(entry);
    this.#malformed.delete(entry);
  }

  #note(section: string, key: string | null, before: unknown, after: unknown): void {
    if (this.#depth === 0) return;
    this.#journal.push(change(section, key, before, after));
  }

  #revert({ section, key, before }: RecordChange): void {
    this.version = ++states;
    if (before !== undefined) this.#set(section, key, before);
    else if (key === null) this.#roots.delete(section);
    else {
      const root = this.#roots.get(section);
      const entry = root instanceof Map ? root.get(key) : undefined;
      if (entry === undefined || !(root instanceof Map)) return;
      root.delete(key);
      this.#unfile(entry);
    }
  }
}

function change(section: string, key: string | null, before: unknown, after: unknown): RecordChange {
  return {
    section,
    key,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}

/** One change per place, from what was first to what is last; places that end as they began are left out. */
function* merged(changes: readonly RecordChange[]): Sliced<RecordChange[]> {
  const places = new Map<string, RecordChange>();
  for (const next of changes) {
    yield;
    const place = next.key === null ? next.section : `${next.section}\n${next.key}`;
    const first = places.get(place);
    places.set(place, first === undefined ? next : change(next.section, next.key, first.before, next.after));
  }
  return [...places.values()].filter(({ before, after }) => before !== after);
}
