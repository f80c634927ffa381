/**
 * How much a window may send with one request. The preload script measures before anything is cloned to the main process,
 * and the main process measures again before it validates: a page must not be able to stop it.
 */

/** The most values, characters and levels that any request of a contract needs, with room to spare. */
const MOST_VALUES = 25_000;
const MOST_CHARACTERS = 1_000_000;
const MOST_LEVELS = 8;

/** Whether the arguments are plain data within the budget. Stops at the first that is too much; runs no getter. */
export function fitsBudget(args: readonly unknown[]): boolean {
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

/** Buffers, maps and other kinds hold more than can be counted here; no request takes one. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  // Of any realm: the preload script's objects come from the page's.
  return prototype === null || Object.hasOwn(prototype, 'isPrototypeOf');
}
