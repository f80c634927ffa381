// FORMAT.md, "Bodies".
import { randomBytes } from 'node:crypto';
import { TAG_LENGTH, type FrameContent } from './frame.ts';
import { isArray, isObject } from './json.ts';
import { KEY_LENGTH } from './keys.ts';
import { decodeNotes, encodeNotes, type Notes } from './notes.ts';
import { SealedSecret, type SecretsKey, sealSecret, withSealedSecret } from './secret.ts';

/** One place of the cache document, set or emptied. `key: null`: the whole root of that name. */
export interface Change {
  readonly section: string;
  readonly key: string | null;
  /** The entry, any JSON value but undefined. Absent: it is removed. */
  readonly after?: unknown;
}

/** What a frame after the first one says: one committed batch. */
export interface Batch extends Notes {
  changes: readonly Change[];
}

/** `[section, key]` removes, `[section, key, value]` sets, and a fourth member is its sealed secret's length. */
type Row = [string, string | null] | [string, string | null, unknown] | [string, string, object, number];

/** A frame's body is 32 random bytes, the key of its secrets, and then JSON. */
export function encodeBody(json: unknown, secretsKey: Buffer): Buffer {
  return Buffer.concat([secretsKey, Buffer.from(JSON.stringify(json), 'utf8')]);
}

/** `null` where it is no body. */
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

// Has no UTF-8; such a string stays in the frame's JSON, which escapes it.
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Seals the secrets of what is set anew, those that were sealed elsewhere included. */
export function encodeBatch(
  batch: Batch,
  fileId: Buffer,
  secretsKey: Buffer = randomBytes(KEY_LENGTH),
): FrameContent {
  const frame = { key: secretsKey, fileId };
  const sealed: Buffer[] = [];
  const rows = batch.changes.map((change): Row => {
    const { section, key } = change;
    const value = change.after;
    if (value === undefined) return [section, key];
    if (key === null || !isObject(value)) return [section, key, value];
    const fields = Object.entries(value);
    const secret = fields.find(([name]) => name === 'secret')?.[1];
    if (typeof secret !== 'string' || LONE_SURROGATE.test(secret)) return [section, key, value];
    const bytes = sealSecret(frame, sealed.length, section, key, secret);
    sealed.push(bytes);
    const open = Object.fromEntries(fields.map(([name, field]) => [name, name === 'secret' ? null : field]));
    return [section, key, open, bytes.length];
  });
  return {
    body: encodeBody({ changes: rows, ...encodeNotes(batch) }, secretsKey),
    sealed: Buffer.concat(sealed),
  };
}

/** Entries come back with their secrets still sealed. `null` where the content is not what FORMAT.md says. */
export function decodeBatch(content: FrameContent, fileId: Buffer): Batch | null {
  const decoded = decodeBody(content.body);
  if (decoded === null || !isObject(decoded.json)) return null;
  const { changes: rows } = decoded.json;
  const notes = decodeNotes(decoded.json);
  if (!isArray(rows) || notes === null) return null;
  const frame: SecretsKey = { key: decoded.secretsKey, fileId };
  const changes: Change[] = [];
  let index = 0;
  let at = 0;
  for (const row of rows) {
    const change = decodeRow(row);
    if (change === null) return null;
    if ('plain' in change) {
      changes.push(change.plain);
      continue;
    }
    const { section, key, fields, sealedLength } = change;
    const bytes = content.sealed.subarray(at, at + sealedLength);
    const secret = new SealedSecret(frame, index, section, key, bytes);
    changes.push({ section, key, after: withSealedSecret(fields, secret) });
    index += 1;
    at += sealedLength;
  }
  return at === content.sealed.length ? { changes, ...notes } : null;
}

type DecodedRow =
  | { plain: Change }
  | { section: string; key: string; fields: Record<string, unknown>; sealedLength: number };

function decodeRow(row: unknown): DecodedRow | null {
  if (!isArray(row)) return null;
  const [section, key, value, sealedLength] = row;
  if (typeof section !== 'string' || !(typeof key === 'string' || key === null)) return null;
  if (row.length === 2) return { plain: { section, key } };
  if (row.length === 3) return { plain: { section, key, after: value } };
  if (row.length !== 4 || key === null || !isObject(value) || !Object.hasOwn(value, 'secret')) return null;
  if (typeof sealedLength !== 'number' || !Number.isSafeInteger(sealedLength)) return null;
  return sealedLength < TAG_LENGTH ? null : { section, key, fields: value, sealedLength };
}
