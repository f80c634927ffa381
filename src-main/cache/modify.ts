import { InvalidArgumentError } from '../errors.ts';
import type { Entity, EntityType } from './schema/entities.ts';
import { copyWith } from './json.ts';
import { keyOf } from './schema/keys.ts';
import { place, profileOf, sameEntries } from './place.ts';
import type { Store } from './store.ts';

/** See TokenCache.modify. */
export function modifyEntity(
  store: Store,
  type: EntityType,
  old: Entity,
  changes: Readonly<Record<string, unknown>> | null,
): void {
  const found = sameEntries(store, type, old);
  if (changes === null) {
    for (const entry of found) store.drop(entry);
    return;
  }
  // Of several that denote the credential, the one that the caller holds; the others are stale.
  const entry = found.find(({ value }) => value === old) ?? found[0];
  if (entry === undefined || entry.entity === null) return;
  const entity = copyWith(entry.entity, ownJson(changes));
  const profile = profileOf(store);
  const hadOwnKey = keyOf(type, entry.entity, profile) === entry.key;
  place(store, type, entity, found, hadOwnKey ? keyOf(type, entity, profile) : entry.key);
}

/** A copy of the caller's, so that freezing it freezes nothing of theirs. */
function ownJson(changes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    return structuredClone(changes);
  } catch (cause) {
    throw new InvalidArgumentError('An entity holds JSON values only. Nothing was changed.', { cause });
  }
}
