import { ENTITY_TYPES, type Entity, type EntityType } from '../cache/entities.ts';
import { isRecord } from '../cache/json.ts';
import { type LiveEntity, type LiveTokenCache, storageOf } from './library.ts';

/** MSAL's memory: entities by key, and beside them what MSAL keeps for itself (see isEntity). */
export type LiveEntries = Record<string, LiveEntity>;

/** An entry of ours, which is no entity: MSAL removes it only when it empties its memory. */
const SENTINEL = 'kept-by-tokenkeep';

/**
 * [Note: MSAL empties its memory] From major 3 MSAL empties its memory before each silent request, one key after the other,
 * whatever the plugin, and expects the plugin to fill it again; requests overlap, so it may happen at any time. Here all
 * entities are put aside first, in one piece, so that there is next to nothing to empty; and put back, in one piece, as soon
 * as the plugin is called, which MSAL does at once. So no other request ever finds the memory empty, and what an
 * access has written by then is not lost. `clearCache()`, after which MSAL does not call, empties it until the next access.
 *
 * For that one method of MSAL's storage (`clear`) is replaced in the instance. In an MSAL that has no such storage, the
 * entities are put back one by one.
 */
export class LiveStore {
  readonly #library: LiveTokenCache;
  readonly #storage: ReturnType<typeof storageOf>;
  #aside: LiveEntries | undefined;

  constructor(library: LiveTokenCache) {
    this.#library = library;
    const storage = storageOf(library);
    this.#storage = storage;
    if (storage === undefined) return;
    const clear = storage.clear.bind(storage);
    storage.clear = () => {
      this.#putAside();
      clear(); // What it keeps of the rest differs among the majors.
    };
  }

  get entries(): LiveEntries {
    return this.#library.getKVStore();
  }

  /**
   * Puts back what MSAL has emptied, if it has.
   *
   * @param held what was there, for where it could not be put aside
   */
  refill(held: () => Iterable<readonly [key: string, live: LiveEntity]>): void {
    const { entries } = this;
    if (entries[SENTINEL] !== undefined) return;
    if (this.#aside !== undefined) this.#storage?.setCache(Object.assign(this.#aside, entries));
    else for (const [key, live] of held()) entries[key] ??= live;
    this.#aside = undefined;
    this.entries[SENTINEL] = {};
  }

  /** Adds entities in MSAL's schema. */
  add(document: Readonly<Record<string, unknown>>): void {
    this.#library.deserialize(JSON.stringify(document));
    this.#dropSnapshot();
  }

  /** The entities under these keys, as MSAL writes them. */
  *written(keys: ReadonlySet<string>): Iterable<{ type: EntityType; key: string; entity: Entity }> {
    const document: unknown = JSON.parse(this.#textOf(keys));
    for (const type of ENTITY_TYPES) {
      const section = isRecord(document) ? document[type] : undefined;
      for (const [key, entity] of isRecord(section) ? Object.entries(section) : [])
        if (keys.has(key) && isRecord(entity)) yield { type, key, entity };
    }
  }

  /** MSAL writes all that it has, so where it can be arranged, it has no more than that. */
  #textOf(keys: ReadonlySet<string>): string {
    this.#dropSnapshot();
    const { entries } = this;
    this.#storage?.setCache(Object.fromEntries(Object.entries(entries).filter(([key]) => keys.has(key))));
    try {
      return this.#library.serialize();
    } finally {
      this.#storage?.setCache(entries);
    }
  }

  #putAside(): void {
    const { entries } = this;
    if (this.#aside !== undefined) {
      // Emptied twice: what was written in between.
      for (const [key, entry] of Object.entries(entries)) if (isEntity(entry)) this.#aside[key] = entry;
      return;
    }
    const rest: LiveEntries = {};
    for (const [key, entry] of Object.entries(entries)) {
      if (isEntity(entry)) continue;
      rest[key] = entry;
      Reflect.deleteProperty(entries, key);
    }
    this.#aside = entries;
    this.#storage?.setCache(rest);
  }

  /**
   * MSAL keeps the text it was last given, and when it serializes, adds to an entity the fields that the text has and
   * the entity has not: a token that is not to be refreshed early would inherit that from the one before. An empty text
   * takes the old one's place and changes nothing.
   */
  #dropSnapshot(): void {
    this.#library.deserialize('');
  }
}

/** What MSAL keeps beside (metadata of authorities, telemetry, throttling) belongs to no environment. */
export function isEntity(live: LiveEntity | undefined): boolean {
  return typeof live?.['environment'] === 'string';
}
