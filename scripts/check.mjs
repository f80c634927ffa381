// npm run check: types, format, lint and the tests that need nothing but Node, in less than a minute. It runs in place, as the current
// user; `npm test` runs everything.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ensureNodeModules } from './setup/node-modules.mjs';
import { runEntry } from './setup/say.mjs';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

await runEntry(async (words) => {
  ensureNodeModules(root);
  const run = fileURLToPath(new URL('./checks/run.mjs', import.meta.url));
  const child = spawn(process.execPath, [run, 'check', ...words], { cwd: root, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return code ?? 1;
});
