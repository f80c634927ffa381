/**
 * Encodes and decodes the bytes of an entry, format 2.
 *
 *     "TKP", version (2), kind: 0 plain text, 1 AES-256-GCM
 *     kind 0: the contents
 *     kind 1: length of the key id, the key id, nonce (12), ciphertext of the packed contents, tag (16)
 *
 * Associated data: everything before the nonce, then the partition's key in the store. An entry that was copied under another
 * key cannot be opened there.
 *
 * The contents are one line of JSON (EntryMetadata) and the cache document. Format 1, which is still read, packs
 * nothing and seals by the partition's id instead of its key.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { PartitionError, type PartitionErrorCode } from '../errors.ts';
import { pack, unpack } from './packing.ts';
import type { PartitionName } from './partition-name.ts';
import { type KeyRing, SEALING_KEY_ID } from './sealing-keys.ts';
import { randomBytesOf } from './random.ts';

const MAGIC = Buffer.from('TKP');
const VERSION = 2;
const PLAIN = 0;
const SEALED = 1;
const START = 5;
const NONCE = 12;
const TAG = 16;

/** Metadata stored with the document of an entry. Unknown fields of a later version are dropped. */
export interface EntryMetadata {
  /** The app's own id of the user, where the partition is bound to one. */
  readonly owner?: string;
  /** A random number that a new entry gets. */
  readonly born?: number;
  /** How many accounts have been signed out of the entry since it was created. */
  readonly epoch?: number;
  /** Tombstones of signed-out accounts: hash, epoch, time in seconds. See tombstones.ts. */
  readonly tombstones?: readonly (readonly [mark: string, epoch: number, at: number])[];
  /** The dialect and layout of the document as it came in, which the stored form does not show. */
  readonly dialect?: string | null;
  readonly layout?: readonly [indent: number, end: string, ascii: boolean];
  /** Where the partition is listed. In an index: the partitions of one user. See user-index.ts. */
  readonly index?: readonly unknown[];
  /** In an index: until when a partition that it has dropped may exist, in seconds since the epoch; null: for ever. */
  readonly dropped?: number | null;
  /** The provider's sessions that ID tokens have named: a hash of the user, the session, the epoch until which the user was not signed out. */
  readonly sids?: readonly (readonly [user: string, sid: string, epoch: number])[] | undefined;
}

export interface Contents {
  readonly document: string;
  readonly metadata: EntryMetadata;
}

/** The contents of an entry that is written. */
interface NewContents extends Contents {
  /** The secrets that `apart` has taken out of the document. Default: none. */
  readonly secrets?: readonly string[];
}

/** How entries are sealed. If `keys` is null, entries are plain text, which must be requested explicitly. */
export interface Sealing {
  readonly keys: KeyRing | null;
  /** Whether plain-text entries are read too, while an app migrates to sealing. */
  readonly acceptPlainText: boolean;
}

export function writeEntry(
  { document, metadata, secrets }: NewContents,
  name: PartitionName,
  { keys }: Sealing,
): Uint8Array {
  const contents = `${JSON.stringify(metadata)}\n${document}`;
  if (keys === null) return Buffer.concat([MAGIC, Buffer.from([VERSION, PLAIN]), Buffer.from(contents)]);
  return seal(pack(contents, secrets), name, keys);
}

function seal(packed: Uint8Array, name: PartitionName, keys: KeyRing): Uint8Array {
  const id = Buffer.from(keys.sealsWith);
  const head = Buffer.concat([MAGIC, Buffer.from([VERSION, SEALED, id.length]), id]);
  const key = keys.keyFor(keys.sealsWith, VERSION, name);
  if (key === undefined) throw new Error('The sealing key is gone.'); // Unreachable: KeyRing keeps the key that it names.
  const nonce = randomBytesOf(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
  cipher.setAAD(associated(head, VERSION, name));
  return Buffer.concat([head, nonce, cipher.update(packed), cipher.final(), cipher.getAuthTag()]);
}

/** Seals an entry with the current key. What is packed stays so. @throws PartitionError as `readEntry` */
export function resealEntry(bytes: Uint8Array, name: PartitionName, sealing: Sealing): Uint8Array {
  const entry = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { version, kind } = headOf(entry, name);
  const { keys } = sealing;
  return keys !== null && kind === SEALED && version === VERSION
    ? seal(open(entry, version, name, keys), name, keys)
    : writeEntry(readEntry(bytes, name, sealing), name, sealing);
}

/** @throws PartitionError if the entry cannot be opened; it must then be left unchanged */
export function readEntry(bytes: Uint8Array, name: PartitionName, sealing: Sealing): Contents {
  const entry = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { version, kind } = headOf(entry, name);
  const { keys } = sealing;
  if (kind === PLAIN) {
    if (keys !== null && !sealing.acceptPlainText)
      throw fault('partition_plain_text', name, 'is plain text, and the caches seal: set acceptPlainText');
    return contentsOf(entry.toString('utf8', START), name);
  }
  if (keys === null)
    throw fault('partition_plain_text', name, "is sealed, and sealingKeys is 'plain-text': pass the keys");
  const opened = open(entry, version, name, keys);
  if (version === 1) return contentsOf(opened.toString('utf8'), name);
  try {
    return contentsOf(unpack(opened), name);
  } catch (cause) {
    if (cause instanceof PartitionError) throw cause;
    throw fault('partition_damaged', name, DAMAGED); // Omits the cause, which may quote stored data.
  }
}

/** Returns the id of the key that sealed an entry, or null for plain text, without opening it. @throws PartitionError */
export function sealedWith(bytes: Uint8Array, name: PartitionName): string | null {
  const entry = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { kind } = headOf(entry, name);
  return kind === PLAIN ? null : entry.toString('latin1', START + 1, START + 1 + (entry[START] ?? 0));
}

function headOf(entry: Buffer, name: PartitionName): { version: number; kind: number } {
  if (!entry.subarray(0, MAGIC.length).equals(MAGIC)) throw fault('partition_foreign', name, FOREIGN);
  const [version, kind] = [entry[3], entry[4]];
  if (version === undefined || kind === undefined) throw fault('partition_damaged', name, DAMAGED);
  if (version > VERSION) throw fault('partition_newer', name, NEWER);
  if (version < 1 || kind > SEALED) throw fault('partition_damaged', name, DAMAGED);
  return { version, kind };
}

function open(entry: Buffer, version: number, name: PartitionName, keys: KeyRing): Buffer {
  const headLength = START + 1 + (entry[START] ?? 0);
  if (entry.length < headLength + NONCE + TAG) throw fault('partition_damaged', name, DAMAGED);
  const id = entry.toString('latin1', START + 1, headLength);
  const key = keys.keyFor(id, version, name);
  const called = SEALING_KEY_ID.test(id) ? ` ${id}` : ''; // An entry that was changed may contain anything.
  if (key === undefined)
    throw fault(
      'partition_unknown_key',
      name,
      `is sealed with the key${called}, which is not among the sealing keys: add that key`,
    );
  const nonce = entry.subarray(headLength, headLength + NONCE);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
  decipher.setAAD(associated(entry.subarray(0, headLength), version, name));
  decipher.setAuthTag(entry.subarray(-TAG));
  try {
    return Buffer.concat([decipher.update(entry.subarray(headLength + NONCE, -TAG)), decipher.final()]);
  } catch (cause) {
    const why = `was truncated or changed, belongs to another partition, or was sealed with another key that was called${called} too`;
    throw fault('partition_damaged', name, why, cause);
  }
}

function associated(head: Buffer, version: number, { kind, id, key }: PartitionName): Buffer {
  return Buffer.concat([head, Buffer.from(version === 1 ? `${kind}\n${id ?? ''}` : key)]);
}

function contentsOf(text: string, name: PartitionName): Contents {
  const end = text.indexOf('\n');
  try {
    const metadata: unknown = JSON.parse(text.slice(0, Math.max(end, 0)));
    if (typeof metadata !== 'object' || metadata === null) throw fault('partition_damaged', name, DAMAGED);
    return { metadata, document: text.slice(end + 1) };
  } catch {
    throw fault('partition_damaged', name, DAMAGED); // Omits the cause, which quotes stored data.
  }
}

type Unopened = Extract<
  PartitionErrorCode,
  | 'partition_foreign'
  | 'partition_newer'
  | 'partition_damaged'
  | 'partition_unknown_key'
  | 'partition_plain_text'
>;

const FOREIGN = 'is not an entry of Tokenkeep: another program uses this key';
const NEWER = 'was written by a newer version of Tokenkeep: use that version';
const DAMAGED = 'was truncated or changed';

/**
 * Returns the error for an entry that cannot be opened. Its message says why, and that the entry was left unchanged.
 *
 * @param why the end of a sentence about the entry
 */
export function fault(
  code: Unopened,
  { kind, key }: PartitionName,
  why: string,
  cause?: unknown,
): PartitionError {
  const message =
    kind === 'index'
      ? `The entry ${key} in the index of users ${why}. It was not changed. Its user was not signed out of partitions that only this entry lists. It expires with them; to end them now, delete it and sign the user out again.`
      : `The entry of partition ${key} ${why}. It was not changed. remove() deletes it; the user then signs in again.`;
  return new PartitionError(code, key, message, cause === undefined ? {} : { cause });
}
