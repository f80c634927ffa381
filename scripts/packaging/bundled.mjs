import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'out/bundled');

/**
 * A plugin for vite and tsdown that notes which packages a bundle has code of: what npm knows only as tools of development
 * is shipped all the same, and has to be in the bill of materials and among the licences.
 *
 * @param {string} name of the bundle
 * @returns {import('vite').Plugin} writes out/bundled/<name>.json, a list of packages' folders in the clone
 */
export function noteBundled(name) {
  return {
    name: 'note-bundled',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((chunk) =>
        chunk.type === 'chunk' ? chunk.moduleIds : [],
      );
      const packages = new Set(modules.flatMap((id) => packageOf(relative(root, id)) ?? []));
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `${name}.json`), `${JSON.stringify([...packages].sort(), null, 2)}\n`);
    },
  };
}

/** `node_modules/a/node_modules/@b/c/index.js` is of `node_modules/a/node_modules/@b/c`. */
function packageOf(path) {
  return /^(?:node_modules\/(?:@[^/]+\/)?[^/]+\/)+/.exec(path.replaceAll('\\', '/'))?.[0].slice(0, -1);
}
