import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, inflateSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { decodeDump, encodePng, keepScreenshot } from '../../scripts/session/screenshot.mjs';

/** An X window dump as Xvfb writes it, two pixels wide: a name, one colour, little-endian pixels, a padded row. */
function dump(pixels: [number, number, number][]): Buffer {
  const height = pixels.length / 2;
  const fields = [100 + 4, 7, 2, 24, 2, height, 0, 0, 32, 0, 32, 32, 12, 4, 0xff0000, 0xff00, 0xff, 8, 1, 1];
  const header = Buffer.alloc(100 + 4 + 12);
  fields.forEach((value, index) => header.writeUInt32BE(value, index * 4));
  const rows = [];
  for (let row = 0; row < height; row++) {
    const colours = pixels
      .slice(row * 2, row * 2 + 2)
      .map(([red, green, blue]) => Buffer.from([blue, green, red, 0]));
    rows.push(...colours, Buffer.from('pad.'));
  }
  return Buffer.concat([header, ...rows]);
}

const red = [255, 0, 0] satisfies [number, number, number];
const sky = [10, 20, 30] satisfies [number, number, number];

it('reads the pixels of a dump', () => {
  const expected = { width: 2, height: 2, pixels: Buffer.from([...red, ...sky, ...sky, ...red]) };
  expect(decodeDump(dump([red, sky, sky, red]))).toEqual(expected);
});

it('takes nothing else for a dump', () => {
  expect(decodeDump(Buffer.alloc(50))).toBeUndefined();
  expect(decodeDump(Buffer.alloc(500))).toBeUndefined();
  expect(decodeDump(dump([red, sky]).subarray(0, -1))).toBeUndefined();
});

it('writes a PNG whose chunks and pixels are right', () => {
  const png: Buffer = encodePng({ width: 2, height: 1, pixels: Buffer.from([...red, ...sky]) });
  expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length; ) {
    const end = at + 8 + png.readUInt32BE(at);
    expect(png.readUInt32BE(end)).toBe(crc32(png.subarray(at + 4, end)));
    chunks.set(png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, end));
    at = end + 4;
  }
  expect([...chunks.keys()]).toEqual(['IHDR', 'IDAT', 'IEND']);
  expect([...chunks.get('IHDR')!]).toEqual([0, 0, 0, 2, 0, 0, 0, 1, 8, 2, 0, 0, 0]);
  expect([...inflateSync(chunks.get('IDAT')!)]).toEqual([0, ...red, ...sky]);
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'screen-'));
  vi.useFakeTimers();
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

it('keeps the picture current, and does not show an empty screen or an older run', async () => {
  const screen = join(folder, 'screen');
  const file = join(folder, 'artifacts/window.png');
  keepScreenshot(screen, file)();
  await writeFile(file, 'of an older run');
  const end = keepScreenshot(screen, file);
  expect(existsSync(file)).toBe(false);
  await writeFile(screen, dump([sky, sky]));
  vi.advanceTimersByTime(2000);
  expect(existsSync(file)).toBe(false);
  await writeFile(screen, dump([sky, red]));
  vi.advanceTimersByTime(2000);
  expect(await readFile(file)).toEqual(encodePng(decodeDump(dump([sky, red]))));
  await writeFile(screen, dump([red, sky]));
  vi.advanceTimersByTime(2000);
  expect(await readFile(file)).toEqual(encodePng(decodeDump(dump([red, sky]))));
  end();
  await writeFile(screen, dump([red, sky, sky, sky]));
  vi.advanceTimersByTime(4000);
  expect(await readFile(file)).toEqual(encodePng(decodeDump(dump([red, sky]))));
});

it("follows no link in another user's folder", async () => {
  const screen = join(folder, 'screen');
  await writeFile(join(folder, 'elsewhere'), dump([sky, red]));
  await symlink(join(folder, 'elsewhere'), screen);
  const end = keepScreenshot(screen, join(folder, 'window.png'));
  vi.advanceTimersByTime(2000);
  end();
  expect(existsSync(join(folder, 'window.png'))).toBe(false);
});
