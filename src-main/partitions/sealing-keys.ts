import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { InvalidArgumentError } from '../errors.ts';
import type { PartitionName } from './partition-name.ts';

/** A key, and the name by which entries say that it sealed them. */
export interface SealingKey {
  /** Up to 32 of `A-Z a-z 0-9 . _ -`; stands in the clear in every entry that this key sealed. */
  readonly id: string;
  /** 32 random bytes. */
  readonly key: Uint8Array;
}

/** Newest first: the first seals, all open. */
export type SealingKeys = readonly [SealingKey, ...SealingKey[]];

/**
 * Sealing keys as they come from a secret store or an environment variable: `id:base64` each, separated by commas, newest
 * first. Make one with `openssl rand -base64 32`.
 *
 * @throws InvalidArgumentError; the message holds no part of a key
 */
export function parseSealingKeys(text: string): SealingKeys {
  const [first, ...others] = text.split(',').map((part) => {
    const [, id = '', base64 = ''] = /^\s*([^:]*):\s*([A-Za-z0-9+/_-]+={0,2})\s*$/.exec(part) ?? [];
    return { id, key: new Uint8Array(Buffer.from(base64, 'base64')) };
  });
  if (first === undefined) throw new InvalidArgumentError('There is no sealing key.');
  const keys: SealingKeys = [first, ...others];
  new KeyRing(keys); // Complains where something is wrong.
  return keys;
}

/** The keys as they are used: each partition has one of its own, made from the sealing key and the partition's name. */
export class KeyRing {
  readonly #keys = new Map<string, KeyObject>();
  /** The id of the key that seals. */
  readonly newest: string;

  /** @throws InvalidArgumentError */
  constructor(keys: SealingKeys) {
    for (const { id, key } of keys) {
      if (!/^[A-Za-z0-9._-]{1,32}$/.test(id))
        throw new InvalidArgumentError("A sealing key's id has 1 to 32 of A-Z a-z 0-9 . _ -");
      if (!(key instanceof Uint8Array) || key.byteLength !== 32)
        throw new InvalidArgumentError(`The sealing key ${id} must have 32 bytes.`);
      if (key.every((byte) => byte === key[0]))
        throw new InvalidArgumentError(`The sealing key ${id} is not random.`);
      if (this.#keys.has(id)) throw new InvalidArgumentError(`Two sealing keys are called ${id}.`);
      this.#keys.set(id, createSecretKey(key));
    }
    const [first] = this.#keys.keys();
    if (first === undefined) throw new InvalidArgumentError('There is no sealing key.');
    this.newest = first;
  }

  /**
   * The key of one partition; undefined where there is no sealing key of this id. Random nonces of 96 bits are good for
   * 2³² sealings under one key: a site of a million users would be there within months with one key for all.
   */
  keyFor(id: string, { kind, id: partition }: PartitionName): Uint8Array | undefined {
    const key = this.#keys.get(id);
    if (key === undefined) return undefined;
    return createHmac('sha256', key).update(`tokenkeep partition 1\n${kind}\n${partition}`).digest();
  }
}
