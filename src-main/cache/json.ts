import type { Entity } from './schema/entities.ts';

/**
 * Maximum nesting depth. Documents are untrusted: a hostile one may nest so deep that JSON.parse succeeds and
 * JSON.stringify overflows the stack. Libraries nest at most four levels.
 */
export const MAX_DEPTH = 100;

/** Whether the value is a plain object: not an array, null or a class instance. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Findings of `freezeJson`. */
export interface Findings {
  /** A whole number with more digits than JSON.parse keeps. */
  largeNumber: boolean;
}

/**
 * Deep-freezes a JSON value. Skips parts that are frozen already, because they have been checked before.
 *
 * @returns whether it is JSON (no functions, no cycles, at most MAX_DEPTH levels). If not, parts of it may be frozen
 */
export function freezeJson(value: unknown, findings?: Findings, depth = 0): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') {
    if (findings !== undefined && Number.isInteger(value) && !Number.isSafeInteger(value))
      findings.largeNumber = true;
    return Number.isFinite(value);
  }
  if (typeof value !== 'object') return false;
  if (Object.isFrozen(value)) return true;
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!freezeJson(item, findings, depth + 1)) return false;
  } else {
    if (!isRecord(value)) return false;
    for (const name of Object.keys(value)) {
      // [Note: secrets stay sealed] Reading a vault's `secret` would decrypt it. An accessor returns a string or throws.
      if (name === 'secret' && isAccessor(value, name)) continue;
      const field = value[name];
      if (typeof field !== 'string' && !freezeJson(field, findings, depth + 1)) return false;
    }
  }
  Object.freeze(value);
  return true;
}

/** Returns whether a field is an accessor. Does not read the field. */
export function isAccessor(value: object, name: string): boolean {
  return Object.getOwnPropertyDescriptor(value, name)?.get !== undefined;
}

/**
 * Returns an unfrozen copy with changed fields; undefined removes a field. An accessor of the secret is copied, not read,
 * unless `secret` is changed. [Note: secrets stay sealed]
 */
export function copyWith(source: Entity, changes: Readonly<Record<string, unknown>>): Entity {
  // A spread copies `__proto__` as the field that it is here, where an assignment would set the prototype.
  const copy: Record<PropertyKey, unknown> = isAccessor(source, 'secret')
    ? unread(source, Object.hasOwn(changes, 'secret'))
    : { ...source };
  for (const name of Object.keys(changes)) {
    const value = changes[name];
    if (value === undefined) Reflect.deleteProperty(copy, name);
    else if (name !== '__proto__' && !isAccessor(copy, name)) copy[name] = value;
    else Object.defineProperty(copy, name, { value, enumerable: true, writable: true, configurable: true });
  }
  return copy;
}

function unread(source: Entity, isReplaced: boolean): Record<PropertyKey, unknown> {
  const copy: Record<PropertyKey, unknown> = {};
  for (const name of Reflect.ownKeys(source)) {
    if (isReplaced && (typeof name === 'symbol' || name === 'secret')) continue;
    const field = Object.getOwnPropertyDescriptor(source, name);
    if (field === undefined) continue;
    const thawed = 'value' in field ? { writable: true, configurable: true } : { configurable: true };
    Object.defineProperty(copy, name, { ...field, ...thawed });
  }
  return copy;
}

/** Whether two values are equal as JSON, regardless of field order. Opens sealed secrets if both have them. */
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

/** A value returned by JSON.parse, classified but not trusted. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** Returns a text; "" for a value of another type. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Returns a text that is not empty; undefined for anything else. */
export function filled(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Normalizes IDs and realms for comparison: libraries lower-case them in keys, and differ in fields. */
export function folded(value: unknown): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}

/**
 * Returns whether an object in a JSON text has two fields of one name. JavaScript takes the last, other parsers the first: what one program
 * has checked, another reads differently (RFC 8259 §4, RFC 7519 §4). false for a text that is not JSON.
 *
 * @example
 * import { hasDuplicateNames } from 'tokenkeep/cache';
 *
 * hasDuplicateNames('{"iss":"https://id.example","iss":"https://other.example"}'); // true
 */
export function hasDuplicateNames(text: string): boolean {
  try {
    return lostNames(text, JSON.parse(text));
  } catch {
    return false;
  }
}

/** The same for a text that was parsed: whether it has names that are not in the value. */
export function lostNames(text: string, value: unknown): boolean {
  let named = 0;
  for (let start = text.indexOf('"'); start !== -1; ) {
    let next = endOfString(text, start) + 1;
    while (SPACE.has(text.charCodeAt(next))) next += 1;
    if (text.charCodeAt(next) === COLON) named += 1;
    start = text.indexOf('"', next);
  }
  return named !== namesIn(value);
}

const COLON = 0x3a;
/** RFC 8259 §2 */
const SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Returns the index of the quotation mark that ends the string which begins at `start`; the length of a text without one. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}

function namesIn(json: unknown): number {
  let names = 0;
  const values = [json]; // not by recursion: a hostile text may nest deeper than the stack
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const inside: unknown[] = Object.values(value);
    if (!Array.isArray(value)) names += inside.length;
    for (const one of inside) if (typeof one === 'object') values.push(one);
  }
  return names;
}
