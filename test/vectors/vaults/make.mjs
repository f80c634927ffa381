// Writes the vault files in this folder, and index.json: node test/vectors/vaults/make.mjs
// They are kept because a later version must read what this one wrote; a change here is a change of the format.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';

const folder = import.meta.dirname;
const root = join(folder, '..', '..', '..');
const outDir = join(root, 'node_modules', '.cache', 'tokenkeep-vectors');
mkdirSync(outDir, { recursive: true });
await build({
  root,
  configFile: false,
  logLevel: 'error',
  build: {
    outDir,
    emptyOutDir: false,
    target: 'node20',
    ssr: 'test/vault/vectors.ts',
    rolldownOptions: { external: [/^node:/], output: { entryFileNames: 'vectors.mjs' } },
  },
});
const { vaultVectors } = await import(pathToFileURL(join(outDir, 'vectors.mjs')).href);
const made = vaultVectors();
for (const { vector, bytes } of made) writeFileSync(join(folder, `${vector.name}.vault`), bytes);
const lines = made.map(({ vector }) => `  ${JSON.stringify(vector)}`);
writeFileSync(join(folder, 'index.json'), `[\n${lines.join(',\n')}\n]\n`);
rmSync(outDir, { recursive: true });
console.log(`${made.length} vault files in ${folder}`);
