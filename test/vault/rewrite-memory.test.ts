import { randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type FileSum,
  holds,
  type IoFile,
  nodeIo,
  replaceFile,
  summing,
} from '../../src-main/vault/disk/file.ts';
import { encodeBatch } from '../../src-main/vault/format/batch.ts';
import { FileBytes } from '../../src-main/vault/disk/file-bytes.ts';
import {
  contentLength,
  type FrameContent,
  NO_TAG,
  type Sealing,
  type StoredFrame,
} from '../../src-main/vault/format/frame.ts';
import { outlineBase, readFirstFrame } from '../../src-main/vault/format/frame-reader.ts';
import { FRAMES_AT } from '../../src-main/vault/format/header.ts';
import { NO_HISTORY } from '../../src-main/vault/format/history.ts';
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
): { frames: StoredFrame[]; parts: number; largest: number; bytes: Buffer; sealing: Sealing } {
  const manifest = {
    keyMadeAt: 0,
    profile: null,
    pending: null,
    epoch: 0,
    tombstones: [],
    writer: '',
    history: NO_HISTORY,
  };
  const groups = frames.map((content, user) => group(user, content));
  const image = sealImage({ fileId: FILE_ID, generation, slot: 'a', manifest, groups }, KEY);
  const made: Buffer[] = [];
  const copies: Buffer[] = [];
  for (const part of image.parts) {
    made.at(-1)?.fill(0);
    made.push(part);
    copies.push(Buffer.from(part));
  }
  made.at(-1)?.fill(0);
  const largest = Math.max(...made.map(({ length }) => length));
  const bytes = Buffer.concat(copies);
  return { frames: [...image.frames], parts: made.length, largest, bytes, sealing: image.sealing };
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

  test('does not copy a frame whose bytes are not those that were checked at opening', async () => {
    const bytes = Buffer.from(first.bytes);
    const file = FileBytes.of(bytes);
    const start = { at: FRAMES_AT, ordinal: 0, previousTag: NO_TAG };
    const pause = (): Promise<void> => Promise.resolve();
    const manifest = await readFirstFrame(file, start, first.sealing, pause);
    const base = manifest && (await outlineBase(file, manifest.end, first.sealing, pause));
    const frames = base?.frames ?? [];
    expect(frames).toHaveLength(30);
    const copied = (): StoredFrame[] => written(frames, 2n).frames;
    expect(copied()).toHaveLength(30);
    const damage = expect.objectContaining({ code: 'vault_damaged' });
    // The last two frames have the same length. Another frame has a correct checksum.
    const [, length = 0] = frames.slice(-2).map(contentLength);
    const last = Buffer.from(bytes.subarray(-length));
    bytes.copyWithin(bytes.length - length, bytes.length - 2 * length, bytes.length - length);
    expect(copied).toThrow(damage);
    last.copy(bytes, bytes.length - length);
    expect(copied()).toHaveLength(30);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1000) ^ 1, bytes.length - 1000);
    expect(copied).toThrow(damage);
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

describe('a file that is read back', () => {
  /** More than is read at once, in parts of other lengths. */
  const bytes = randomBytes(1_300_000);

  function* parts(): Generator<Buffer, string> {
    for (const [from, to] of [
      [0, 1],
      [1, 700_000],
      [700_000, bytes.length],
    ])
      yield bytes.subarray(from, to);
    return 'end';
  }

  test.each([
    ['holds what was written to it', true, () => Promise.resolve()],
    ['is told from one with another byte at its end', false, changed(bytes.length - 1)],
    ['is told from one with another byte in the middle', false, changed(600_000)],
    ['is told from a shorter one', false, (file: string) => truncate(file, bytes.length - 1)],
    ['is told from a longer one', false, (file: string) => appendFile(file, 'x')],
  ])('%s', async (_what, expected, change) => {
    const folder = await mkdtemp(join(tmpdir(), 'tokenkeep-'));
    const file = join(folder, 'file');
    const sum: FileSum = { length: 0, crc: 0 };
    const made = [...summing(parts(), sum)];
    await writeFile(file, Buffer.concat(made));
    await change(file);
    expect(await holds(nodeIo, file, sum)).toBe(expected);
    await rm(folder, { recursive: true });
  });

  function changed(at: number): (file: string) => Promise<void> {
    return (file) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
      return writeFile(file, copy);
    };
  }
});

test('a file whose parts fail is closed after the write that is under way, and removed', async () => {
  const steps: string[] = [];
  const handle = {
    write: async (_bytes: Buffer, _from: number, length: number) => {
      await setImmediate();
      steps.push('written');
      return { bytesWritten: length };
    },
    close: () => Promise.resolve(void steps.push('closed')),
  };
  const io = {
    ...nodeIo,
    open: () => Promise.resolve(handle as unknown as IoFile),
    unlink: () => Promise.resolve(void steps.push('removed')),
  };
  function* parts(): Generator<Buffer, void> {
    yield Buffer.from('one');
    throw new Error('damaged');
  }
  await expect(replaceFile(io, '/nowhere/a.vault', parts())).rejects.toThrow('damaged');
  expect(steps).toEqual(['written', 'closed', 'removed']);
});
