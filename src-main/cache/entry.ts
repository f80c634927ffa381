import type { EntityOf, EntityType } from './schema/entities.ts';
import { isRecord } from './json.ts';
import { folded } from './schema/match.ts';
import { ownerOf } from './mention.ts';
import { isUnderstood } from './schema/fields.ts';

/**
 * An entry that is there and has not been read: what a cache needs to file it, and where to get the rest. Opening ten
 * thousand accounts to look at one does not make fifty thousand objects.
 */
export interface Unread {
  readonly section: EntityType;
  readonly key: string;
  /** The account it belongs to, lower-cased; "" for none. */
  readonly home: string;
  readonly isUnderstood: boolean;
  readonly source: UnreadSource;
  readonly index: number;
}

export interface UnreadSource {
  /** Frozen JSON, down to the last field; `secret` may be an accessor. Asked for once for each of its entries. */
  read(index: number): unknown;
}

/** The account that a value belongs to, lower-cased; "" for none. */
export function homeOf(value: unknown, understood: boolean): string {
  return understood && isRecord(value) ? folded(value['home_account_id']) : ownerOf(value);
}

/** One place of a root of entities, and what stands there. */
export class Entry<T extends EntityType = EntityType> {
  readonly section: T;
  readonly key: string;
  /** The account it belongs to, lower-cased; "" for none. */
  readonly home: string;
  readonly isUnderstood: boolean;
  #source: UnreadSource | undefined;
  #index = 0;
  #value: unknown;
  #entity: EntityOf[T] | null | undefined;

  private constructor(section: T, key: string, home: string, isUnderstood: boolean) {
    this.section = section;
    this.key = key;
    this.home = home;
    this.isUnderstood = isUnderstood;
  }

  static of(section: EntityType, key: string, value: unknown): Entry {
    const entity = isUnderstood(section, value) ? value : null;
    const entry = new Entry(section, key, homeOf(value, entity !== null), entity !== null);
    entry.#value = value;
    entry.#entity = entity;
    return entry;
  }

  static unread(record: Unread): Entry {
    const entry = new Entry(record.section, record.key, record.home, record.isUnderstood);
    entry.#source = record.source;
    entry.#index = record.index;
    return entry;
  }

  /** Frozen, down to the last field. */
  get value(): unknown {
    if (this.#source !== undefined) {
      this.#value = this.#source.read(this.#index);
      this.#source = undefined;
    }
    return this.#value;
  }

  /** The value, where it is understood; else null. */
  get entity(): EntityOf[T] | null {
    if (this.#entity !== undefined) return this.#entity;
    const { value } = this;
    this.#entity = isUnderstood(this.section, value) ? value : null;
    return this.#entity;
  }
}
