import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { encodeBatch } from '../../src-main/vault/format/batch.ts';
import type { FrameContent, StoredFrame } from '../../src-main/vault/format/frame.ts';
import { type Group, sealImage } from '../../src-main/vault/format/manifest.ts';

const KEY = randomBytes(32);
const FILE_ID = randomBytes(16);

function group(user: number, content: FrameContent): Group {
  const account = `user-${user}`;
  const row = { account, entries: 1, notUnderstood: 0, grants: [], atOnce: false, users: [], outline: null };
  return { row, frames: [content] };
}

function entryOf(user: number, secret: string): FrameContent {
  return encodeBatch({ changes: [{ section: 'RefreshToken', key: `user-${user}-k`, after: { secret } }] });
}

/** Writes a file with these frames. The memory of each part is overwritten once the next one is made. */
function written(
  frames: readonly FrameContent[],
  generation: bigint,
): { frames: StoredFrame[]; parts: number; largest: number } {
  const manifest = {
    keyMadeAt: 0,
    profile: null,
    pending: null,
    epoch: 0,
    tombstones: [],
    history: [],
  };
  const groups = frames.map((content, user) => group(user, content));
  const image = sealImage({ fileId: FILE_ID, generation, slot: 'a', manifest, groups }, KEY);
  const made: Buffer[] = [];
  for (const part of image.parts) {
    made.at(-1)?.fill(0);
    made.push(part);
  }
  made.at(-1)?.fill(0);
  const largest = Math.max(...made.map(({ length }) => length));
  return { frames: [...image.frames], parts: made.length, largest };
}

describe('a rewrite', () => {
  // Many parts of half a MiB.
  const secret = (user: number): string => `${user} ${'x'.repeat(300_000)}`;
  const first = written(
    Array.from({ length: 30 }, (_, user) => entryOf(user, secret(user))),
    1n,
  );

  test('does not keep the memory in which it makes the parts of the file', () => {
    expect(first.parts).toBeGreaterThan(2);
    expect(first.largest).toBeLessThan(1024 ** 2);
    expect(first.frames).toHaveLength(30);
    for (const [user, frame] of first.frames.entries())
      expect(frame.body.toString('utf8', 32)).toContain(`"user-${user}-k"`);
  });

  test('leaves frames that have not changed in the memory that holds them, and adds none for them', () => {
    const again = written([...first.frames.slice(0, 28), entryOf(28, 'new'), entryOf(29, 'new')], 2n);
    const holders = new Set(first.frames.map(({ holder }) => holder));
    expect(again.frames.map(({ holder }) => holders.has(holder))).toEqual([
      ...Array.from({ length: 28 }, () => true),
      false,
      false,
    ]);
    for (const [user, frame] of again.frames.entries())
      expect(frame.body.toString('utf8', 32)).toContain(`"user-${user}-k"`);
  });

  test('moves them to memory of their own once much of that memory is in use no more', () => {
    const few = written(
      first.frames.filter((_, user) => user % 2 === 0),
      2n,
    );
    const holders = new Set(few.frames.map(({ holder }) => holder));
    const held = [...holders].reduce((sum, { length }) => sum + length, 0);
    expect(held).toBeLessThan(few.frames.length * 301_000);
    for (const [index, frame] of few.frames.entries())
      expect(frame.body.toString('utf8', 32)).toContain(`"user-${index * 2}-k"`);
  });

  test('leaves the frames of the older file as they were, for the case that it fails', () => {
    const before = first.frames.map(({ body }) => body);
    written(first.frames, 2n);
    expect(first.frames.map(({ body }, index) => before[index]?.equals(body))).not.toContain(false);
  });
});
