/** Cache documents: the JSON text that the MSAL libraries exchange. */
import { DocumentError } from '../../errors.ts';
import { converted } from './convert.ts';
import { freezeJson, isRecord, MAX_DEPTH } from '../json.ts';
import { markNumbers, unmarkNumbers } from './numbers.ts';
import { dialectOf } from '../place.ts';
import { LAYOUTS, type Layout, type Profile } from '../schema/dialects.ts';
import { recognise } from './recognize.ts';
import { Entry } from '../entry.ts';
import { isEntityType } from '../schema/entities.ts';
import type { Store } from '../store.ts';
import { storeOf, type TokenCache } from '../token-cache.ts';

/** How a document is written. */
export interface SerializeOptions {
  /**
   * The library that is to read it: keys, fields and layout are as it writes them, also where another library has been
   * at the document. Without: as the document came in.
   */
  profile?: Profile;
}

/**
 * Replaces all that is in the store. An empty text is an empty cache.
 *
 * @throws DocumentError: the store is as it was
 */
export function readDocument(store: Store, text: string | null | undefined): void {
  const bare = (text ?? '').replace(/^\ufeff/, ''); // An editor's byte order mark.
  const roots = bare === '' ? {} : exactJson(bare);
  assertCache(roots);
  store.replace(() => fill(store, roots, layoutOf(bare)));
}

/** A document as it was parsed. */
type Roots = Readonly<Record<string, unknown>>;

/** Files all that a document says. Throws nothing. */
function fill(store: Store, roots: Roots, layout: Layout): void {
  store.profile = recognise(roots, layout);
  store.layout = store.profile === null ? undefined : layout;
  for (const section of Object.keys(roots)) {
    const root = roots[section];
    if (!isEntityType(section) || !isRecord(root)) store.put(Entry.of(section, null, root));
    else {
      store.open(section);
      for (const key of Object.keys(root)) store.put(Entry.of(section, key, root[key]));
    }
  }
}

/** @throws DocumentError `document_not_a_cache` where it is some other JSON */
function assertCache(value: unknown): asserts value is Roots {
  if (!isRecord(value)) throw notACache('it is JSON, but not an object');
  const names = Object.keys(value);
  if (names.length > 0 && !names.some(isEntityType)) throw notACache('it holds no accounts, tokens or apps');
}

/**
 * What a JSON text says, frozen, and with numbers that JSON.parse would round kept whole.
 *
 * @throws DocumentError
 */
function exactJson(text: string): unknown {
  const quick = parseJson(text);
  const findings = { largeNumber: false };
  // The check comes before any walk through the whole of it: it is what makes a walk safe.
  if (!freezeJson(quick, findings)) throw notACache(`it is nested more than ${MAX_DEPTH} levels deep`);
  if (!findings.largeNumber) return quick;
  const exact = parseJson(markNumbers(text));
  return freezeJson(exact) ? exact : quick;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The error of JSON.parse quotes the text, which holds secrets: it is not passed on.
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

/** Enough of a text to see how it is laid out; documents of 100 MB are not gone through for that. */
const HEAD = 65_536;

/** An escape of something beyond ASCII, and not a backslash that is escaped itself. */
const ESCAPE = /(?:^|[^\\])(?:\\\\)*\\u(?!00[0-7])[0-9a-f]{4}/i;

/** How a text is laid out, by its beginning and its end. MSAL Python escapes; the others do not, as far as it shows. */
function layoutOf(text: string): Layout {
  const head = text.slice(0, HEAD);
  const indent = /^\s*\{\r?\n( +)"/.exec(head)?.[1]?.length ?? 0;
  const end = /\s*$/.exec(text.slice(-4))?.[0] ?? '';
  return { indent, end, ascii: !/[\u0080-\uffff]/.test(head) && (indent > 0 || ESCAPE.test(head)) };
}

/** The document of a store, in its own profile as it came in, or written for another library. */
export function writeDocument(store: Store, { profile }: SerializeOptions = {}): string {
  const own = dialectOf(store);
  const roots = profile === undefined ? ownRoots(store) : converted(store, profile);
  const { indent, ascii, end } = profile === undefined ? (store.layout ?? LAYOUTS[own]) : LAYOUTS[profile];
  const text = JSON.stringify(fieldsOf(roots), undefined, indent);
  return (ascii ? escaped(unmarkNumbers(text)) : unmarkNumbers(text)) + end;
}

function escaped(text: string): string {
  return text.replace(BEYOND_ASCII, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Everything as it is stored. */
function ownRoots(store: Store): Map<string, unknown> {
  const roots = new Map<string, unknown>();
  for (const section of store.roots) {
    const kept = store.kept(section);
    if (kept !== undefined || !isEntityType(section)) roots.set(section, kept?.value);
    else roots.set(section, new Map(Array.from(store.entries(section), ({ key, value }) => [key, value])));
  }
  // A document is told from other JSON by its roots, so there is at least one.
  if (roots.size > 0 && ![...roots.keys()].some(isEntityType)) roots.set('AccessToken', new Map());
  return roots;
}

/** Maps as objects. `fromEntries` makes fields of all names, where an assignment to `__proto__` would not. */
function fieldsOf(map: ReadonlyMap<unknown, unknown>): Readonly<Record<string, unknown>> {
  const fields: [string, unknown][] = [];
  for (const [name, value] of map)
    fields.push([String(name), value instanceof Map ? fieldsOf(value) : value]);
  return Object.fromEntries(fields);
}

/** The document of any cache, e.g. of one that a vault keeps; see SerializableTokenCache.serialize. */
export function documentText(cache: TokenCache, options?: SerializeOptions): string {
  return writeDocument(storeOf(cache), options);
}
