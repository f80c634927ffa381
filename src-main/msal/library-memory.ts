/** The memory of one MSAL application: what was loaded, what MSAL changed since, and the live store behind it. */
import {
  type LibraryChange,
  type LibraryView,
  entriesByAccount,
  takeFromLibrary,
  userOf,
  viewOf,
} from '../cache/document/library-view.ts';
import { isRecord } from '../cache/json.ts';
import type { Entry } from '../cache/entry.ts';
import type { Dialect } from '../cache/schema/dialects.ts';
import { ENTITY_TYPES, type Entity, type EntityType } from '../cache/schema/entities.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { EnvironmentNames } from './environment-names.ts';
import {
  dialectOf,
  liveCache,
  type LiveEntity,
  type LiveTokenCache,
  type SerializableTokenCache,
  type Storage,
  storageOf,
} from './library.ts';

/**
 * Tokenkeep's own entry in MSAL's live store. It is not an entity, so MSAL removes it only when it empties its memory; see
 * [Note: MSAL empties its memory].
 */
const SENTINEL = 'kept-by-tokenkeep';

/** MSAL's live store, and the ways in and out of it. */
class LiveStore {
  readonly #library: LiveTokenCache;
  readonly #storage: Storage;
  #isOwnChange = false;
  #names: EnvironmentNames | undefined;
  /** Called after MSAL has changed its memory; never for a change of ours. */
  onChange: (() => void) | undefined;
  /** Whether MSAL may have changed its memory since this was set to false. */
  isTouched = true;

  constructor(cache: SerializableTokenCache, storage: Storage) {
    this.#library = liveCache(cache);
    this.#storage = storage;
    storage.registerChangeEmitter?.(() => {
      this.#names = undefined;
      if (this.#isOwnChange) return;
      this.isTouched = true;
      this.onChange?.();
    });
  }

  get entries(): Record<string, LiveEntity> {
    return this.#library.getKVStore();
  }

  /** The names that MSAL uses for the environments now. */
  get names(): EnvironmentNames {
    const names = this.#names ?? new EnvironmentNames(this.entries, this.#storage.staticAuthorityOptions);
    if (this.reportsChanges) this.#names = names; // Without it, MSAL reports no changes.
    return names;
  }

  /** Restores the memory if MSAL has emptied it. Keeps what MSAL has written since. */
  refill(held: () => Iterable<readonly [key: string, live: LiveEntity]>): void {
    const { entries } = this;
    if (entries[SENTINEL] !== undefined) return;
    entries[SENTINEL] = {};
    for (const [key, live] of held()) entries[key] ??= live;
  }

  /** Whether MSAL reports its changes. If not, its whole memory is compared each time. */
  get reportsChanges(): boolean {
    return this.#storage.registerChangeEmitter !== undefined;
  }

  /** Adds entities in MSAL's schema. */
  add(document: Readonly<Record<string, unknown>>): void {
    this.#quietly(() => {
      this.#library.deserialize(JSON.stringify(document));
      this.#dropSnapshot();
    });
  }

  /** Returns the entities under these keys, as MSAL writes them. */
  written(keys: ReadonlySet<string>): { type: EntityType; key: string; entity: Entity }[] {
    const document: unknown = JSON.parse(this.#quietly(() => this.#textOf(keys)));
    const found: { type: EntityType; key: string; entity: Entity }[] = [];
    for (const type of ENTITY_TYPES) {
      const section = isRecord(document) ? document[type] : undefined;
      for (const [key, entity] of isRecord(section) ? Object.entries(section) : [])
        if (keys.has(key) && isRecord(entity)) found.push({ type, key, entity });
    }
    return found;
  }

  #quietly<T>(fn: () => T): T {
    this.#isOwnChange = true;
    try {
      return fn();
    } finally {
      this.#isOwnChange = false;
    }
  }

  /** MSAL serializes everything it has. Where possible, it is given no more than these entities to serialize. */
  #textOf(keys: ReadonlySet<string>): string {
    this.#dropSnapshot();
    const { entries } = this;
    this.#storage.setCache?.(Object.fromEntries(Object.entries(entries).filter(([key]) => keys.has(key))));
    try {
      return this.#library.serialize();
    } finally {
      this.#storage.setCache?.(entries);
    }
  }

  /**
   * MSAL keeps the last text it was given. When it serializes, it copies into an entity those fields of that text that the entity lacks,
   * so a token without `refresh_on` would inherit the one of its predecessor. An empty text replaces the old one and changes nothing.
   */
  #dropSnapshot(): void {
    this.#library.deserialize('');
  }
}

/** Whether the value is an entity. MSAL's internal entries (authority metadata, telemetry, throttling) have no environment. */
function isEntity(live: LiveEntity | undefined): boolean {
  return typeof live?.['environment'] === 'string';
}

/** The entries of one account, or of all apps, that MSAL's memory was updated with. */
interface Loaded {
  /** The cache entries. Entries are replaced, never changed, so identical objects mean identical contents. */
  entries: readonly Entry[];
  view: LibraryView;
  keys: Set<string>;
  users: Set<string>;
}

/** An entity in MSAL's memory that matches the cache. */
interface Held {
  type: EntityType;
  live: LiveEntity;
}

/** A change by MSAL that is not saved yet. */
interface Unsaved extends LibraryChange {
  live: LiveEntity | undefined;
}

/** Changes of the cache that the memory of MSAL lacks. */
export interface MissingChanges {
  version: number;
  names: EnvironmentNames;
  /** Owners that have changed; undefined if the owner has no entries left. */
  owners: ReadonlyMap<string, { entries: readonly Entry[]; view: LibraryView } | undefined>;
}

/**
 * Keeps the memory of one MSAL application in sync with the cache: cache changes are applied account by account, MSAL's changes entity by
 * entity. Both are detected by object identity, since objects are replaced and never changed, so detection needs no serialization.
 */
export class LibraryMemory {
  readonly #live: LiveStore;
  readonly #dialect: Dialect;
  /** The cache version that MSAL's memory reflects; undefined if the cache must be read again. */
  #version: number | undefined;
  /** The environment names used in the last update of MSAL's memory. */
  #names: EnvironmentNames | undefined;
  readonly #loaded = new Map<string, Loaded>();
  readonly #held = new Map<string, Held>();
  readonly #unsaved = new Map<string, Unsaved>();

  constructor(library: SerializableTokenCache) {
    const storage = storageOf(library);
    this.#live = new LiveStore(library, storage);
    this.#dialect = dialectOf(storage);
  }

  /** Registers a listener that is called synchronously after each change by MSAL. */
  onChange(listener: () => void): void {
    this.#live.onChange = listener;
  }

  /** Returns the cache changes that MSAL's memory lacks; undefined if there are none. Does not change anything. */
  missingFrom(cache: TokenCache): MissingChanges | undefined {
    const { names } = this.#live;
    const isRenamed = this.#names?.isConfirmedBy(names) === false;
    if (cache.version === this.#version && !isRenamed) return undefined;
    const owners = new Map<string, { entries: readonly Entry[]; view: LibraryView } | undefined>();
    const records = entriesByAccount(cache);
    const { now } = storeOf(cache);
    for (const [owner, list] of records) {
      if (!isRenamed && isSame(list, this.#loaded.get(owner)?.entries)) continue;
      owners.set(owner, {
        entries: list,
        view: viewOf(list, this.#dialect, now, (name) => names.nameOf(name)),
      });
    }
    for (const owner of this.#loaded.keys()) if (!records.has(owner)) owners.set(owner, undefined);
    return { version: cache.version, names, owners };
  }

  *#all(): Iterable<[key: string, live: LiveEntity]> {
    for (const [key, { live }] of this.#unsaved) if (live !== undefined) yield [key, live];
    for (const [key, { live }] of this.#held) if (!this.#unsaved.has(key)) yield [key, live];
  }

  /** Updates MSAL's memory with the cache changes and keeps MSAL's unsaved changes. */
  load(missing: MissingChanges | undefined): void {
    this.#live.refill(() => this.#all());
    if (missing === undefined) return;
    const { version, names, owners } = missing;
    const document: Record<string, Record<string, unknown>> = {};
    const types = new Map<string, EntityType>();
    for (const [owner, { view } = { view: undefined }] of owners) {
      this.#forget(owner, view);
      for (const [type, entities] of view ?? []) {
        const section = (document[type] ??= {});
        for (const [key, entity] of entities) {
          section[key] = entity;
          types.set(key, type);
        }
      }
    }
    if (types.size > 0) this.#live.add(document);
    const { entries } = this.#live;
    for (const [key, type] of types) this.#held.set(key, { type, live: entries[key] ?? {} });
    for (const [owner, after] of owners) {
      if (after === undefined) this.#loaded.delete(owner);
      else this.#loaded.set(owner, { ...after, ...namesIn(after.view) });
    }
    this.#version = version;
    this.#names = names;
    for (const [key, { live, secret }] of this.#unsaved) {
      if (live !== undefined) entries[key] = live;
      // MSAL removed a token; a newer one under the same key stays.
      else if (entries[key] !== undefined && entries[key]['secret'] !== secret) this.#unsaved.delete(key);
      else Reflect.deleteProperty(entries, key);
    }
  }

  /** Records MSAL's changes since the last call. Call it immediately, since other requests of MSAL may change its memory. */
  note({ everything = false } = {}): void {
    this.#live.refill(() => this.#all());
    if (this.#live.reportsChanges && !this.#live.isTouched && !everything) return;
    this.#live.isTouched = false;
    const { entries } = this.#live;
    for (const [key, { live }] of this.#unsaved)
      if (live !== undefined && entries[key] === undefined) this.#unsaved.delete(key);
    for (const [key, { type, live: was }] of this.#held) {
      if (entries[key] !== undefined || this.#unsaved.has(key)) continue;
      this.#unsaved.set(key, { ...ownerOf(was), type, key, entity: null, live: undefined });
    }
    const isKnown = (key: string): boolean =>
      entries[key] === this.#held.get(key)?.live || entries[key] === this.#unsaved.get(key)?.live;
    const changed = new Set(Object.keys(entries).filter((key) => isEntity(entries[key]) && !isKnown(key)));
    if (changed.size === 0) return;
    for (const { type, key, entity } of this.#live.written(changed)) {
      const live = entries[key] ?? {};
      this.#unsaved.set(key, { ...ownerOf(live), type, key, entity, live });
    }
  }

  /** Whether there are unsaved changes, and whether they remove an account. */
  get pending(): { any: boolean; removesAccount: boolean } {
    const removesAccount = [...this.#unsaved.values()].some(
      ({ type, entity }) => type === 'Account' && entity === null,
    );
    return { any: this.#unsaved.size > 0, removesAccount };
  }

  /** Returns a function that applies MSAL's changes to the cache, and `saved`, to be called when they are durable. */
  save(): { change: (cache: TokenCache) => void; saved: () => void } {
    const batch = [...this.#unsaved.values()];
    return {
      change: (cache) => {
        const { names } = this.#live;
        takeFromLibrary(cache, batch, {
          dialect: this.#dialect,
          users: this.#users(),
          nameOf: (name) => names.nameOf(name),
          loadedFrom: (entries) => this.#viewOf(entries, names),
        });
      },
      saved: () => {
        for (const done of batch) this.#saved(done);
        this.#version = undefined; // The cache may have dropped some of the changes.
      },
    };
  }

  /** Returns the view that was loaded, if it was made of these entries and with these names. */
  #viewOf(entries: readonly Entry[], names: EnvironmentNames): LibraryView | undefined {
    const [first] = entries;
    const loaded = first && this.#loaded.get(first.account);
    if (loaded?.entries.length !== entries.length || this.#names?.isConfirmedBy(names) !== true)
      return undefined;
    const known = new Set(loaded.entries);
    return entries.every((entry) => known.has(entry)) ? loaded.view : undefined;
  }

  #saved(done: Unsaved): void {
    const { key, type, live, home_account_id } = done;
    if (this.#unsaved.get(key) === done) this.#unsaved.delete(key);
    const owner = home_account_id.toLowerCase();
    const loaded = this.#loaded.get(owner) ?? {
      entries: [],
      view: new Map(),
      keys: new Set<string>(),
      users: new Set<string>(),
    };
    if (live === undefined) this.#held.delete(key);
    else {
      this.#held.set(key, { type, live });
      loaded.keys.add(key);
    }
    this.#loaded.set(owner, { ...loaded, entries: [] });
  }

  #users(): Set<string> {
    return new Set([...this.#loaded.values()].flatMap(({ users }) => [...users]));
  }

  /** Removes entries from MSAL's memory that the owner no longer has. */
  #forget(owner: string, view: LibraryView | undefined): void {
    const { entries } = this.#live;
    for (const key of this.#loaded.get(owner)?.keys ?? []) {
      if (view !== undefined && [...view.values()].some((found) => found.has(key))) continue;
      Reflect.deleteProperty(entries, key);
      this.#held.delete(key);
    }
  }
}

function isSame(entries: readonly Entry[], loaded: readonly Entry[] | undefined): boolean {
  return loaded?.length === entries.length && entries.every((entry, index) => entry === loaded[index]);
}

function namesIn(view: LibraryView): Pick<Loaded, 'keys' | 'users'> {
  const keys = new Set([...view.values()].flatMap((entities) => [...entities.keys()]));
  const users = [...(view.get('Account')?.values() ?? [])].map(({ home_account_id, environment }) =>
    userOf({ home_account_id: String(home_account_id), environment: String(environment) }),
  );
  return { keys, users: new Set(users) };
}

function ownerOf(live: LiveEntity): Pick<LibraryChange, 'home_account_id' | 'environment' | 'secret'> {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const { homeAccountId, environment, secret } = live;
  return {
    home_account_id: text(homeAccountId),
    environment: text(environment),
    ...(typeof secret === 'string' ? { secret } : {}),
  };
}
