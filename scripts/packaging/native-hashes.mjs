import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The packages with native code; no other package may bring any into the app. */
export const nativePackages = ['keytar', 'fs-native-extensions'];

/**
 * Returns the SHA-256 of every native binary that the app may load, for all platforms: a macOS build contains two of them.
 *
 * @param {string} root the clone
 * @returns {Record<string, string>} hexadecimal hashes by the path below node_modules, with slashes
 */
export function nativeHashes(root) {
  const found = nativePackages.flatMap((name) => {
    const folder = join(root, 'node_modules', name, 'prebuilds');
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /^(darwin|linux|win32)-.+\.node$/.test(file))
      .map((file) => [`${name}/prebuilds/${file.replaceAll('\\', '/')}`, readFileSync(join(folder, file))]);
  });
  return Object.fromEntries(
    found.sort().map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')]),
  );
}
