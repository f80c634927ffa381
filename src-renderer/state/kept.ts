/**
 * Returns a function that computes its result for a list once, and again only if another argument has changed: pages that are shown again, and
 * several parts of a page, ask the same of 10,000 accounts. A result is kept as long as its list.
 */
export function kept<List extends object, Rest extends readonly unknown[], Result>(
  compute: (list: List, ...rest: Rest) => Result,
): (list: List, ...rest: Rest) => Result {
  const results = new WeakMap<List, { rest: Rest; result: Result }>();
  return (list, ...rest) => {
    const before = results.get(list);
    if (before?.rest.every((value, index) => Object.is(value, rest[index]))) return before.result;
    const result = compute(list, ...rest);
    results.set(list, { rest, result });
    return result;
  };
}
