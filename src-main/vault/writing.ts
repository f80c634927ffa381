import { randomBytes } from 'node:crypto';
import { profileOf } from '../cache/records.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { apply, type RecordChange } from '../cache/transaction.ts';
import { StorageError } from '../errors.ts';
import { aligned } from './alignment.ts';
import { decodeBatch, encodeBatch } from './body.ts';
import { type Contents, type Groups, written } from './contents.ts';
import { appendTo, type Identity, readWhole, replaceFile, sweep } from './file.ts';
import { contentLength, type FrameContent, noncesFrom, sealFrame } from './frame.ts';
import { groupFrames } from './groups.ts';
import { encodeHeader, type Slot } from './header.ts';
import { buildImage, type Group } from './image.ts';
import type { Io } from './io.ts';
import { frameKey } from './keys.ts';
import type { Standing } from './manifest.ts';
import type { Notes } from './notes.ts';

/** Where to write. */
export interface Place {
  io: Io;
  file: string;
}

export interface Rewrite {
  cache: TokenCache;
  /** What the file says now; `null` where there is none. */
  previous: Contents | null;
  /** Frames of it that still say what the cache says. */
  kept: Groups;
  key: Buffer;
  slot: Slot;
  standing: Standing;
}

/**
 * Writes the whole file anew, durably, and then seals in memory what had come in unsealed. Where it rejects, file and
 * memory are as they were. `readBack`: the new file is read and compared, for one who is about to destroy a key.
 */
export async function rewrite(
  { io, file }: Place,
  { cache, previous, kept, key, slot, standing }: Rewrite,
  { readBack = false } = {},
): Promise<{ contents: Contents; identity: Identity }> {
  const fileId = previous?.header.fileId ?? randomBytes(16);
  const generation = (previous?.header.generation ?? 0n) + 1n;
  const { groups, fresh, entries } = groupFrames(cache, kept, fileId);
  const manifest = { ...standing, profile: profileOf(cache) };
  const { bytes, header, end } = buildImage({ fileId, generation, slot, manifest, groups }, key);
  await sweep(io, file); // Whoever rewrites holds the lock.
  const identity = await replaceFile(io, file, bytes);
  if (readBack && !((await readWhole(io, file))?.bytes.equals(bytes) ?? false)) {
    throw new StorageError(
      'storage_failed',
      'The vault’s file does not hold what was just written to it. The older key was kept. Check the disk.',
    );
  }
  sealInMemory(cache, fresh, fileId);
  const contents: Contents = {
    header,
    sealingKey: frameKey(key, header.salt, encodeHeader(header)),
    cache,
    standing,
    groups: groupsOf(groups),
    end,
    rows: entries,
    live: entries,
    recovered: null,
  };
  return { contents, identity };
}

/** Drawn from for every frame that is appended; a rewritten file has a key of its own, and draws its own. */
const nonces = noncesFrom(randomBytes);

/** Appends one frame, durably. Where it rejects, memory is as it was, and so is the file but for an unfinished end. */
export async function append(
  { io, file }: Place,
  contents: Contents,
  changes: readonly RecordChange[],
  notes: Notes,
): Promise<Identity> {
  const { header, sealingKey, end, cache } = contents;
  const content = aligned(encodeBatch({ changes, ...notes }, header.fileId), end.at);
  const bytes = Buffer.allocUnsafe(contentLength(content));
  const tag = sealFrame(bytes, 0, sealingKey, { ...end, nonce: nonces() }, content);
  const identity = await appendTo(io, file, end.at, bytes);
  sealInMemory(cache, [content], header.fileId);
  contents.end = {
    at: end.at + bytes.length,
    ordinal: end.ordinal + 1,
    previousTag: Buffer.from(tag),
  };
  written(contents, changes, changes.length, notes);
  return identity;
}

/** [Note: secrets stay sealed] What was just written takes the place of what came in with its secrets in the open. */
function sealInMemory(cache: TokenCache, frames: readonly FrameContent[], fileId: Buffer): void {
  for (const content of frames) {
    const batch = decodeBatch(content, fileId);
    if (batch !== null) apply(cache, batch.changes);
  }
}

function groupsOf(groups: readonly Group[]): Map<string | null, readonly FrameContent[]> {
  return new Map(groups.map(({ account, frames }) => [account?.home_account_id ?? null, frames]));
}
