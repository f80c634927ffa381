/** Changes of entries, as used by the store, vault frames, events and receipts. */
import { type Entry, nameOf, type Place } from './entry.ts';
import {
  type CacheChange,
  type Entity,
  type EntityChange,
  isEntityType,
  type KeptChange,
} from './schema/entities.ts';

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
    const { after } = change;
    const before = first === undefined ? change.before : first.before;
    places.set(name, { ...(before && { before }), ...(after && { after }) });
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
