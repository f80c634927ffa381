/**
 * Limits the arguments of one request. The preload script measures them before they are cloned to the main process,
 * and the main process measures again before it validates them, so that a page can't block it.
 */

/** The maximum number of values, characters and levels, well above what any request needs. */
const MOST_VALUES = 25_000;
const MOST_CHARACTERS = 1_000_000;
const MOST_LEVELS = 8;
/** The maximum number of characters of a request that is one text, such as a list of 100,000 accounts to save. */
const MOST_TEXT = 20_000_000;

/** Whether the arguments are plain data within the budget. Stops at the first excess; calls no getter. */
export function fitsBudget(args: readonly unknown[]): boolean {
  const [only] = args;
  if (args.length === 1 && typeof only === 'string') return only.length <= MOST_TEXT;
  let values = 0;
  let characters = 0;

  const fits = (value: unknown, level: number): boolean => {
    values += 1;
    if (values > MOST_VALUES || level > MOST_LEVELS) return false;
    if (typeof value === 'string') {
      characters += value.length;
      return characters <= MOST_CHARACTERS;
    }
    if (typeof value === 'bigint') return false;
    if (typeof value !== 'object' || value === null) return true;
    if (Array.isArray(value)) {
      return value.length <= MOST_VALUES && value.every((item) => fits(item, level + 1));
    }
    if (!isPlain(value)) return false;
    for (const name in value) {
      characters += name.length;
      const field = Object.getOwnPropertyDescriptor(value, name);
      if (field === undefined) continue;
      if (!('value' in field) || !fits(field.value, level + 1)) return false;
    }
    return characters <= MOST_CHARACTERS;
  };

  return fits(args, 0);
}

/** Whether it is a plain object. Buffers, maps and other kinds can't be measured, and no request takes one. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  // Works across realms: the preload script's objects come from the page's realm.
  return prototype === null || Object.hasOwn(prototype, 'isPrototypeOf');
}
