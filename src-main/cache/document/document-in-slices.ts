/**
 * Cache documents of 100 MB. `JSON.parse` of such a text holds up its process for half a second, and the text has to be
 * in memory beside what it says; here each entity is parsed by itself. What comes out is what `deserialize` gives.
 */
import type { Clock } from '../clock.ts';
import { assertCache, exactJson, fill, layoutOf, notJson, type Roots } from './document.ts';
import { SerializableTokenCache } from './serializable-token-cache.ts';
import type { Sliced } from '../sliced.ts';
import { isEntityType } from '../schema/entities.ts';
import { storeOf } from '../token-cache.ts';

/**
 * The cache in a document, UTF-8, with or without a byte order mark.
 *
 * @throws DocumentError (`document_not_json`, `document_not_a_cache`)
 */
export function* documentInSlices(
  bytes: Uint8Array,
  options: { now?: Clock } = {},
): Sliced<SerializableTokenCache> {
  const cache = new SerializableTokenCache(options);
  const roots = yield* new Scanner(bytes).document();
  assertCache(roots);
  yield* fill(storeOf(cache), roots, layoutOf(decode(bytes.subarray(0, HEAD)), decode(bytes.subarray(-4))));
  return cache;
}

/** Enough to see how a text is laid out. */
const HEAD = 65_536;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const decode = (bytes: Uint8Array): string => decoder.decode(bytes);

const [QUOTE, COMMA, COLON, BACKSLASH] = [0x22, 0x2c, 0x3a, 0x5c];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
const SPACES: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Finds where a document's values begin and end. What they are, JSON.parse says, and whether they are anything. */
class Scanner {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3;
  }

  *document(): Sliced<unknown> {
    if (this.#at === this.#bytes.length) return {};
    if (this.#next() !== OPEN) return exactJson(decode(this.#bytes.subarray(this.#at)));
    const roots = yield* this.#object((name) => this.#root(name));
    if (this.#next() !== undefined) throw notJson();
    return roots;
  }

  *#root(name: string): Sliced<unknown> {
    if (this.#next() !== OPEN) return yield* this.#value(1);
    const root = yield* this.#object(() => this.#value(2));
    return isEntityType(name) ? root : Object.freeze(root);
  }

  *#object(member: (name: string) => Sliced<unknown>): Sliced<Roots> {
    const members: Record<string, unknown> = {};
    this.#pass(OPEN);
    if (this.#next() !== CLOSE) {
      for (;;) {
        if (this.#next() !== QUOTE) throw notJson();
        const name = String(this.#parse(this.#afterString(this.#at)));
        this.#pass(COLON);
        const value = yield* member(name);
        // An assignment to `__proto__` would make no member.
        if (name !== '__proto__') members[name] = value;
        else
          Object.defineProperty(members, name, {
            value,
            enumerable: true,
            configurable: true,
            writable: true,
          });
        if (this.#next() !== COMMA) break;
        this.#pass(COMMA);
      }
    }
    this.#pass(CLOSE);
    return members;
  }

  /** `depth`: of how many objects it is a part. */
  *#value(depth: number): Sliced<unknown> {
    yield;
    return this.#parse(this.#afterValue(), depth);
  }

  #parse(end: number, depth = 0): unknown {
    const text = decode(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return exactJson(text, depth);
  }

  /** The first byte that is not white space; `undefined` at the end. */
  #next(): number | undefined {
    while (SPACES.has(this.#bytes[this.#at])) this.#at += 1;
    return this.#bytes[this.#at];
  }

  #pass(byte: number): void {
    if (this.#next() !== byte) throw notJson();
    this.#at += 1;
  }

  #afterValue(): number {
    const bytes = this.#bytes;
    let depth = 0;
    for (let at = this.#at; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) at = this.#afterString(at) - 1;
      else if (byte === OPEN || byte === OPEN_LIST) depth += 1;
      else if (byte === CLOSE || byte === CLOSE_LIST) {
        if (depth === 0) return at;
        depth -= 1;
        if (depth === 0) return at + 1;
      } else if (byte === COMMA && depth === 0) return at;
    }
    return bytes.length;
  }

  #afterString(begin: number): number {
    const bytes = this.#bytes;
    let at = begin + 1;
    while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
    return at + 1;
  }
}
