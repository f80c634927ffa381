/**
 * The bytes of an entry.
 *
 *     "TKP", version (1), kind: 0 plain text, 1 AES-256-GCM
 *     kind 0: the contents
 *     kind 1: length of the key's id, the key's id, nonce (12), ciphertext of the contents, tag (16)
 *
 * Associated data: all before the nonce, then the partition's kind, a line feed and its id. So an entry that was put under
 * another partition's key can't be opened there.
 *
 * The contents are one line of JSON (`{}`, or `{"owner":"…"}`) and the cache document.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { PartitionError, type PartitionErrorCode } from '../errors.ts';
import type { PartitionName } from './partition-name.ts';
import type { KeyRing } from './sealing-keys.ts';

const MAGIC = Buffer.from('TKP');
const VERSION = 1;
const PLAIN = 0;
const SEALED = 1;
const START = 5;
const NONCE = 12;
const TAG = 16;

export interface Contents {
  readonly document: string;
  /** The app's own id of the user, where the partition is bound to one. */
  readonly owner: string | undefined;
}

/** Who reads and writes: with keys, or null for plain text, which must have been asked for by name. */
export type Sealing = KeyRing | null;

export function writeEntry(contents: Contents, name: PartitionName, sealing: Sealing): Uint8Array {
  const { document, owner } = contents;
  const text = Buffer.from(`${JSON.stringify(owner === undefined ? {} : { owner })}\n${document}`);
  if (sealing === null) return Buffer.concat([MAGIC, Buffer.from([VERSION, PLAIN]), text]);
  const id = Buffer.from(sealing.newest);
  const head = Buffer.concat([MAGIC, Buffer.from([VERSION, SEALED, id.length]), id]);
  const key = sealing.keyFor(sealing.newest, name);
  if (key === undefined) throw new Error('The newest sealing key is gone.'); // KeyRing keeps what it names.
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
  cipher.setAAD(associated(head, name));
  return Buffer.concat([head, nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

/** @throws PartitionError where it can't be opened; it must then be left alone */
export function readEntry(bytes: Uint8Array, name: PartitionName, sealing: Sealing): Contents {
  const entry = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!entry.subarray(0, MAGIC.length).equals(MAGIC)) throw fault('partition_foreign', name);
  const [version, kind] = [entry[3], entry[4]];
  if (version === undefined || kind === undefined) throw fault('partition_damaged', name);
  if (version > VERSION) throw fault('partition_newer', name);
  if (version !== VERSION || kind > SEALED) throw fault('partition_damaged', name);
  if ((kind === PLAIN) !== (sealing === null)) throw fault('partition_plain_text', name);
  return contentsOf(sealing === null ? entry.subarray(START) : opened(entry, name, sealing), name);
}

function opened(entry: Buffer, name: PartitionName, sealing: KeyRing): Buffer {
  const headLength = START + 1 + (entry[START] ?? 0);
  if (entry.length < headLength + NONCE + TAG) throw fault('partition_damaged', name);
  const key = sealing.keyFor(entry.toString('latin1', START + 1, headLength), name);
  if (key === undefined) throw fault('partition_unknown_key', name);
  const nonce = entry.subarray(headLength, headLength + NONCE);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
  decipher.setAAD(associated(entry.subarray(0, headLength), name));
  decipher.setAuthTag(entry.subarray(-TAG));
  try {
    return Buffer.concat([decipher.update(entry.subarray(headLength + NONCE, -TAG)), decipher.final()]);
  } catch (cause) {
    throw fault('partition_damaged', name, cause);
  }
}

function associated(head: Buffer, { kind, id }: PartitionName): Buffer {
  return Buffer.concat([head, Buffer.from(`${kind}\n${id}`)]);
}

function contentsOf(text: Buffer, name: PartitionName): Contents {
  const end = text.indexOf(0x0a);
  try {
    const about: unknown = JSON.parse(text.toString('utf8', 0, end));
    if (end < 0 || typeof about !== 'object' || about === null) throw fault('partition_damaged', name);
    const owner = 'owner' in about && typeof about.owner === 'string' ? about.owner : undefined;
    return { owner, document: text.toString('utf8', end + 1) };
  } catch {
    throw fault('partition_damaged', name); // Without the cause: it quotes what was stored.
  }
}

type Unopened = Exclude<
  PartitionErrorCode,
  'partition_other_user' | 'partition_too_large' | 'partition_busy'
>;

const SAYINGS: Record<Unopened, string> = {
  partition_foreign: 'is not an entry of Tokenkeep: something else uses this key',
  partition_newer: 'was written by a newer version of Tokenkeep: use that version',
  partition_damaged: 'was cut off or changed, or belongs to another partition',
  partition_unknown_key: 'is sealed with a key that is not among the sealing keys: give that key too',
  partition_plain_text:
    'is not sealed where sealing is asked for, or sealed where plain text is: one of the two settings is wrong',
};

/** One message for all that can't be opened: what it is, and that it was left alone. */
export function fault(code: Unopened, { key }: PartitionName, cause?: unknown): PartitionError {
  return new PartitionError(
    code,
    key,
    `What is stored for the partition ${key} ${SAYINGS[code]}. It was left as it is; remove() deletes it, and the user signs in again.`,
    cause === undefined ? {} : { cause },
  );
}
