import { type Change, Entry, placeOf } from '../cache/entry.ts';
import { isArray, isRecord, sameJson } from '../cache/json.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';

/**
 * Returns changes that were held in memory, adapted to the contents that another program has given the file since. An entry is replaced as a
 * whole. A root of app data, such as the histories of all accounts, gets the difference alone: the other program's changes to it stay.
 */
export function rebased(held: readonly Change[], cache: TokenCache): readonly Change[] {
  return held.map((change) => {
    const { section, key } = placeOf(change);
    const { before, after } = change;
    if (key !== null) return change;
    const current = storeOf(cache).kept(section);
    if (sameJson(current?.value, before?.value)) return change;
    const value = withDifference(current?.value, before?.value, after?.value);
    if (value === undefined || (after === undefined && isEmpty(value))) return { ...(before && { before }) };
    return { ...(before && { before }), after: Entry.of(section, null, value) };
  });
}

/**
 * Returns `current` with what changed between `before` and `after`: member by member in objects, item by item in lists. What another program
 * has removed stays removed. undefined: there is no value.
 */
export function withDifference(current: unknown, before: unknown, after: unknown): unknown {
  if (sameJson(before, after)) return current;
  if (sameJson(before, current)) return after;
  if (current === undefined && isRecord(after)) return after; // A damaged part was lost, or the file is a new one.
  if (isMissingOr(isRecord, current) && isMissingOr(isRecord, before) && isMissingOr(isRecord, after))
    return objectWith(current, before, after);
  if (isMissingOr(isArray, current) && isMissingOr(isArray, before) && isMissingOr(isArray, after))
    return listWith(current, before, after);
  return after;
}

type Members = Readonly<Record<string, unknown>>;

function objectWith(now: Members = {}, old: Members = {}, next: Members = {}): Members {
  const members = new Map(Object.entries(now));
  for (const name of new Set([...Object.keys(old), ...Object.keys(next)])) {
    const [has, had] = [Object.hasOwn(now, name), Object.hasOwn(old, name)];
    if (had && !has) continue; // Removed by the other program.
    const value = withDifference(own(now, name), own(old, name), own(next, name));
    if (value === undefined) members.delete(name);
    else members.set(name, value);
  }
  return Object.fromEntries(members);
}

function own(members: Members, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

type List = readonly unknown[];

function listWith(now: List = [], old: List = [], next: List = []): List {
  const isIn = (list: List, item: unknown): boolean => list.some((one) => sameJson(one, item));
  const kept = now.filter((item) => isIn(next, item) || !isIn(old, item));
  return [...kept, ...next.filter((item) => !isIn(old, item) && !isIn(kept, item))];
}

function isMissingOr<T>(is: (value: unknown) => value is T, value: unknown): value is T | undefined {
  return value === undefined || is(value);
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
