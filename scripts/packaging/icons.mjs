// node scripts/packaging/icons.mjs: draws app/resources/icon.png anew, after a change of icon.svg. Packaging draws the others.
import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const resources = join(root, 'app/resources');

/** The type of each size in an icns: 32 to 1024 pixels, all of which may be PNG. */
const icnsTypes = { 32: 'ic11', 64: 'ic12', 128: 'ic07', 256: 'ic08', 512: 'ic09', 1024: 'ic10' };
const icoSizes = [16, 24, 32, 48, 64, 128, 256];
const linuxSizes = [16, 24, 32, 48, 64, 128, 256, 512];

let loaded;

/** Loaded at the first drawing: commands that import this file also run before packages are installed. */
async function load() {
  const library = await import('@resvg/resvg-wasm');
  await library.initWasm(
    readFileSync(createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm')),
  );
  return library;
}

/** Draws app/resources/icon.svg. The bytes are the same on every machine. */
export async function drawIcon(size) {
  const { Resvg } = await (loaded ??= load());
  const svg = await readFile(join(resources, 'icon.svg'), 'utf8');
  return Buffer.from(new Resvg(svg, { fitTo: { mode: 'width', value: size } }).render().asPng());
}

/**
 * Draws the files that electron-builder.yml names: linux/<size>x<size>.png, icon.icns and icon.ico.
 *
 * @param {string} folder created if it does not exist
 */
export async function drawIcons(folder) {
  const sizes = [...new Set([...linuxSizes, ...icoSizes, ...Object.keys(icnsTypes).map(Number)])];
  const images = new Map();
  for (const size of sizes) images.set(size, await drawIcon(size));
  await mkdir(join(folder, 'linux'), { recursive: true });
  for (const size of linuxSizes)
    await writeFile(join(folder, 'linux', `${size}x${size}.png`), images.get(size));
  await writeFile(join(folder, 'icon.icns'), icns(images));
  await writeFile(join(folder, 'icon.ico'), ico(images));
}

/** Apple Icon Image: `icns` and the total length; then, for each image, its type, its length including these 8 bytes, and the image. */
function icns(images) {
  const chunk = (type, data) => {
    const head = Buffer.from(`${type}\0\0\0\0`);
    head.writeUInt32BE(8 + data.length, 4);
    return Buffer.concat([head, data]);
  };
  const chunks = Object.entries(icnsTypes).map(([size, type]) => chunk(type, images.get(Number(size))));
  return chunk('icns', Buffer.concat(chunks));
}

/** Windows icon: a directory entry of 16 bytes for each image, with 256 pixels written as 0; then the images. */
function ico(images) {
  const head = Buffer.alloc(6 + 16 * icoSizes.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(icoSizes.length, 4);
  let offset = head.length;
  for (const [index, size] of icoSizes.entries()) {
    const at = 6 + 16 * index;
    const { length } = images.get(size);
    head.writeUInt8(size % 256, at);
    head.writeUInt8(size % 256, at + 1);
    head.writeUInt16LE(1, at + 4); // planes
    head.writeUInt16LE(32, at + 6); // bits per pixel
    head.writeUInt32LE(length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += length;
  }
  return Buffer.concat([head, ...icoSizes.map((size) => images.get(size))]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await writeFile(join(resources, 'icon.png'), await drawIcon(512));
