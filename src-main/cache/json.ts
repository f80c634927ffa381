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

/** A string, a punctuation mark, or a number or word of a JSON text (RFC 8259 §2). */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;

/**
 * Formats a JSON text as JSON.stringify does, but keeps the digits of its numbers and the order of its members. JSON.parse rounds
 * 1234567890123456789, reads 1e400 as infinite, and moves a member named "7" to the front.
 *
 * @param text valid JSON
 * @param indent spaces per level. A text that nests deeper than MAX_DEPTH is returned unchanged, because its indentation could fill the
 *   memory. 0: on one line, at any depth
 */
export function exactJson(text: string, indent = 0): string {
  const tokens = text.match(TOKEN) ?? [];
  const line = (depth: number) => (indent === 0 ? '' : `\n${' '.repeat(depth * indent)}`);
  const parts: string[] = [];
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    const isEmpty = CLOSING.has(tokens[index + 1] ?? '');
    if (OPENING.has(token)) {
      depth += 1;
      if (indent > 0 && depth > MAX_DEPTH) return text;
      parts.push(token, isEmpty ? '' : line(depth));
    } else if (CLOSING.has(token)) {
      depth -= 1;
      parts.push(OPENING.has(tokens[index - 1] ?? '') ? '' : line(depth), token);
    } else if (token === ',') parts.push(token, line(depth));
    else if (token === ':') parts.push(indent === 0 ? token : ': ');
    else parts.push(exactValue(token));
  }
  return parts.join('');
}

const OPENING: ReadonlySet<string> = new Set(['{', '[']);
const CLOSING: ReadonlySet<string> = new Set(['}', ']']);

function exactValue(token: string): string {
  return token.startsWith('"')
    ? JSON.stringify(JSON.parse(token))
    : isNumber(token)
      ? exactNumber(token)
      : token;
}

const isNumber = (token: string): boolean => /^[-\d]/.test(token);

/** Returns a number as JSON.stringify writes it; unchanged if it may have lost digits. A double keeps 15 of them. */
function exactNumber(token: string): string {
  const value = Number(token);
  const digits = token.replace(/e.*/i, '').replaceAll(/\D/g, '').replace(/^0+/, '').length;
  const isKept = digits === 0 || (digits <= 15 && Number.isFinite(value) && Math.abs(value) > 1e-300);
  return isKept ? JSON.stringify(value) : token;
}

/**
 * Returns the members of a JSON object in its order, each with its value as `exactJson` formats it; none for other JSON.
 *
 * @param text valid JSON
 */
export function membersIn(text: string): { name: string; json: string }[] {
  const members: { name: string; json: string }[] = [];
  let [depth, last, name, start] = [0, '', '', 0];
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (last === '' && token !== '{') return [];
    const isEnd = CLOSING.has(token);
    if (depth === 1 && (token === ',' || isEnd) && start > 0)
      members.push({ name, json: exactJson(text.slice(start, index)) });
    if (depth === 1 && token === ':') [name, start] = [JSON.parse(last) as string, index + 1];
    depth += isEnd ? -1 : OPENING.has(token) ? 1 : 0;
    last = token;
  }
  return members;
}

/** Whether two JSON texts say the same: with the same numbers to the last digit, and members in any order (RFC 8259 §4). */
export function isSameJsonText(a: string, b: string): boolean {
  return a === b || inOrder(a) === inOrder(b);
}

/** Returns a text that is the same for JSON that says the same. */
function inOrder(text: string): string {
  // Numbers become strings, so that they keep their digits; strings and names get a letter that tells them apart.
  const marked = text.replaceAll(TOKEN, (token) =>
    token.startsWith('"') ? `"s${token.slice(1)}` : isNumber(token) ? `"${exactNumber(token)}"` : token,
  );
  return JSON.stringify(JSON.parse(marked), (_name, value: unknown) =>
    isObject(value) ? Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1))) : value,
  );
}
