import { randomBytes } from 'node:crypto';
import { type Change, placeOf } from '../cache/change.ts';
import { dialectOf } from '../cache/place.ts';
import { storeOf, type TokenCache } from '../cache/token-cache.ts';
import { StorageError } from '../errors.ts';
import { aligned } from './format/alignment.ts';
import type { Groups } from './format/base.ts';
import { sealBatch } from './format/batch.ts';
import { type Contents, written } from './contents.ts';
import { holds, type Identity, replaceFile, sweep } from './disk/atomic-file.ts';
import { contentLength, noFindings, sealFrame, seedsFrom } from './format/frame.ts';
import { exchange, regroup } from './groups.ts';
import type { Slot } from './format/header.ts';
import { sealImage } from './format/frame-writer.ts';
import type { Io } from './disk/io.ts';
import type { Log } from './disk/log.ts';
import type { FrameMetadata, VaultMetadata } from './format/metadata.ts';

/** Where to write. */
export interface Place {
  io: Io;
  file: string;
}

export interface Rewrite {
  cache: TokenCache;
  /** The file's current contents; `null` if there is no file. */
  previous: Contents | null;
  /** Frames of the file that are still current. */
  kept: Groups;
  key: Buffer;
  slot: Slot;
  metadata: VaultMetadata;
  /** The file's id. It may differ from the previous one only if no frame is kept, because secrets are bound to it. */
  fileId: Buffer;
  /** Default: one more than the previous file's. */
  generation?: bigint;
}

/**
 * Rewrites the whole file durably, then seals the secrets in memory that were not sealed yet. If it rejects, file and
 * memory are unchanged. `readBack`: also reads and compares the new file, for callers that will destroy a key.
 */
export async function rewrite(
  { io, file }: Place,
  { cache, previous, kept, key, slot, metadata, fileId, generation = nextAfter(previous) }: Rewrite,
  { readBack = false } = {},
): Promise<{ contents: Contents; identity: Identity }> {
  const { groups, seal } = await regroup(cache, kept, fileId);
  const manifest = { ...metadata, profile: dialectOf(storeOf(cache)) };
  const findings = previous?.sealing.findings ?? noFindings();
  const source = { fileId, generation, slot, manifest, groups, findings };
  const { header, sealing, parts, frames } = sealImage(source, key);
  await sweep(io, file); // A caller that rewrites holds the write lock.
  const sent: Buffer[] = [];
  const { identity, end } = await replaceFile(io, file, readBack ? noting(parts, sent) : parts);
  if (readBack && !(await holds(io, file, sent))) {
    throw new StorageError(
      'storage_failed',
      'The vault’s file does not hold what was just written to it. The older key was kept. Check the disk.',
    );
  }
  seal(); // [Note: secrets stay sealed]
  let ordinal = 1;
  for (const group of groups) {
    group.frames = frames.slice(ordinal, ordinal + group.frames.length);
    ordinal += group.frames.length;
  }
  const entries = storeOf(cache).size;
  const contents: Contents = {
    header,
    sealing,
    cache,
    metadata,
    groups: new Map(groups.map((group) => [group.row?.account ?? null, group])),
    end,
    rows: entries,
    live: entries,
    recovered: null,
  };
  return { contents, identity };
}

function nextAfter(previous: Contents | null): bigint {
  return (previous?.header.generation ?? 0n) + 1n;
}

function* noting<T>(parts: Generator<Buffer, T>, into: Buffer[]): Generator<Buffer, T> {
  for (let next = parts.next(); ; next = parts.next()) {
    if (next.done === true) return next.value;
    into.push(next.value);
    yield next.value;
  }
}

/** Drawn from for every frame that is appended. */
const seeds = seedsFrom(randomBytes);

/**
 * Appends one frame durably, then seals the secrets in memory that were not sealed yet. If it rejects, memory is
 * unchanged, and so is the file except for an incomplete end. `known`: the file as last seen.
 */
export async function append(
  log: Log,
  contents: Contents,
  known: Identity,
  changes: readonly Change[],
  metadata: FrameMetadata,
): Promise<Identity> {
  const { header, sealing, end } = contents;
  const rows = changes.map((change) => {
    const { section, key } = placeOf(change);
    return { section, key, after: change.after?.value };
  });
  const batch = sealBatch({ changes: rows, ...metadata }, header.fileId);
  const content = aligned(batch.content, end.at);
  const bytes = Buffer.allocUnsafe(contentLength(content));
  const tag = sealFrame(bytes, 0, sealing, end, content, seeds());
  const identity = await log.append(end.at, bytes, known);
  exchange(
    changes.map(({ after }) => after),
    batch.sealed,
  ); // [Note: secrets stay sealed]
  contents.end = {
    at: end.at + bytes.length,
    ordinal: end.ordinal + 1,
    previousTag: Buffer.from(tag),
  };
  written(contents, changes, changes.length, metadata);
  return identity;
}
