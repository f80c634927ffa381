/** How an id becomes a key, and which ids are none. */
import { createHash } from 'node:crypto';
import { InvalidArgumentError } from '../errors.ts';

/** In UTF-8. Longer than any account id, session id or URL that names a user. */
const MAX_BYTES = 512;

/** Ids of the two kinds can't meet, whatever a user is called. */
export type PartitionKind = 'user' | 'app';

export interface PartitionName {
  readonly kind: PartitionKind;
  readonly id: string;
  /**
   * SHA-256, base64url. Ids are account ids or session ids: who may list a store's keys, or reads an error in a log,
   * learns neither; and a key has the same length and harmless characters whatever the id has.
   */
  readonly key: string;
}

/** @throws InvalidArgumentError where the id is empty, longer than 512 bytes, or has control characters or half a character */
export function partitionName(kind: PartitionKind, id: string): PartitionName {
  const wrong = faultIn(id);
  if (wrong !== undefined) {
    throw new InvalidArgumentError(`A partition's id ${wrong}. Nothing was read or written.`);
  }
  return { kind, id, key: createHash('sha256').update(`${kind}\n${id}`).digest('base64url') };
}

function faultIn(id: unknown): string | undefined {
  if (typeof id !== 'string') return 'must be a string';
  if (id === '') return 'must not be empty';
  if (id.length > MAX_BYTES || Buffer.byteLength(id) > MAX_BYTES)
    return `must not be longer than ${MAX_BYTES} bytes`;
  // Half of a surrogate pair becomes U+FFFD in UTF-8, so that two such ids would share a partition.
  if (/[\p{Cc}\p{Cs}]/u.test(id)) return 'must not have control characters or halves of surrogate pairs';
  return undefined;
}
