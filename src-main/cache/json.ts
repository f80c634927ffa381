import type { Entity } from './entities.ts';

/**
 * Documents come from outside: a hostile one may nest a hundred thousand levels deep, which JSON.parse reads and
 * JSON.stringify dies of. No library nests more than four.
 */
export const MAX_DEPTH = 100;

/** Whether it is an object with named fields: no array, no null, no instance of a class. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Freezes a value that came out of JSON, all the way down.
 *
 * @returns whether it is JSON at all (no functions, no cycles, no more than MAX_DEPTH levels). Where it is not, a
 *   part of it may be frozen.
 */
export function freezeJson(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      return value === null || (depth < MAX_DEPTH && freezeObject(value, depth));
    default:
      return false;
  }
}

function freezeObject(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    for (const item of value) if (!freezeJson(item, depth + 1)) return false;
  } else {
    if (!isRecord(value)) return false;
    for (const name of Object.keys(value)) {
      // [Note: secrets stay sealed] Reading a vault's `secret` would open it. An accessor gives a string or throws.
      if (name === 'secret' && isAccessor(value, name)) continue;
      if (!freezeJson(value[name], depth + 1)) return false;
    }
  }
  Object.freeze(value);
  return true;
}

/** Whether a field is computed when it is read. Asking does not read it. */
export function isAccessor(value: object, name: string): boolean {
  return Object.getOwnPropertyDescriptor(value, name)?.get !== undefined;
}

/**
 * A frozen copy with some fields changed; undefined takes a field away. Accessors are carried over, not read.
 * [Note: secrets stay sealed]
 */
export function copyWith(source: Entity, changes: Readonly<Record<string, unknown>>): Entity {
  const fields: Record<string, PropertyDescriptor | undefined> = Object.getOwnPropertyDescriptors(source);
  for (const [name, value] of Object.entries(changes)) {
    const field =
      value === undefined ? undefined : { value, enumerable: true, writable: true, configurable: true };
    // A plain assignment to `__proto__` would set the prototype instead.
    Object.defineProperty(fields, name, {
      value: field,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  const copy: Record<string, unknown> = {};
  // Symbols too: a vault's accessor finds its sealed secret through one.
  for (const name of Reflect.ownKeys(fields)) {
    const field = Object.getOwnPropertyDescriptor(fields, name)?.value as PropertyDescriptor | undefined;
    if (field) Object.defineProperty(copy, name, field);
  }
  return Object.freeze(copy);
}

/** Whether two values hold the same JSON, whatever the order of fields. Opens secrets where both have them. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && sameJson(a[name], b[name]));
}
