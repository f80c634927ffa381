/** Cache documents: the JSON text that the MSAL libraries exchange. */
import { DocumentError, InvalidArgumentError } from '../../errors.ts';
import { checkOptions } from '../../options.ts';
import { Entry } from '../entry.ts';
import { freezeJson, isRecord } from '../json.ts';
import { DIALECTS, type Dialect, LAYOUTS, type Layout } from '../schema/dialects.ts';
import { isEntityType } from '../schema/entities.ts';
import { isSection } from '../schema/fields.ts';
import type { Section } from '../schema/grants.ts';
import { dialectOf, type Store } from '../store.ts';
import { storeOf, type TokenCache } from '../token-cache.ts';
import { converted } from './convert.ts';
import { excessIn } from './limits.ts';
import { holdsMark, markNumbers, unmarkNumbers } from './numbers.ts';
import { recognise } from './recognize.ts';

/** Options for `serialize`. */
export interface SerializeOptions {
  /**
   * The library that will read the document: keys, fields and layout are those it writes itself. Default: the format in which the
   * document was read.
   */
  dialect?: Dialect;
}

/**
 * Replaces the contents of the store with those of a document. An empty text empties the store.
 *
 * @returns the parsed document
 * @throws DocumentError; the store is unchanged
 */
export function readDocument(store: Store, text: string | null | undefined): Roots {
  const bare = (text ?? '').replace(/^\ufeff/, ''); // An editor's byte order mark.
  const roots = bare === '' ? {} : exactJson(bare);
  assertCache(roots);
  store.replace(() => fill(store, roots, layoutOf(bare)));
  return roots;
}

/** A parsed document. */
type Roots = Readonly<Record<string, unknown>>;

/** Adds the entries of a parsed document to the store. Does not throw. */
function fill(store: Store, roots: Roots, layout: Layout): void {
  store.dialect = recognise(roots, layout);
  store.layout = store.dialect === null ? undefined : layout;
  for (const section of Object.keys(roots)) {
    const root = roots[section];
    if (!isSection(section) || !isRecord(root)) store.put(Entry.of(section, null, root));
    else {
      store.open(section);
      for (const key of Object.keys(root)) store.put(Entry.of(section, key, root[key]));
    }
  }
}

/** @throws DocumentError `document_not_a_cache` if the JSON is not a cache document */
function assertCache(value: unknown): asserts value is Roots {
  if (!isRecord(value)) throw notACache('it is JSON, but not an object');
  const names = Object.keys(value);
  if (names.length > 0 && !names.some(isEntityType)) throw notACache('it holds no accounts, tokens or apps');
}

/**
 * Parses a JSON text and freezes the result. Large integers that JSON.parse would round keep their digits.
 *
 * @throws DocumentError
 */
function exactJson(text: string): unknown {
  const excess = excessIn(text); // Also limits the depth, for everything that traverses the value recursively.
  if (excess?.code === 'document_too_large')
    throw new DocumentError(excess.code, `This document is too large: ${excess.why}. Nothing was changed.`);
  if (excess !== null) throw notACache(excess.why);
  const quick = parseJson(text);
  const findings = { largeNumber: false };
  if (!freezeJson(quick, findings)) throw notACache('it has a number that is too large');
  if (!findings.largeNumber && !holdsMark(text)) return quick;
  const exact = parseJson(markNumbers(text));
  return freezeJson(exact) ? exact : quick;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Do not pass on the error of JSON.parse: it quotes the text, which contains secrets.
    throw notJson();
  }
}

function notJson(): DocumentError {
  return new DocumentError(
    'document_not_json',
    'This is not a cache document: it is not JSON, or it was cut off. Nothing was changed.',
  );
}

function notACache(why: string): DocumentError {
  return new DocumentError(
    'document_not_a_cache',
    `This is not a cache document: ${why}. Nothing was changed.`,
  );
}

const BEYOND_ASCII = /[\u007f-\uffff]/g;

/** Number of characters examined to detect the layout, so that large documents are not scanned in full. */
const HEAD = 65_536;

/** Matches an escaped non-ASCII character, but not an escaped backslash followed by `u`. */
const ESCAPE = /(?:^|[^\\])(?:\\\\)*\\u(?!00[0-7])[0-9a-f]{4}/i;

/** Detects the layout of a text from its beginning and its end. MSAL Python escapes non-ASCII characters; other libraries do not. */
function layoutOf(text: string): Layout {
  const head = text.slice(0, HEAD);
  const indent = /^\s*\{\r?\n( +)"/.exec(head)?.[1]?.length ?? 0;
  const end = /\s*$/.exec(text.slice(-4))?.[0] ?? '';
  return { indent, end, ascii: !/[\u0080-\uffff]/.test(head) && (indent > 0 || ESCAPE.test(head)) };
}

/**
 * Serializes a store, in the format it was read in or in that of another library.
 *
 * @throws InvalidArgumentError if the dialect does not exist
 */
export function writeDocument(store: Store, options: SerializeOptions = {}): string {
  const { dialect } = checkOptions('serialize', options, { dialect: true });
  if (dialect !== undefined && !DIALECTS.includes(dialect)) {
    throw new InvalidArgumentError(
      `serialize: \`dialect\` is none of ${DIALECTS.join(', ')}. Nothing was serialized.`,
      { field: 'dialect' },
    );
  }
  const own = dialectOf(store);
  const roots = dialect === undefined ? ownRoots(store) : converted(store, dialect);
  const { indent, ascii, end } = dialect === undefined ? (store.layout ?? LAYOUTS[own]) : LAYOUTS[dialect];
  const text = indent === 0 ? compact(roots) : JSON.stringify(fieldsOf(roots), undefined, indent);
  return (ascii ? escaped(unmarkNumbers(text)) : unmarkNumbers(text)) + end;
}

function escaped(text: string): string {
  return text.replace(BEYOND_ASCII, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Returns all entries unchanged, by root. */
function ownRoots(store: Store): Map<string, unknown> {
  const roots = new Map<string, unknown>();
  for (const section of store.roots) {
    const kept = store.kept(section);
    if (kept !== undefined || !isSection(section)) roots.set(section, kept?.value);
    else roots.set(section, itemsOf(store, section));
  }
  // A document is recognized by its roots, so write at least one.
  if (roots.size > 0 && ![...roots.keys()].some(isEntityType)) roots.set('AccessToken', new Map());
  return roots;
}

/** Returns the items of a root as they are, by key. */
function itemsOf(store: Store, section: Section): Map<string, unknown> {
  const items = new Map<string, unknown>();
  for (const { key, value } of store.entries(section)) items.set(key, value);
  return items;
}

/**
 * Writes maps as JSON without line breaks. Objects with the keys of entries as their fields would cost more than the text:
 * V8 makes a hidden class for each of these keys.
 */
function compact(
  map: ReadonlyMap<unknown, unknown>,
  json: (value: unknown) => string = JSON.stringify,
): string {
  let text = '';
  for (const [name, value] of map) {
    const written = value instanceof Map ? compact(value, json) : json(value);
    text += `${text === '' ? '' : ','}${JSON.stringify(String(name))}:${written}`;
  }
  return `{${text}}`;
}

/**
 * Serializes a store in the format it was read in, without line breaks.
 *
 * @param json writes the value of an entry
 */
export function writeCompact(store: Store, json: (value: unknown) => string): string {
  return unmarkNumbers(compact(ownRoots(store), json));
}

/** Converts maps to objects. `fromEntries` creates a field for every name, including `__proto__`. */
function fieldsOf(map: ReadonlyMap<unknown, unknown>): Readonly<Record<string, unknown>> {
  const fields: [string, unknown][] = [];
  for (const [name, value] of map)
    fields.push([String(name), value instanceof Map ? fieldsOf(value) : value]);
  return Object.fromEntries(fields);
}

/**
 * Serializes any token cache, such as that of a vault; see SerializableTokenCache.serialize.
 *
 * @throws InvalidArgumentError if `dialect` is not the name of a dialect
 */
export function documentText(cache: TokenCache, options?: SerializeOptions): string {
  return writeDocument(storeOf(cache), options);
}
