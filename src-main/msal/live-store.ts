import { ENTITY_TYPES, type Entity, type EntityType } from '../cache/schema/entities.ts';
import { isRecord } from '../cache/json.ts';
import { type LiveEntity, type LiveTokenCache, storageOf } from './library.ts';

/** MSAL's memory: entities by key, and beside them what MSAL keeps for itself (see isEntity). */
export type LiveEntries = Record<string, LiveEntity>;

/** An entry of ours, which is no entity: MSAL removes it only when it empties its memory (see Note: MSAL empties its memory). */
const SENTINEL = 'kept-by-tokenkeep';

/** What is in MSAL's memory, and the ways in which it goes in and comes out. */
export class LiveStore {
  readonly #library: LiveTokenCache;

  constructor(library: LiveTokenCache) {
    this.#library = library;
  }

  get entries(): LiveEntries {
    return this.#library.getKVStore();
  }

  /** Puts back what MSAL has emptied, if it has; what it has written since stays. */
  refill(held: () => Iterable<readonly [key: string, live: LiveEntity]>): void {
    const { entries } = this;
    if (entries[SENTINEL] !== undefined) return;
    entries[SENTINEL] = {};
    for (const [key, live] of held()) entries[key] ??= live;
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
    const storage = storageOf(this.#library);
    storage?.setCache(Object.fromEntries(Object.entries(entries).filter(([key]) => keys.has(key))));
    try {
      return this.#library.serialize();
    } finally {
      storage?.setCache(entries);
    }
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
