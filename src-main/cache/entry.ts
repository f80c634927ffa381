import { InvalidArgumentError } from '../errors.ts';
import { withHiddenSecret } from './hidden-secret.ts';
import { folded, freezeJson, isRecord } from './json.ts';
import {
  type CacheChange,
  type Entity,
  type EntityChange,
  type EntityOf,
  type EntityType,
  isEntityType,
  type KeptChange,
} from './schema/entities.ts';
import { isSection, isUnderstood } from './schema/fields.ts';
import type { Section } from './schema/grants.ts';

/** A place of a cache document: a root and, unless the whole root is meant, a key in it. */
export interface Place {
  readonly section: string;
  /** null: the whole root. */
  readonly key: string | null;
}

/** Returns the name of a place, for use as a map key. */
export function nameOf({ section, key }: Place): string {
  return key === null ? section : `${section}\n${key}`;
}

/** Returns the account that a value names, lower-cased; "" if none. */
export function ownerOf(value: unknown): string {
  return isRecord(value) ? folded(value['home_account_id']) || folded(value['homeAccountId']) : '';
}

/**
 * One stored item of a cache document: an entity, an item that is not understood, or a whole root that is not. It is
 * validated and frozen once, when it is created. Entries are replaced, never changed, so an identical entry has identical
 * contents, and caches can share entries.
 */
export class Entry<In extends string = string> implements Place {
  readonly section: In;
  /** null: the whole root, which is not understood. */
  readonly key: In extends Section ? string : string | null;
  /** The account that it belongs to, lower-cased; "" if none. */
  readonly account: string;
  /** Whether it is an entity of the schema, or a grant. Anything else is kept as it is and never matched. */
  readonly isUnderstood: boolean;
  #value: unknown; // Private, so that printing an entry shows no secret.
  #shown: WeakRef<object> | undefined;

  private constructor(
    section: In,
    key: string | null,
    account: string,
    isUnderstood: boolean,
    value: unknown,
  ) {
    this.section = section;
    this.key = key as Entry<In>['key'];
    this.account = account;
    this.isUnderstood = isUnderstood;
    this.#value = value;
  }

  /**
   * Creates an entry: freezes the value and determines its account and whether it is understood. A `secret` that is an
   * accessor is not read.
   *
   * @param key null for a whole root; roots of other names than the schema's are always whole
   * @throws InvalidArgumentError if the value is not JSON
   */
  static of<T extends Section>(section: T, key: string, value: unknown): Entry<T>;
  static of(section: string, key: string | null, value: unknown): Entry;
  static of(section: string, key: string | null, value: unknown): Entry {
    if (!freezeJson(value)) {
      throw new InvalidArgumentError('A cache holds JSON values only. Nothing was changed.');
    }
    const isItem = key !== null && isSection(section);
    if (isItem && isUnderstood(section, value))
      return new Entry(section, key, folded(value['home_account_id']), true, value);
    return new Entry(section, isItem ? key : null, isItem ? ownerOf(value) : '', false, value);
  }

  /** Frozen JSON. Its `secret` may be an accessor: [Note: secrets stay sealed]. */
  get value(): unknown {
    return this.#value;
  }

  /** The value if it is understood; else null. For the library itself: callers get `shown`. */
  get entity(): (In extends EntityType ? EntityOf[In] : Entity) | null {
    return this.isUnderstood ? (this.#value as Entry<In>['entity']) : null;
  }

  /**
   * The value for callers outside of the library, the same object for as long as a caller keeps it: [Note: secrets are hidden]. Its secret
   * is that of `value` at the time when it is read.
   */
  get shown(): unknown {
    const known = this.#shown?.deref();
    if (known !== undefined) return known;
    const shown = withHiddenSecret(this);
    if (shown !== this.#value && typeof shown === 'object' && shown !== null)
      this.#shown = new WeakRef(shown);
    return shown;
  }

  /**
   * Replaces the value by an equivalent form, such as one whose secret is sealed. This is not a change: there is no event,
   * and every cache and change that refers to the entry gets the new form.
   */
  exchange(value: unknown): void {
    this.#value = value;
  }
}

/** A place that was set or emptied. At least one side is present; both have the same place. */
export interface Change {
  /** Absent if the place was empty. */
  readonly before?: Entry;
  /** Absent if the place is empty now. */
  readonly after?: Entry;
}

/** Returns the place that a change affects. */
export function placeOf({ before, after }: Change): Place {
  const entry = after ?? before;
  if (entry === undefined) throw new TypeError('A change has an entry before or after it.');
  return entry;
}

/** Returns the change that undoes another one. */
export function inverse({ before, after }: Change): Change {
  return { ...(after && { before: after }), ...(before && { after: before }) };
}

/** Combines changes into one for each place, from its first state to its last. Omits places that end as they began. */
export function condensed(changes: readonly Change[]): Change[] {
  if (changes.length < 2) return changes.filter(({ before, after }) => before !== after);
  const places = new Map<string, Change>();
  for (const change of changes) {
    const name = nameOf(placeOf(change));
    const first = places.get(name);
    const { before } = first ?? change;
    const { after } = change;
    places.set(name, first === undefined ? change : { ...(before && { before }), ...(after && { after }) });
  }
  return [...places.values()].filter(({ before, after }) => before !== after);
}

/** Converts changes to the event that listeners receive. */
export function eventOf(changes: readonly Change[]): CacheChange {
  const entities: EntityChange[] = [];
  const kept: KeptChange[] = [];
  for (const change of changes) {
    const { before, after } = change;
    const { section, key } = placeOf(change);
    const isOfEntities = before?.isUnderstood !== false && after?.isUnderstood !== false;
    if (isOfEntities && key !== null && isEntityType(section)) {
      const sides = {
        ...(before && { before: before.shown as Entity }),
        ...(after && { after: after.shown as Entity }),
      };
      entities.push({ type: section, key, ...sides });
    } else {
      const sides = { ...(before && { before: before.shown }), ...(after && { after: after.shown }) };
      kept.push({ section, key, ...sides });
    }
  }
  return { entities, kept };
}
