/** What a sign-out removed from a JSON document, and how it is put back: also parts of lists and of objects within objects. */
import { isArray, isRecord, sameJson } from '../cache/json.ts';

/** What is missing in a value: some of the parts of an object by their names, or the value itself; `is`: what is left of it. */
export type Gone =
  | { readonly parts: Readonly<Record<string, Gone>> }
  | { readonly was: unknown; readonly is?: unknown };

/** Returns what `after` has no longer; null if that is nothing. */
export function goneBetween(before: unknown, after: unknown): Gone | null {
  if (!isRecord(before) || !isRecord(after))
    return sameJson(before, after) ? null : { was: before, is: after };
  const parts = Object.keys(before).flatMap((name): [string, Gone][] => {
    const gone = Object.hasOwn(after, name) ? goneBetween(before[name], after[name]) : { was: before[name] };
    return gone === null ? [] : [[name, gone]];
  });
  return parts.length === 0 ? null : { parts: Object.fromEntries(parts) };
}

/** Returns a value with what is missing put back. What was written since is newer, and kept. `now`: undefined if it is not there. */
export function withGone(now: unknown, gone: Gone): unknown {
  if ('parts' in gone) {
    if (now !== undefined && !isRecord(now)) return now;
    const there = now ?? {};
    const back = Object.entries(gone.parts).map(([name, part]) => [
      name,
      withGone(Object.hasOwn(there, name) ? there[name] : undefined, part),
    ]);
    return { ...there, ...Object.fromEntries(back) };
  }
  const { was, is } = gone;
  if (isArray(was) && isArray(is) && !sameJson(now, is)) {
    const there: unknown = now ?? [];
    if (!isArray(there)) return now;
    const [before, left, written] = [was, is, there].map(
      (list) => new Set(list.map((item) => JSON.stringify(item))),
    ) as [Set<string>, Set<string>, Set<string>];
    const isIn = (list: Set<string>, item: unknown): boolean => list.has(JSON.stringify(item));
    return [
      // An item of which a part was removed comes back whole.
      ...there.filter((item) => !isIn(left, item) || isIn(before, item)),
      ...was.filter((item) => !isIn(left, item) && !isIn(written, item)),
    ];
  }
  return sameJson(now, is) ? was : now;
}
