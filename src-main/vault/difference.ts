import { accountIds, type CacheRecord, recordsOfAccount } from '../cache/records.ts';
import type { Sliced } from '../cache/sliced.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import type { RecordChange } from '../cache/change.ts';
import type { Groups } from './format/base.ts';
import type { Group } from './format/frame-writer.ts';
import { isObject } from './format/json.ts';
import { sealedSecretOf } from './format/secret.ts';

export function placeOf({ section, key }: { section: string; key: string | null }): string {
  return JSON.stringify([section, key]);
}

/** A cache, and the frames of those of its accounts of which they say all there is to say. */
export interface Side {
  cache: TokenCache;
  groups: Groups;
}

/**
 * What has to be done to `from` to make it hold what `to` holds. Reads nothing of an account whose frames were copied as
 * they are, which are nearly all after a rewrite, and opens no secret that lies in both files as it is.
 */
export function* difference(from: Side, to: Side): Sliced<RecordChange[]> {
  const accounts = new Set<string | null>([...accountIds(from.cache), ...accountIds(to.cache), null]);
  for (const account of accounts) {
    yield;
    if (sameFrames(from.groups.get(account), to.groups.get(account))) accounts.delete(account);
  }
  const gone = new Map<string, CacheRecord>();
  for (const account of accounts) {
    yield;
    for (const record of recordsOfAccount(from.cache, account)) gone.set(placeOf(record), record);
  }
  const changes: RecordChange[] = [];
  for (const account of accounts) {
    yield;
    for (const record of recordsOfAccount(to.cache, account)) {
      const place = placeOf(record);
      const { section, key, value: after } = record;
      const before = gone.get(place)?.value;
      if (before === undefined) changes.push({ section, key, after });
      else if (!sameValue(before, after)) changes.push({ section, key, before, after });
      gone.delete(place);
    }
  }
  for (const { section, key, value } of gone.values()) changes.push({ section, key, before: value });
  return changes;
}

function sameFrames(a: Group | undefined, b: Group | undefined): boolean {
  if (a === undefined || a.frames.length !== b?.frames.length) return false;
  return a.frames.every(({ body, sealed }, index) => {
    const other = b.frames[index];
    return other !== undefined && body.equals(other.body) && sealed.equals(other.sealed);
  });
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
