// FORMAT.md, "Bodies", "Batches" and "Metadata".
import { type Cipher, createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { freezeJson, isArray, isObject, isRecord } from '../../cache/json.ts';
import { type FrameContent, seedsFrom } from './frame.ts';
import { KEY_LENGTH } from './header.ts';

/** A change of one place of the cache document. `key: null`: the whole root of that name. */
export interface StoredChange {
  readonly section: string;
  readonly key: string | null;
  /** The entry, any JSON value but undefined. Absent: the entry is removed. */
  readonly after?: unknown;
}

/** The contents of a frame after the first one: one committed batch. */
export interface Batch extends FrameMetadata {
  changes: readonly StoredChange[];
}

/** `[section, key]` removes, `[section, key, value]` sets; a fourth member is the length of the sealed secret. */
type Row = [string, string | null] | [string, string | null, unknown] | [string, string, object, number];

/** Encodes a frame's body: 32 random bytes (the key of its secrets), then JSON, given in pieces. */
export function encodeBody(json: readonly string[], secretsKey: Buffer): Buffer {
  let length = KEY_LENGTH;
  for (const piece of json) length += Buffer.byteLength(piece, 'utf8');
  const body = Buffer.allocUnsafe(length);
  let at = secretsKey.copy(body);
  for (const piece of json) at += body.write(piece, at, 'utf8');
  return body;
}

/** Decodes a body; `null` if it is not one. */
export function decodeBody(body: Buffer): { json: unknown; secretsKey: Buffer } | null {
  if (body.length < KEY_LENGTH) return null;
  try {
    return {
      json: JSON.parse(body.toString('utf8', KEY_LENGTH)),
      secretsKey: body.subarray(0, KEY_LENGTH),
    };
  } catch {
    return null;
  }
}

// Lone surrogates have no UTF-8 encoding; such a string stays in the frame's JSON, which escapes it.
const LONE_SURROGATE = /\p{Surrogate}/u;

export interface SealedBatch {
  content: FrameContent;
  /** The same changes with sealed secrets, as a reader of the frame gets them. */
  sealed: readonly StoredChange[];
}

/** Keys of the secrets of new frames. */
const secretsKeys = seedsFrom(randomBytes);

/** Seals the secrets of all entries that are set, including those that were sealed in other frames. */
export function sealBatch(batch: Batch, secretsKey: Buffer = secretsKeys()): SealedBatch {
  let at = 0;
  const found = batch.changes.map((change) => {
    const { section, key, after: value } = change;
    const secret = key !== null && isRecord(value) && Object.hasOwn(value, 'secret') ? value['secret'] : null;
    if (key === null || !isRecord(value) || typeof secret !== 'string' || LONE_SURROGATE.test(secret)) {
      const row: Row = value === undefined ? [section, key] : [section, key, value];
      return { row, change };
    }
    const fields = withoutSecret(value);
    const from = at;
    at += Buffer.byteLength(secret, 'utf8');
    const row: Row = [section, key, fields, at - from];
    return { row, change, sealed: { section, key, fields, secret, from, to: at } };
  });
  const plain = Buffer.allocUnsafe(at);
  for (const { sealed: one } of found) if (one !== undefined) plain.write(one.secret, one.from, 'utf8');
  const secrets = secretsStream(secretsKey, 0).update(plain);
  plain.fill(0);
  const { pending, tombstones, writer } = batch;
  const rows = found.map(({ row }) => row);
  const json = JSON.stringify({ changes: rows, pending, tombstones: tombstones?.map(rowOf), writer });
  const body = encodeBody([json], secretsKey);
  const sealed = found.map(({ change, sealed: one }): StoredChange => {
    if (one === undefined) return change;
    const { section, key, fields, from, to } = one;
    const secret = new SealedSecret(secretsKey, from, secrets.subarray(from, to));
    return { section, key, after: withSealedSecret(fields, secret) };
  });
  return { content: { body, sealed: secrets }, sealed };
}

/** Like `sealBatch`, but returns only the content. */
export function encodeBatch(batch: Batch, secretsKey?: Buffer): FrameContent {
  return sealBatch(batch, secretsKey).content;
}

/** Returns a copy with null in the place of `secret`. */
function withoutSecret(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    if (name === 'secret') fields[name] = null;
    else if (name !== '__proto__') fields[name] = value[name];
    else Object.defineProperty(fields, name, { value: value[name], enumerable: true });
  }
  return fields;
}

/**
 * Decodes a batch. Secrets of the entries stay sealed, in a copy, so that the content need not stay in memory. `null` if the content does
 * not conform to FORMAT.md.
 */
export function decodeBatch(content: FrameContent): Batch | null {
  const decoded = decodeRows(content);
  if (decoded === null) return null;
  const kept = Buffer.concat([decoded.secretsKey, content.sealed]);
  const secretsKey = kept.subarray(0, KEY_LENGTH);
  const sealed = kept.subarray(KEY_LENGTH);
  let at = 0;
  const changes = decoded.rows.map(({ section, key, value, sealedLength }): StoredChange => {
    if (value === undefined) return { section, key };
    if (sealedLength === null || key === null || !isObject(value)) return { section, key, after: value };
    const secret = new SealedSecret(secretsKey, at, sealed.subarray(at, at + sealedLength));
    at += sealedLength;
    freezeJson(value);
    return { section, key, after: withSealedSecret(value, secret) };
  });
  return { changes, ...decoded.metadata };
}

export interface DecodedRow {
  section: string;
  key: string | null;
  /** `undefined`: the entry is removed. */
  value: unknown;
  /** `null`: the entry has no sealed secret. */
  sealedLength: number | null;
}

/** Decodes a batch without its secrets. `null` if it does not conform to FORMAT.md. */
export function decodeRows(
  content: FrameContent,
): { rows: DecodedRow[]; metadata: FrameMetadata; secretsKey: Buffer } | null {
  const decoded = decodeBody(content.body);
  if (decoded === null || !isObject(decoded.json)) return null;
  const { changes } = decoded.json;
  const metadata = decodeMetadata(decoded.json);
  if (!isArray(changes) || metadata === null) return null;
  const rows: DecodedRow[] = [];
  let sealed = 0;
  for (const change of changes) {
    const row = decodeRow(change);
    if (row === null) return null;
    rows.push(row);
    sealed += row.sealedLength ?? 0;
  }
  return sealed === content.sealed.length ? { rows, metadata, secretsKey: decoded.secretsKey } : null;
}

function decodeRow(row: unknown): DecodedRow | null {
  if (!isArray(row) || row.length < 2 || row.length > 4) return null;
  const [section, key, value, sealedLength] = row;
  if (typeof section !== 'string' || !(typeof key === 'string' || key === null)) return null;
  if (row.length < 4) return { section, key, value, sealedLength: null };
  if (key === null || !isObject(value) || !Object.hasOwn(value, 'secret')) return null;
  if (typeof sealedLength !== 'number' || !Number.isSafeInteger(sealedLength)) return null;
  return sealedLength < 0 ? null : { section, key, value, sealedLength };
}

/** The remaining step of a sign-out, so that older copies of the file can't be opened. */
export type Pending =
  /** This file's own key has to be replaced: an account was signed out while the keychain was not available. */
  | 'rotate'
  /** The key in the other slot has to be destroyed: this file was written to make that possible. */
  | 'destroy';

/** A record that an account was signed out, so that a pending refresh can't bring it back. */
export interface Tombstone {
  /** Identifies the account only to those who know it: [Note: no byte of the account] in tombstones.ts. */
  mark: string;
  /** The number of this sign-out; the first in a vault is 1. */
  epoch: number;
  /** Seconds since the epoch. */
  at: number;
}

/** A vault's metadata: everything that the file records beside its entries. */
export interface VaultMetadata {
  /** Seconds since the epoch; 0 if unknown. */
  keyMadeAt: number;
  pending: Pending | null;
  /** The number of sign-outs so far. */
  epoch: number;
  /** Tombstones for which a refresh could still be pending. */
  tombstones: readonly Tombstone[];
}

/** Adds tombstones and keeps the latest one of each account. */
export function withTombstones(
  { tombstones, epoch, ...rest }: VaultMetadata,
  added: readonly Tombstone[],
): VaultMetadata {
  const latest = new Map(tombstones.map((one) => [one.mark, one]));
  for (const one of added) {
    if ((latest.get(one.mark)?.epoch ?? 0) >= one.epoch) continue;
    latest.delete(one.mark); // Keeps the newest at the end.
    latest.set(one.mark, one);
  }
  const highest = added.reduce((most, one) => Math.max(most, one.epoch), epoch);
  return { ...rest, epoch: highest, tombstones: [...latest.values()] };
}

/** Metadata that a frame may change. Absent: no change. */
export interface FrameMetadata {
  pending?: Pending | null;
  tombstones?: readonly Tombstone[];
  /** The id of the program that wrote the frame. */
  writer?: string;
}

/** Returns the name under which a signed-out account is remembered. */
export function markOf(home_account_id: string, fileId: Buffer): string {
  return createHmac('sha256', fileId)
    .update(home_account_id.toLowerCase(), 'utf8')
    .digest()
    .toString('base64', 0, 16);
}

export function rowOf({ mark, epoch, at }: Tombstone): [string, number, number] {
  return [mark, epoch, at];
}

/** Decodes the metadata in a frame's JSON; `null` if a part does not conform to FORMAT.md. */
export function decodeMetadata(json: Record<string, unknown>): FrameMetadata | null {
  const { pending, tombstones, writer } = json;
  const metadata: FrameMetadata = {};
  if (writer !== undefined) {
    if (typeof writer !== 'string') return null;
    metadata.writer = writer;
  }
  if (pending !== undefined) {
    if (!isPending(pending)) return null;
    metadata.pending = pending;
  }
  if (tombstones !== undefined) {
    const decoded = decodeTombstones(tombstones);
    if (decoded === null) return null;
    metadata.tombstones = decoded;
  }
  return metadata;
}

export function isPending(value: unknown): value is Pending | null {
  return value === null || value === 'rotate' || value === 'destroy';
}

export function decodeTombstones(rows: unknown): Tombstone[] | null {
  if (!isArray(rows)) return null;
  const tombstones: Tombstone[] = [];
  for (const row of rows) {
    if (!isArray(row) || row.length !== 3) return null;
    const [mark, epoch, at] = row;
    if (typeof mark !== 'string' || typeof epoch !== 'number' || typeof at !== 'number') return null;
    tombstones.push({ mark, epoch, at });
  }
  return tombstones;
}

// FORMAT.md, "Sealed secrets".

const BLOCK = 16;

/** Returns a stream that encrypts or decrypts (the same operation) the secrets of a frame, from an offset on. */
function secretsStream(secretsKey: Buffer, at: number): Cipher {
  const counter = Buffer.alloc(BLOCK);
  counter.writeUInt32BE(Math.floor(at / BLOCK), BLOCK - 4);
  const stream = createCipheriv('aes-256-ctr', secretsKey, counter);
  if (at % BLOCK > 0) stream.update(Buffer.alloc(at % BLOCK));
  return stream;
}

/** A sealed secret in a frame that was authenticated. It is decrypted on every access. */
export class SealedSecret {
  readonly #secretsKey: Buffer;
  readonly #at: number;
  readonly #bytes: Buffer;

  /** @param at the offset of the bytes among the frame's sealed secrets */
  constructor(secretsKey: Buffer, at: number, bytes: Buffer) {
    this.#secretsKey = secretsKey;
    this.#at = at;
    this.#bytes = bytes;
  }

  open(): string {
    const plain = secretsStream(this.#secretsKey, this.#at).update(this.#bytes);
    try {
      return plain.toString('utf8');
    } finally {
      plain.fill(0);
    }
  }

  /**
   * Returns whether both are the same bytes under the same key, and so the same secret. (Different bytes can be the
   * same secret, sealed again.)
   */
  equals(other: SealedSecret): boolean {
    return (
      this.#at === other.#at && this.#bytes.equals(other.#bytes) && this.#secretsKey.equals(other.#secretsKey)
    );
  }

  /** Printing and JSON reveal only that there is a secret. */
  toJSON(): string {
    return '[redacted]';
  }
}

const SEALED = Symbol('sealed secret');

/**
 * Returns a copy of `fields`, whose values are frozen. Its `secret`, in its place among them, decrypts `sealed` when it is read. All entities
 * share one accessor function, which finds the secret through a non-enumerable property of its own. Fifty thousand
 * objects then share a hidden class, and a copy of all property descriptors is a working copy.
 */
export function withSealedSecret(fields: Record<string, unknown>, sealed: SealedSecret): object {
  const entity: Record<string, unknown> = {};
  for (const name in fields) {
    if (name === 'secret') Object.defineProperty(entity, name, ACCESSOR);
    else if (name === '__proto__') Object.defineProperty(entity, name, { value: fields[name], ...PLAIN });
    else entity[name] = fields[name];
  }
  Object.defineProperty(entity, SEALED, { value: sealed });
  return Object.freeze(entity);
}

const PLAIN = { enumerable: true, configurable: true, writable: true };
const ACCESSOR = {
  get(this: { [SEALED]?: SealedSecret }): string {
    const sealed = this[SEALED];
    // Never undefined: a copy that lost its secret must not pass for an entity without one.
    if (sealed === undefined) throw new TypeError('This copy of an entity has lost its sealed secret.');
    return sealed.open();
  },
  enumerable: true,
  configurable: true,
};

/** Returns the sealed secret of an entity that came out of a vault. */
export function sealedSecretOf(entity: { readonly [SEALED]?: SealedSecret }): SealedSecret | undefined {
  return entity[SEALED];
}
