/** Sealing keys: parsing, and deriving one key per partition. */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { isRecord } from '../cache/json.ts';
import { InvalidArgumentError } from '../errors.ts';
import type { PartitionName } from './partition-name.ts';

/** A sealing key, and the id by which entries refer to it. */
export interface SealingKey {
  /** 1 to 32 characters of `A-Z a-z 0-9 . _ -`. Every entry that this key sealed contains it in the clear. */
  readonly id: string;
  /** 32 random bytes. */
  readonly key: Uint8Array;
}

/** Sealing keys, newest first. The first one seals unless `sealWith` names another. All of them can open entries. */
export type SealingKeys = readonly [SealingKey, ...SealingKey[]];

export const SEALING_KEY_ID = /^[A-Za-z0-9._-]{1,32}$/;

/**
 * Parses sealing keys as a secret store or an environment variable holds them: `id:base64` each, separated by commas, newest
 * first. Make one with `openssl rand -base64 32`.
 *
 * @throws InvalidArgumentError; the message contains no part of a key
 * @example
 * import { parseSealingKeys } from 'tokenkeep/partitions';
 *
 * const sealingKeys = parseSealingKeys('2026-11:3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=');
 */
export function parseSealingKeys(text: string): SealingKeys {
  // What a variable holds that is not set.
  if (typeof text !== 'string' || text.trim() === '')
    refuse('There is no sealing key: parseSealingKeys got no text. Is the environment variable or file set?');
  const [first, ...others] = text.split(',').map((part, at) => {
    const [, id = '', base64] = /^\s*([^:]*):\s*([A-Za-z0-9+/_-]+={0,2})\s*$/.exec(part) ?? [];
    if (base64 === undefined)
      refuse(`Sealing key ${at + 1} is not written as \`id:base64\`. Several are separated by commas.`);
    return { id, key: new Uint8Array(Buffer.from(base64, 'base64')) };
  });
  if (first === undefined) refuse('There is no sealing key.');
  const keys: SealingKeys = [first, ...others];
  new KeyRing(keys); // Throws if the keys are invalid.
  return keys;
}

const MAKE_ONE =
  'Make one with `openssl rand -base64 32`, and pass `parseSealingKeys("2026-11:the output")`, or 32 random bytes as `key`.';

/** @param remedy what to do; without it, how to make a key */
function refuse(what: string, remedy = MAKE_ONE): never {
  const sentences = [what, remedy, 'Nothing was read or written.'].filter((sentence) => sentence !== '');
  throw new InvalidArgumentError(sentences.join(' '), { field: 'sealingKeys' });
}

/** How many derived keys are cached. Deriving a key costs about as much as opening an entry. */
const MOST_DERIVED = 4096;

/** The sealing keys, ready for use. Each partition has a key of its own, derived from the sealing key and the partition's name. */
export class KeyRing {
  readonly #keys = new Map<string, KeyObject>();
  readonly #derived = new Map<string, KeyObject>();
  /** The id of the key that seals. */
  readonly sealsWith: string;

  /** @throws InvalidArgumentError */
  constructor(keys: SealingKeys, sealWith?: string) {
    for (const given of keys as readonly unknown[]) {
      const { id, key } = isRecord(given) ? given : {};
      if (typeof id !== 'string' || !SEALING_KEY_ID.test(id))
        refuse("A sealing key's id has 1 to 32 of A-Z a-z 0-9 . _ -, such as `2026-11`.", '');
      if (!(key instanceof Uint8Array)) refuse(`The sealing key ${id} is ${typeof key}, and not 32 bytes.`);
      if (key.byteLength !== 32) refuse(`The sealing key ${id} has ${key.byteLength} bytes instead of 32.`);
      if (key.every((byte) => byte === key[0])) refuse(`The sealing key ${id} is not random.`);
      if (this.#keys.has(id))
        refuse(`Two sealing keys are called ${id}.`, 'Give each its own id, and keep the id that a key had.');
      this.#keys.set(id, createSecretKey(key));
    }
    const [first] = this.#keys.keys();
    if (first === undefined) refuse('There is no sealing key.');
    this.sealsWith = sealWith ?? first;
    if (!this.#keys.has(this.sealsWith))
      throw new InvalidArgumentError(
        `sealWith names ${JSON.stringify(sealWith)}, and no sealing key has that id. Name one of ${[...this.#keys.keys()].join(', ')}. Nothing was read or written.`,
        { field: 'sealWith' },
      );
  }

  /**
   * Returns the key of one partition; undefined if there is no sealing key with this id. Random nonces of 96 bits are safe for
   * 2³² sealings under one key; a site with a million users would reach that within months if all shared one key.
   *
   * Format 2 derives it from the store key, so that a job that lists a store can reseal it. Format 1 derived it from the id.
   */
  keyFor(
    id: string,
    format: number,
    { kind, id: partition, key: storeKey }: PartitionName,
  ): KeyObject | undefined {
    const key = this.#keys.get(id);
    if (key === undefined) return undefined;
    const known = `${format} ${id} ${storeKey}`;
    const found = this.#derived.get(known);
    if (found !== undefined) return found;
    const name =
      format === 1
        ? `tokenkeep partition 1\n${kind}\n${partition ?? ''}`
        : `tokenkeep partition 2\n${storeKey}`;
    const derived = createSecretKey(createHmac('sha256', key).update(name).digest());
    this.#derived.set(known, derived);
    const [oldest] = this.#derived.keys();
    if (this.#derived.size > MOST_DERIVED && oldest !== undefined) this.#derived.delete(oldest);
    return derived;
  }
}
