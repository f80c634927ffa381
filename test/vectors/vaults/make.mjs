// Writes the vault files in this folder, index.json, and the worked example of FORMAT.md: node test/vectors/vaults/make.mjs
// They are kept because a later version must read what this one wrote; a change here is a change of the format.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runnerImport } from 'vite';

const folder = import.meta.dirname;
const source = join(folder, '..', '..', 'vault', 'vectors.ts'); // TypeScript, which this Node does not run by itself
const { module } = await runnerImport(source, { configFile: false, logLevel: 'error' });
const made = module.vaultVectors();
for (const { vector, bytes } of made) writeFileSync(join(folder, `${vector.name}.vault`), bytes);
const lines = made.map(({ vector }) => `  ${JSON.stringify(vector)}`);
writeFileSync(join(folder, 'index.json'), `[\n${lines.join(',\n')}\n]\n`);
console.log(`${made.length} vault files in ${folder}`);
const page = join(folder, '..', '..', '..', 'src-main', 'vault', 'format', 'FORMAT.md');
const [before, , after] = readFileSync(page, 'utf8').split('```');
writeFileSync(page, `${before}\`\`\`\n${module.printed(module.exampleFile())}\n\`\`\`${after}`);
