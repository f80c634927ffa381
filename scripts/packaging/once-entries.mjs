import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/**
 * What Node imports: ES modules that give what the CommonJS entries have, and nothing of their own. However a process comes by the
 * library, it has one copy of each class and of each lock (docs/decisions/one-copy.md).
 *
 * @param {string} folder with the CommonJS entries
 * @param {string[]} entries their paths in it, without extension
 */
export function writeOnceEntries(folder, entries) {
  for (const entry of entries) {
    const file = join(folder, 'node', entry);
    mkdirSync(dirname(file), { recursive: true });
    const target = posix.relative(posix.dirname(posix.join('node', entry)), `${entry}.cjs`);
    for (const extension of ['mjs', 'd.mts'])
      writeFileSync(`${file}.${extension}`, `export * from '${target}';\n`);
  }
}
