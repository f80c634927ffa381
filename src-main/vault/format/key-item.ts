// FORMAT.md, "The key in the keychain" and "The mark file".
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { isArray, isObject } from '../../cache/json.ts';
import { KEY_LENGTH, markKey } from './header.ts';
import { descendsFrom, type FileState, type History, isFurther } from './history.ts';

/**
 * The position of a vault's file when this machine last acknowledged a commit, so that an older or shorter file is
 * detected. It is a lower bound: a file may be ahead of it, but never behind.
 */
export interface Mark extends FileState {
  /** Offset at which the last acknowledged frame ends. 0: unknown within this generation. */
  end: number;
  /** Tag of the frame that ends there; empty if `end` is 0. */
  tag: Buffer;
  /** The id of that frame's writer; empty if `end` is 0. */
  writer: string;
  /** The newest tombstones, so that an older file does not bring back an account that was signed out. */
  tombstones: readonly MarkedTombstone[];
}

/** A tombstone without its time. */
export interface MarkedTombstone {
  mark: string;
  epoch: number;
}

/** The contents of one keychain slot. */
export interface KeyItem {
  key: Buffer;
  mark: Mark | null;
  /** Absolute path of the vault when the item was written; `null` if it was too long, or is unknown. */
  file: string | null;
  /** SHA-256 of a path that was too long, so that a copy elsewhere can be told from the vault. */
  fileHash: Buffer | null;
  /** A label for users who inspect their keychain. It has no other meaning. */
  name: string;
}

/** Windows allows 2,560 bytes. A path takes up to MAX_PATH of the rest. */
const MAX_TOMBSTONES = 16;
const MAX_PATH = 1_000;
const MAX_NAME = 200;

/** Encodes an item as JSON in printable ASCII, which every keychain accepts. */
export function encodeKeyItem({ key, mark, file, name }: Omit<KeyItem, 'fileHash'>): string {
  const isShort = file !== null && ascii(file).length <= MAX_PATH;
  return ascii({
    key: key.toString('base64'),
    ...(mark === null ? {} : { mark: encodeMark(mark, MAX_TOMBSTONES) }),
    ...(file === null ? {} : isShort ? { file } : { fileHash: hashOf(file).toString('base64') }),
    ...(ascii(name).length > MAX_NAME ? {} : { name }),
  });
}

function hashOf(path: string): Buffer {
  return createHash('sha256').update(path, 'utf8').digest();
}

/** Returns whether an item was stored for the vault at this path; `null` if it does not say. */
export function isStoredFor({ file, fileHash }: KeyItem, path: string): boolean | null {
  if (file !== null) return file === path;
  return fileHash === null ? null : fileHash.equals(hashOf(path));
}

function ascii(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `null` if the item is not the key of a vault. */
export function decodeKeyItem(text: string): KeyItem | null {
  const json = parse(text);
  if (!isObject(json) || typeof json['key'] !== 'string') return null;
  const key = Buffer.from(json['key'], 'base64');
  if (key.length !== KEY_LENGTH || key.toString('base64') !== json['key']) return null;
  const { file, fileHash, name } = json;
  return {
    key,
    mark: decodeMark(json['mark']),
    file: typeof file === 'string' ? file : null,
    fileHash: typeof fileHash === 'string' ? Buffer.from(fileHash, 'base64') : null,
    name: typeof name === 'string' ? name : '',
  };
}

function encodeMark({ generation, end, tag, writer, tombstones }: Mark, most: number): object {
  const newest = [...tombstones].sort((a, b) => b.epoch - a.epoch).slice(0, most);
  return {
    generation: generation.toString(),
    end,
    tag: tag.toString('base64'),
    writer,
    tombstones: newest.map(({ mark, epoch }) => [mark, epoch]),
  };
}

function decodeMark(json: unknown): Mark | null {
  if (!isObject(json)) return null;
  const { generation, end, tag, writer, tombstones } = json;
  if (typeof generation !== 'string' || !/^\d{1,20}$/.test(generation)) return null;
  if (typeof end !== 'number' || !Number.isSafeInteger(end) || end < 0 || typeof tag !== 'string')
    return null;
  if (typeof writer !== 'string' || !isArray(tombstones)) return null;
  const marked: MarkedTombstone[] = [];
  for (const row of tombstones) {
    if (!isArray(row)) return null;
    const [mark, epoch] = row;
    if (typeof mark !== 'string' || typeof epoch !== 'number') return null;
    marked.push({ mark, epoch });
  }
  const state = { generation: BigInt(generation), end, tag: Buffer.from(tag, 'base64'), writer };
  return { ...state, tombstones: marked };
}

/** The position of a file, to compare with a mark. */
export interface Position {
  generation: bigint;
  /** The offset at which its last intact frame ends. */
  end: number;
  /** The tag of the frame that ends at this offset, if there is one. */
  tagAt: (end: number) => Buffer | null;
  /** The states that it descends from. */
  history: History;
}

/** Returns whether the file is older or shorter than the mark, or has diverged from it. */
export function isBehind({ generation, end, tagAt, history }: Position, mark: Mark): boolean {
  if (generation < mark.generation) return true;
  if (mark.end === 0) return false;
  if (generation > mark.generation) return !descendsFrom(history, mark);
  return end < mark.end || tagAt(mark.end)?.equals(mark.tag) !== true;
}

/** Returns whether a file at this state may replace the mark: the mark is not further, and nothing shows that the file does not descend from it. */
export function isPast(file: FileState & Pick<Position, 'history'>, mark: Mark): boolean {
  return !isFurther(mark, file) && (mark.end === 0 || descendsFrom(file.history, mark));
}

/** Merges several marks: the furthest position, and the tombstones of all. */
export function latestMark(marks: readonly (Mark | null)[]): Mark | null {
  let latest: Mark | null = null;
  const tombstones = new Map<string, MarkedTombstone>();
  for (const mark of marks) {
    if (mark === null) continue;
    if (latest === null || isFurther(mark, latest)) latest = mark;
    for (const one of mark.tombstones) {
      if ((tombstones.get(one.mark)?.epoch ?? 0) < one.epoch) tombstones.set(one.mark, one);
    }
  }
  return latest === null ? null : { ...latest, tombstones: [...tombstones.values()] };
}

/**
 * The mark file, used while the keychain is not available. It is authenticated under each key that an older copy of
 * the vault may have, and has all tombstones: a sign-out that the keychain does not know may be any of them.
 */
export function encodeMarkFile(mark: Mark, fileId: Buffer, keys: readonly Buffer[]): Buffer {
  const text = JSON.stringify(encodeMark(mark, mark.tombstones.length));
  const macs = keys.map((key) => macOf(text, key, fileId).toString('base64'));
  return Buffer.from(JSON.stringify({ file: fileId.toString('hex'), mark: text, macs }), 'utf8');
}

/** `null` if it does not belong to this file, or is not authentic under this key. */
export function decodeMarkFile(bytes: Buffer, fileId: Buffer, key: Buffer): Mark | null {
  const json = parse(bytes.toString('utf8'));
  if (!isObject(json) || json['file'] !== fileId.toString('hex')) return null;
  const { mark, macs } = json;
  if (typeof mark !== 'string' || !isArray(macs)) return null;
  const own = macOf(mark, key, fileId);
  const isAuthentic = macs.some((mac) => {
    const other = typeof mac === 'string' ? Buffer.from(mac, 'base64') : own.subarray(1);
    return other.length === own.length && timingSafeEqual(other, own);
  });
  return isAuthentic ? decodeMark(parse(mark)) : null;
}

function macOf(text: string, key: Buffer, fileId: Buffer): Buffer {
  return createHmac('sha256', markKey(key, fileId)).update(text, 'utf8').digest();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
