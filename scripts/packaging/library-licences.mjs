import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A plugin for tsdown that writes the licences of what the library has code of: npm does not install these packages, so their
 * licences go into the package itself.
 *
 * @param {string} folder of the library's bundle
 * @returns {import('vite').Plugin} writes THIRD-PARTY-LICENSES.txt
 */
export function writeLibraryLicences(folder) {
  const packages = new Set();
  return {
    name: 'library-licences',
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        for (const id of chunk.moduleIds) {
          const found = FOLDER.exec(id.replaceAll('\\', '/'))?.[0];
          if (found !== undefined) packages.add(found);
        }
      }
    },
    writeBundle() {
      const texts = [...packages].sort().map(licenceOf);
      writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), `${texts.join('\n\n')}\n`);
    },
  };
}

/** The folder of the package that a file belongs to. */
const FOLDER = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  if (file === undefined) throw new Error(`${name} is in the library’s code and has no licence file.`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}`;
}
