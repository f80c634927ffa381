// FORMAT.md, "The manifest", the base frames that it lists, and "The whole file", for writing.
import { randomBytes } from 'node:crypto';
import { Entry } from '../../cache/entry.ts';
import { freezeJson, isArray, isObject } from '../../cache/json.ts';
import type {
  AccountOutline,
  AccountSummary,
  CredentialType,
  TokenOutline,
} from '../../cache/schema/entities.ts';
import {
  decodeBatch,
  decodeBody,
  decodeTombstones,
  encodeBody,
  isPending,
  rowOf,
  type VaultMetadata,
} from './batch.ts';
import {
  aligned,
  contentLength,
  type Findings,
  type FrameContent,
  type Holder,
  holderOf,
  NO_TAG,
  noFindings,
  PREFIX_LENGTH,
  type Sealing,
  StoredFrame,
  sealFrame,
  sealingOf,
  seedAt,
  seedStream,
  seedsFrom,
} from './frame.ts';
import type { Cursor } from './frame-reader.ts';
import {
  checkedPart,
  encodeHeader,
  FRAMES_AT,
  HEADER_COPY_AT,
  type Header,
  KEY_LENGTH,
  keyCheck,
} from './header.ts';
import type { History, Point } from './history.ts';

/** The first frame: the description of a rewritten file. */
export interface Manifest extends VaultMetadata {
  /** The id of the program that wrote the base. */
  writer: string;
  /** The states that the file descends from, without its own. */
  history: History;
  /** The dialect of the cache document; `null` if no entry has determined it yet. */
  profile: string | null;
  /** What each base frame holds, by ordinal - 1; `null`: entries without an account. No account occurs twice. */
  index: readonly (IndexRow | null)[];
}

/** An account in the index. Lists show it without reading the account's frame, and it names a lost account. */
export interface IndexRow {
  /** Lower-cased. */
  account: string;
  /** The number of entries in its frame, and of those that are not understood. */
  entries: number;
  notUnderstood: number;
  /** The keys of its grants. */
  grants: readonly string[];
  /** The frame has to be read when the file is opened. [Note: deferred accounts] in store.ts */
  atOnce: boolean;
  /** The users of this account id. */
  users: readonly AccountSummary[];
  /**
   * A summary of its tokens for lists, as JSON text; null if a list has to read the frame. It is parsed on demand: most
   * programs never do, and ten thousand parsed ones cost more time and memory than all the rest of the index.
   */
  outline: string | null;
}

/** `[issuer, username, name, clients, tokens]`, the second and third null where the user's own are shown. */
type OutlineRow = [
  string | null,
  string | null,
  string | null,
  readonly string[],
  readonly (readonly [type: number, ...(number | null)[]])[],
];

const TYPES: readonly CredentialType[] = ['AccessToken', 'RefreshToken', 'IdToken'];

/** Returns an outline as a row of the index has it. */
export function outlineText(
  outline: AccountOutline | null,
  [user]: readonly AccountSummary[],
): string | null {
  if (outline === null || user === undefined) return null;
  const { issuer, username, name, clients, tokens } = outline;
  const row: OutlineRow = [
    issuer,
    username === user.username ? null : username,
    name === (user.name ?? null) ? null : name,
    clients,
    tokens.map(({ type, cachedAt, modifiedAt, expiresAt, isRefused }) => [
      TYPES.indexOf(type),
      cachedAt,
      modifiedAt,
      expiresAt,
      ...(isRefused ? [1] : []),
    ]),
  ];
  return JSON.stringify(row);
}

/** Returns the outline of an account from its row; null if a list has to read the frame. */
export function outlineIn({ outline, users: [user] }: IndexRow): AccountOutline | null {
  const row = outline === null ? null : parsed(outline);
  if (!isOutline(row) || user === undefined) return null;
  const [issuer, username, name, clients, rows] = row;
  const tokens: TokenOutline[] = [];
  for (const [type, cachedAt = null, modifiedAt = null, expiresAt = null, refused] of rows) {
    const known = TYPES[type];
    if (known === undefined) return null;
    tokens.push({ type: known, cachedAt, modifiedAt, expiresAt, isRefused: refused === 1 });
  }
  return { issuer, username: username ?? user.username, name: name ?? user.name ?? null, clients, tokens };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Returns the name of a lost account. */
export function nameOf({ account, users }: IndexRow): string {
  return userNameOf(users) ?? account;
}

/** Returns the first user name of an account; undefined if it has none. */
export function userNameOf(users: readonly AccountSummary[]): string | undefined {
  return users.find(({ username }) => username !== '')?.username;
}

export function encodeManifest(manifest: Manifest, secretsKey: Buffer): FrameContent {
  const { keyMadeAt, profile, pending, epoch, writer } = manifest;
  const tombstones = manifest.tombstones.map(rowOf);
  const history = [...manifest.history.last].map(([id, point]) => [id, ...pointRow(point)]);
  const { forgotten, lostTo } = manifest.history;
  const past = { writer, history, forgotten: pointRow(forgotten), lost: lostTo.toString() };
  const start = JSON.stringify({ keyMadeAt, profile, pending, epoch, tombstones, ...past, index: [] });
  // Row by row: one text of megabytes would be built in new memory, and copied once more before it can be encoded.
  const rows = manifest.index.map((row, at) => {
    const text = JSON.stringify(
      row && [
        row.account,
        row.entries,
        row.notUnderstood,
        row.grants,
        row.users,
        row.outline,
        ...(row.atOnce ? [true] : []),
      ],
    );
    return at === 0 ? text : `,${text}`;
  });
  // The manifest has no secrets; the key is there because every body begins with one.
  const body = encodeBody([start.slice(0, -2), ...rows, ']}'], secretsKey);
  return { body, sealed: Buffer.alloc(0) };
}

/** `null` if it does not conform to FORMAT.md. */
export function decodeManifest(content: FrameContent): Manifest | null {
  const json = decodeBody(content.body)?.json;
  if (!isObject(json) || content.sealed.length > 0) return null;
  const { keyMadeAt, profile, pending, epoch, writer, index } = json;
  const tombstones = decodeTombstones(json['tombstones']);
  const history = decodeHistory(json);
  if (typeof keyMadeAt !== 'number' || typeof epoch !== 'number') return null;
  if (tombstones === null || history === null || typeof writer !== 'string') return null;
  if (!(typeof profile === 'string' || profile === null)) return null;
  if (!isPending(pending) || !isArray(index)) return null;
  const rows: (IndexRow | null)[] = [];
  const accounts = new Set<string>();
  for (const item of index) {
    const row = item === null ? null : decodeRow(item);
    if (row === undefined || (row !== null && accounts.has(row.account))) return null;
    if (row !== null) accounts.add(row.account);
    rows.push(row);
  }
  return { keyMadeAt, profile, pending, epoch, tombstones, writer, history, index: rows };
}

function pointRow({ generation, end }: Point): [string, number] {
  return [generation.toString(), end];
}

function decodeHistory({ history: rows, lost, ...json }: Record<string, unknown>): History | null {
  const forgotten = decodePoint(json['forgotten']);
  if (!isArray(rows) || forgotten === null || !isGeneration(lost)) return null;
  const all = new Map<string, Point>();
  for (const row of rows) {
    if (!isArray(row)) return null;
    const [writer, ...rest] = row;
    const point = decodePoint(rest);
    if (typeof writer !== 'string' || point === null) return null;
    all.set(writer, point);
  }
  return { last: all, forgotten, lostTo: BigInt(lost) };
}

function decodePoint(row: unknown): Point | null {
  if (!isArray(row) || row.length !== 2) return null;
  const [generation, end] = row;
  return isGeneration(generation) && isCount(end) ? { generation: BigInt(generation), end } : null;
}

function isGeneration(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,20}$/.test(value);
}

function decodeRow(row: unknown): IndexRow | undefined {
  if (!isArray(row) || row.length < 6 || row.length > 7) return undefined;
  const [account, entries, notUnderstood, grants, users, outline, atOnce = false] = row;
  if (typeof account !== 'string' || account === '' || typeof atOnce !== 'boolean') return undefined;
  if (!isCount(entries) || !isCount(notUnderstood) || !isArray(grants) || !grants.every(isText))
    return undefined;
  if (!isArray(users) || !users.every(isUser) || !(outline === null || typeof outline === 'string'))
    return undefined;
  return { account, entries, notUnderstood, grants: grants as string[], atOnce, users, outline };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isOutline(value: unknown): value is OutlineRow {
  if (!isArray(value) || value.length !== 5) return false;
  const [issuer, username, name, clients, tokens] = value;
  return (
    [issuer, username, name].every((text) => text === null || typeof text === 'string') &&
    isArray(clients) &&
    clients.every(isText) &&
    isArray(tokens) &&
    tokens.every(isToken)
  );
}

function isToken(value: unknown): boolean {
  if (!isArray(value) || value.length < 4 || value.length > 5) return false;
  return isCount(value[0]) && value.every((item) => item === null || typeof item === 'number');
}

function isUser(value: unknown): value is AccountSummary {
  if (!isObject(value)) return false;
  const { home_account_id, environment, username, local_account_id, authority_type, tenants } = value;
  return (
    [home_account_id, environment, username, local_account_id, authority_type].every(isText) &&
    isTextOrAbsent(value['issuer']) &&
    isTextOrAbsent(value['name']) &&
    isArray(tenants) &&
    tenants.every(isTenant)
  );
}

function isTenant(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { realm, local_account_id, username, name } = value;
  return isText(realm) && isText(local_account_id) && isTextOrAbsent(username) && isTextOrAbsent(name);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

/** The frames of one account, or those of entries without an account. */
export interface Group {
  /** `null` for entries without an account. */
  readonly row: IndexRow | null;
  /** A rewrite replaces them by their copies in the new file. An account has one frame. */
  frames: readonly FrameContent[];
}

/** Reads frames that are still in their file into memory, so that a rewrite can copy them at once. */
export async function loadFrames(groups: Groups): Promise<void> {
  const holders = new Set<Holder>();
  for (const { frames } of groups.values())
    for (const frame of frames) if (frame instanceof StoredFrame) holders.add(frame.holder);
  for (const holder of holders) await holder.load();
}

/** The base frames of each account; `null` for entries without an account. */
export type Groups = ReadonlyMap<string | null, Group>;

/**
 * Returns the entries of a base frame; `null` if it does not conform to FORMAT.md.
 *
 * @throws VaultError `vault_damaged` if it is not authentic
 */
export function entriesIn(content: FrameContent): Entry[] | null {
  const { body, sealed } = content instanceof StoredFrame ? content.open() : content;
  const changes = decodeBatch({ body, sealed })?.changes;
  body.fill(0);
  if (changes === undefined) return null;
  const entries: Entry[] = [];
  for (const { section, key, after } of changes) {
    if (after === undefined || !freezeJson(after)) return null;
    entries.push(Entry.of(section, key, after));
  }
  return entries;
}

// The whole file.

export interface ImageSource {
  fileId: Buffer;
  generation: bigint;
  slot: Header['slot'];
  manifest: Omit<Manifest, 'index'>;
  groups: readonly Group[];
  /** The findings of the file that the groups come from. */
  findings?: Findings;
}

export interface Image {
  bytes: Buffer;
  header: Header;
  end: Cursor;
}

/**
 * A file being written: its parts come in order, and `end` is known after the last one. The memory of a part is reused for the part after
 * the next one.
 */
export interface ImageInParts {
  header: Header;
  sealing: Sealing;
  parts: Generator<Buffer, Cursor>;
  /** The frames after the manifest of the parts that were made so far. They don't use the memory of the parts. */
  frames: readonly StoredFrame[];
}

/** Returns unpredictable bytes. Replaced only in tests, to get the same file twice. */
export type Random = (length: number) => Buffer;

/**
 * A part is complete when it has this many bytes. Touching memory for the first time can cost ten times as much as writing it, so the parts
 * are small, and few: two alternate.
 */
const PART = 512 * 1024;

/** Returns a whole vault file with a new salt. Nothing is sealed before the parts are requested. */
export function sealImage(source: ImageSource, key: Buffer, random: Random = randomBytes): ImageInParts {
  const salt = random(32);
  const index = source.groups.flatMap((group) => group.frames.map(() => group.row));
  const contents = alignedEnd(
    [
      encodeManifest({ ...source.manifest, index }, random(KEY_LENGTH)),
      ...source.groups.flatMap((group) => group.frames),
    ],
    FRAMES_AT,
  );
  const { fileId, generation, slot } = source;
  const baseFrames = contents.length;
  const unchecked = { fileId, generation, slot, baseFrames, salt };
  const header = { ...unchecked, check: keyCheck(key, checkedPart(unchecked)) };
  const headerBytes = encodeHeader(header);
  const { findings = noFindings() } = source;
  const sealing = sealingOf(key, header, headerBytes, findings);
  const frames: StoredFrame[] = [];
  const parts = partsOf(headerBytes, contents, sealing, seedsFrom(random), frames);
  return { header, sealing, parts, frames };
}

function* partsOf(
  header: Buffer,
  contents: readonly FrameContent[],
  sealing: Sealing,
  seeds: () => Buffer,
  frames: StoredFrame[],
): Generator<Buffer, Cursor> {
  const lengths = contents.map(contentLength);
  const isShared = sharesMemory(contents, lengths);
  const first = Buffer.alloc(FRAMES_AT);
  header.copy(first, 0);
  header.copy(first, HEADER_COPY_AT);
  const fresh = seedStream(sealing, 0, contents.length);
  const streams = new Map<Sealing, Buffer>();
  const memory = [NOTHING, NOTHING];
  let previousTag: Buffer = NO_TAG;
  let start = 0;
  let ordinal = 0;
  while (start === 0 || ordinal < contents.length) {
    const lead = start === 0 ? first : NOTHING;
    let length = lead.length;
    let last = ordinal;
    let kept = 0;
    for (; last < contents.length && length < PART; last += 1) {
      const one = lengths[last] ?? 0;
      length += one;
      if (last > 0 && !(isShared && contents[last] instanceof StoredFrame)) kept += one;
    }
    // The caller may still be writing the previous part, so the memory of the one before that is reused.
    memory.reverse();
    if (memory[0] === undefined || memory[0].length < length) memory[0] = Buffer.allocUnsafe(length);
    const part = memory[0].subarray(0, length);
    const own = Buffer.allocUnsafe(kept);
    const holder = holderOf(own);
    kept = 0;
    let at = lead.copy(part, 0);
    for (const content of contents.slice(ordinal, last)) {
      const place = { ordinal, previousTag };
      const next = at + (lengths[ordinal] ?? 0);
      if (content instanceof StoredFrame) {
        const { sealing: from } = content;
        const old = streams.get(from) ?? seedStream(from, 0, from.baseFrames);
        streams.set(from, old);
        const copy = content.copyTo(part, at, sealing, place, { old, fresh });
        previousTag = copy.tag;
        if (isShared) frames.push(copy.frame);
      } else previousTag = sealFrame(part, at, sealing, place, content, seeds());
      if (frames.length < ordinal) {
        part.copy(own, kept, at, next);
        const bodyLength = content.bodyLength ?? content.body.length;
        const prefix = { bodyLength, sealedLength: content.sealed.length, ordinal };
        frames.push(new StoredFrame(sealing, holder, kept + PREFIX_LENGTH, prefix, seedAt(own, kept)));
        kept += next - at;
      }
      at = next;
      ordinal += 1;
    }
    previousTag = Buffer.from(previousTag);
    yield part;
    start += length;
  }
  for (const stream of [fresh, ...streams.values()]) stream.fill(0);
  return { at: start, ordinal, previousTag };
}

/** The least share of the memory of frames that must still be in use for a rewrite to leave them there. */
const LEAST_USED = 0.85;

/**
 * Returns whether the frames of a new file can stay in the memory that holds them: touching that much new memory costs more than writing
 * the file.
 */
function sharesMemory(contents: readonly FrameContent[], lengths: readonly number[]): boolean {
  const holders = new Set<Holder>();
  let used = 0;
  for (const [index, content] of contents.entries()) {
    if (!(content instanceof StoredFrame)) continue;
    holders.add(content.holder);
    used += lengths[index] ?? 0;
  }
  let held = 0;
  for (const { length } of holders) held += length;
  return used >= held * LEAST_USED;
}

const NOTHING = Buffer.alloc(0);

/** Returns the same file in one piece. */
export function buildImage(source: ImageSource, key: Buffer, random?: Random): Image {
  const { header, parts } = sealImage(source, key, random);
  const all: Buffer[] = [];
  for (let next = parts.next(); ; next = parts.next()) {
    if (next.done === true) return { bytes: Buffer.concat(all), header, end: next.value };
    all.push(Buffer.from(next.value));
  }
}

/** Aligns the end of a base: only what follows it may be incomplete after a power cut. */
export function alignedEnd(base: readonly FrameContent[], from: number): FrameContent[] {
  const [last] = base.slice(-1);
  if (last === undefined) return [];
  const before = base.slice(0, -1);
  return [
    ...before,
    aligned(
      last,
      before.reduce((sum, content) => sum + contentLength(content), from),
    ),
  ];
}
