// FORMAT.md, "The whole file", from the writer's side.
import { randomBytes } from 'node:crypto';
import { alignedEnd } from './alignment.ts';
import { contentLength, type FrameContent, noncesFrom, NO_TAG, sealFrame } from './frame.ts';
import { encodeHeader, FRAMES_AT, HEADER_COPY_AT, type Header } from './header.ts';
import { frameKey, KEY_LENGTH, keyCheck } from './keys.ts';
import { encodeManifest, type Manifest, type RosterEntry } from './manifest.ts';
import type { Cursor } from './scan.ts';

/** The frames of one account, or those that belong to none. */
export interface Group {
  account: RosterEntry | null;
  frames: readonly FrameContent[];
}

export interface ImageSource {
  fileId: Buffer;
  generation: bigint;
  slot: Header['slot'];
  manifest: Omit<Manifest, 'roster'>;
  groups: readonly Group[];
}

export interface Image {
  bytes: Buffer;
  header: Header;
  end: Cursor;
}

/** Draws unpredictable bytes. Another is given in tests only, to get the same file twice. */
export type Random = (length: number) => Buffer;

/** A whole vault file, under a salt of its own. */
export function buildImage(source: ImageSource, key: Buffer, random: Random = randomBytes): Image {
  const salt = random(32);
  const roster = source.groups.flatMap((group) => group.frames.map(() => group.account));
  const contents = alignedEnd(
    [
      encodeManifest({ ...source.manifest, roster }, random(KEY_LENGTH)),
      ...source.groups.flatMap((group) => group.frames),
    ],
    FRAMES_AT,
  );
  const nonces = noncesFrom(random);
  const { fileId, generation, slot } = source;
  const baseFrames = contents.length;
  const header = { fileId, generation, slot, baseFrames, salt, check: keyCheck(key, salt) };
  const headerBytes = encodeHeader(header);
  const sealingKey = frameKey(key, salt, headerBytes);

  const length = contents.reduce((sum, content) => sum + contentLength(content), FRAMES_AT);
  const bytes = Buffer.allocUnsafe(length).fill(0, 0, FRAMES_AT);
  headerBytes.copy(bytes, 0);
  headerBytes.copy(bytes, HEADER_COPY_AT);
  let previousTag: Buffer = NO_TAG;
  let at = FRAMES_AT;
  contents.forEach((content, ordinal) => {
    previousTag = sealFrame(bytes, at, sealingKey, { ordinal, previousTag, nonce: nonces() }, content);
    at += contentLength(content);
  });
  return { bytes, header, end: { at, ordinal: baseFrames, previousTag: Buffer.from(previousTag) } };
}
