import {
  constants,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

/**
 * Keeps a PNG of a virtual screen current: writes it when the picture has changed, at most every two seconds. The file always has a
 * complete picture.
 *
 * @param {string} screen the X window dump that Xvfb keeps
 * @param {string} file the PNG
 * @returns {() => void} stops it
 */
export function keepScreenshot(screen, file) {
  mkdirSync(dirname(file), { recursive: true });
  rmSync(file, { force: true }); // the file of an earlier run would be taken for this one's
  let last = Buffer.alloc(0);
  const take = () => {
    const dump = readDump(screen);
    if (!dump || dump.equals(last)) return;
    last = dump;
    const picture = decodeDump(dump);
    if (!picture || isBlank(picture.pixels)) return;
    rmSync(`${file}.tmp`, { force: true });
    writeFileSync(`${file}.tmp`, encodePng(picture), { flag: 'wx' }); // the folder may belong to another user, so no link is followed
    renameSync(`${file}.tmp`, file);
  };
  const timer = setInterval(take, 2000);
  return () => clearInterval(timer);
}

/** Undefined until the screen exists. It belongs to another user, so a link is not followed. */
function readDump(screen) {
  let descriptor;
  try {
    descriptor = openSync(screen, constants.O_RDONLY | constants.O_NOFOLLOW);
    return readFileSync(descriptor);
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/**
 * Reads an X window dump (XWDFile.h): 25 numbers of 32 bits in network order, a name, the colours, the pixels.
 *
 * @param {Buffer} dump
 * @returns {{ width: number, height: number, pixels: Buffer } | undefined} pixels: red, green, blue; rows from the top. Undefined if it is
 *   not, or not yet, a complete dump with 32 bits per pixel
 */
export function decodeDump(dump) {
  if (dump.length < 100) return undefined;
  const field = (index) => dump.readUInt32BE(index * 4);
  const [size, version, width, height] = [field(0), field(1), field(4), field(5)];
  const [bigEndian, bits, stride, colours] = [field(7), field(11), field(12), field(19)];
  const start = size + colours * 12;
  if (version !== 7 || bits !== 32 || stride < width * 4 || dump.length < start + stride * height) {
    return undefined;
  }
  const [red, green, blue] = bigEndian ? [1, 2, 3] : [2, 1, 0];
  const pixels = Buffer.alloc(width * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let from = start + y * stride, end = from + width * 4; from < end; from += 4) {
      pixels[to++] = dump[from + red];
      pixels[to++] = dump[from + green];
      pixels[to++] = dump[from + blue];
    }
  }
  return { width, height, pixels };
}

/** One colour all over: no window has been drawn yet. */
function isBlank(pixels) {
  return pixels.subarray(3).equals(pixels.subarray(0, -3));
}

/** PNG, 8 bits for each of red, green and blue (RFC 2083). */
export function encodePng({ width, height, pixels }) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + width * 3)); // each row begins with 0: no filter
  for (let y = 0; y < height; y++) {
    pixels.copy(rows, y * (1 + width * 3) + 1, y * width * 3, (y + 1) * width * 3);
  }
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
