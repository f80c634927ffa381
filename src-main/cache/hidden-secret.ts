/**
 * [Note: secrets are hidden] The entities that a cache hands out have their secret in an accessor that is not enumerable. `entity.secret`
 * returns it; JSON, a spread, Object.assign, structuredClone, postMessage and console.log leave it out. Documents and vaults
 * are written from entries, which have it. See docs/decisions/hidden-secrets.md.
 */
import { isRecord } from './json.ts';

/** The entry that a secret is read from on demand. Its value may have been sealed since. */
export interface SecretSource {
  readonly value: unknown;
}

/** Lets a subclass add private fields to an object that it did not create. */
// oxlint-disable-next-line typescript/no-extraneous-class -- its constructor is all that is needed
class Existing {
  constructor(object: object) {
    return object;
  }
}

/** Ties an object to its source by a private field, which copies and listings of properties don't include. */
class Tie extends Existing {
  readonly #source: SecretSource;

  constructor(object: object, source: SecretSource) {
    super(object);
    this.#source = source;
  }

  static sourceOf(object: object): SecretSource | undefined {
    return #source in object ? object.#source : undefined;
  }
}

/** All entities share one accessor, and so a hidden class. */
const ACCESSOR = {
  get(this: object): unknown {
    const value = Tie.sourceOf(this)?.value;
    // Never undefined: a copy that lost its secret must not pass for an entity without one.
    if (!isRecord(value)) throw new TypeError('This copy of an entity has lost its secret.');
    return value['secret'];
  },
  enumerable: false,
};

/** Returns a frozen copy of the source's fields with a hidden secret; the value itself if it has no secret to hide. */
export function withHiddenSecret(source: SecretSource): unknown {
  const { value } = source;
  if (!isRecord(value) || !Object.hasOwn(value, 'secret')) return value;
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    if (name === '__proto__') Object.defineProperty(copy, name, { value: value[name], enumerable: true });
    else if (name !== 'secret') copy[name] = value[name];
  }
  Object.defineProperty(copy, 'secret', ACCESSOR);
  return Object.freeze(new Tie(copy, source));
}

/** Returns what `withHiddenSecret` made the object from; undefined for any other object. */
export function sourceOf(object: object): SecretSource | undefined {
  return Tie.sourceOf(object);
}
