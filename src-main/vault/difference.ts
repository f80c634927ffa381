import { recordsOf } from '../cache/records.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import type { RecordChange } from '../cache/transaction.ts';
import { isObject } from './json.ts';
import { sealedSecretOf } from './secret.ts';

export function placeOf({ section, key }: { section: string; key: string | null }): string {
  return JSON.stringify([section, key]);
}

/** What has to be done to `from` to make it hold what `to` holds. Opens no secret that lies in both files as it is. */
export function difference(from: TokenCache, to: TokenCache): RecordChange[] {
  const before = new Map<string, unknown>();
  for (const record of recordsOf(from)) before.set(placeOf(record), record.value);
  const changes: RecordChange[] = [];
  for (const record of recordsOf(to)) {
    const place = placeOf(record);
    const { section, key, value: after } = record;
    if (!before.has(place)) changes.push({ section, key, after });
    else if (!sameValue(before.get(place), after)) {
      changes.push({ section, key, before: before.get(place), after });
    }
    before.delete(place);
  }
  for (const record of recordsOf(from)) {
    const { section, key, value } = record;
    if (before.has(placeOf(record))) changes.push({ section, key, before: value });
  }
  return changes;
}

/** One change for each place: the last word on it. */
export function condensed(changes: readonly RecordChange[]): RecordChange[] {
  const places = new Map<string, RecordChange>();
  for (const change of changes) {
    const first = places.get(placeOf(change));
    const before = first === undefined ? change.before : first.before;
    const { section, key, after } = change;
    places.set(placeOf(change), {
      section,
      key,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    });
  }
  return [...places.values()].filter(({ before, after }) => before !== after);
}

function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b)) return JSON.stringify(a) === JSON.stringify(b);
  const sealed = sealedSecretOf(a);
  const same = sealed !== undefined && sealedSecretOf(b)?.equals(sealed) === true;
  return textOf(a, same) === textOf(b, same);
}

function textOf(entity: Record<string, unknown>, withoutSecret: boolean): string {
  return JSON.stringify(
    Object.keys(entity).map((name) => [name, withoutSecret && name === 'secret' ? null : entity[name]]),
  );
}
