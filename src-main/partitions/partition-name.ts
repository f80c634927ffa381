/** Partition ids, and the store keys made from them. */
import { hash } from 'node:crypto';
import { InvalidArgumentError } from '../errors.ts';

/** The limit in UTF-8 bytes, longer than any account id, session id or URL that identifies a user. */
const MAX_BYTES = 512;

/** Ids of different kinds never share a key. */
export type PartitionKind = 'user' | 'app' | 'index' | 'mark' | 'probe';

/** A partition's id, and its key in the store. */
export interface PartitionName {
  readonly kind: PartitionKind;
  /** undefined if only the key is known; entries of format 1 cannot be opened then. */
  readonly id: string | undefined;
  /**
   * SHA-256 of the kind and the id, base64url. Listed keys and logged errors reveal neither
   * account ids nor session ids, and every key has the same length and safe characters.
   */
  readonly key: string;
}

/** @throws InvalidArgumentError for an id that is empty, longer than 512 bytes, or has control characters or lone surrogates */
export function partitionName(kind: PartitionKind, id: string): PartitionName {
  const wrong = faultIn(id);
  if (wrong !== undefined) {
    throw new InvalidArgumentError(`A partition's id ${wrong}. Nothing was read or written.`);
  }
  return { kind, id, key: hash('sha256', `${kind}\n${id}`, 'base64url') };
}

function faultIn(id: unknown): string | undefined {
  if (typeof id !== 'string') return 'must be a string';
  if (id === '') return 'must not be empty';
  if (id.length > MAX_BYTES || Buffer.byteLength(id) > MAX_BYTES)
    return `must not be longer than ${MAX_BYTES} bytes`;
  // A lone surrogate becomes U+FFFD in UTF-8, so that two such ids would share a partition.
  if (/[\p{Cc}\p{Cs}]/u.test(id)) return 'must not contain control characters or lone surrogates';
  return undefined;
}
