import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const app = join(root, 'out/bundled');

/**
 * A plugin for vite and tsdown that records the packages whose code is in a bundle. npm may know them only as development dependencies, but
 * they are shipped, and have to be in the bill of materials and among the licenses.
 *
 * @param {string} name of the bundle
 * @param {string} [folder] default: that of the app's bundles
 * @returns {import('vite').Plugin} writes <name>.json into the folder, a list of packages' folders in the clone
 */
export function noteBundled(name, folder = app) {
  return {
    name: 'note-bundled',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((chunk) =>
        chunk.type === 'chunk' ? chunk.moduleIds : [],
      );
      const packages = new Set(modules.flatMap((id) => packageOf(id) ?? []));
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `${name}.json`), `${JSON.stringify([...packages].sort(), null, 2)}\n`);
    },
  };
}

/**
 * `/clone/node_modules/a/node_modules/@b/c/index.js` belongs to `node_modules/a/node_modules/@b/c`. The folder may be a link to that of
 * another clone, so the path before it does not matter.
 */
export function packageOf(id) {
  const path = id.replaceAll('\\', '/');
  const from = path.indexOf('/node_modules/');
  return from < 0
    ? undefined
    : /^(?:node_modules\/(?:@[^/]+\/)?[^/]+\/)+/.exec(path.slice(from + 1))?.[0].slice(0, -1);
}
