// FORMAT.md, "The whole file", for writing.
import { randomBytes } from 'node:crypto';
import type { Cursor } from './frame-reader.ts';
import {
  aligned,
  contentLength,
  type Findings,
  type FrameContent,
  NO_TAG,
  noFindings,
  sealFrame,
  type Sealing,
  seedsFrom,
  seedStream,
  StoredFrame,
} from './frame.ts';
import {
  checkedPart,
  encodeHeader,
  FRAMES_AT,
  type Header,
  HEADER_COPY_AT,
  KEY_LENGTH,
  keyCheck,
  sealingKey,
} from './header.ts';
import { encodeManifest, type Group, type Manifest } from './manifest.ts';

export interface ImageSource {
  fileId: Buffer;
  generation: bigint;
  slot: Header['slot'];
  manifest: Omit<Manifest, 'index'>;
  groups: readonly Group[];
  /** Of the file that groups come from. */
  findings?: Findings;
}

export interface Image {
  bytes: Buffer;
  header: Header;
  end: Cursor;
}

/** A file being written: its parts come in order, and `end` is known after the last one. */
export interface ImageInParts {
  header: Header;
  sealing: Sealing;
  parts: Generator<Buffer, Cursor>;
  /** All frames, by ordinal, as they are in the parts that were made so far. */
  frames: readonly StoredFrame[];
}

/** Returns unpredictable bytes. Replaced only in tests, to get the same file twice. */
export type Random = (length: number) => Buffer;

/** Sealing this much takes about as long as writing it. */
const PART = 4 * 1024 * 1024;

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
  const first = Buffer.alloc(FRAMES_AT);
  header.copy(first, 0);
  header.copy(first, HEADER_COPY_AT);
  const fresh = seedStream(sealing, 0, contents.length);
  const streams = new Map<Sealing, Buffer>();
  let previousTag: Buffer = NO_TAG;
  let start = 0;
  let ordinal = 0;
  while (start === 0 || ordinal < contents.length) {
    const lead = start === 0 ? first : NOTHING;
    let length = lead.length;
    let last = ordinal;
    while (last < contents.length && length < PART) length += lengths[last++] ?? 0;
    const part = Buffer.allocUnsafe(length);
    let at = lead.copy(part, 0);
    for (const content of contents.slice(ordinal, last)) {
      const place = { ordinal, previousTag };
      if (content instanceof StoredFrame) {
        const { sealing: from } = content;
        const old = streams.get(from) ?? seedStream(from, 0, from.baseFrames);
        streams.set(from, old);
        previousTag = content.copyTo(part, at, place, { old, fresh });
      } else previousTag = sealFrame(part, at, sealing, place, content, seeds());
      const bodyLength = content.bodyLength ?? content.body.length;
      const sealedLength = content.sealed.length;
      frames.push(new StoredFrame(sealing, part, at, { bodyLength, sealedLength, ordinal }));
      at += lengths[ordinal++] ?? 0;
    }
    yield part;
    start += length;
  }
  for (const stream of [fresh, ...streams.values()]) stream.fill(0);
  return { at: start, ordinal, previousTag: Buffer.from(previousTag) };
}

const NOTHING = Buffer.alloc(0);

/** Returns the keys of a file's frames. `bytes`: the encoding of the header. */
export function sealingOf(key: Buffer, header: Header, bytes: Buffer, findings = noFindings()): Sealing {
  return {
    fileId: Buffer.from(header.fileId),
    baseFrames: header.baseFrames,
    frameKey: sealingKey(key, header.salt, bytes, 'frames'),
    seedKey: sealingKey(key, header.salt, bytes, 'seeds'),
    findings,
  };
}

/** Returns the same file in one piece. */
export function buildImage(source: ImageSource, key: Buffer, random?: Random): Image {
  const { header, parts } = sealImage(source, key, random);
  const all: Buffer[] = [];
  for (let next = parts.next(); ; next = parts.next()) {
    if (next.done === true) return { bytes: Buffer.concat(all), header, end: next.value };
    all.push(next.value);
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
