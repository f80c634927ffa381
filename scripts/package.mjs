// npm run package [-- options of electron-builder]: a release of the app, with Electron's own binary.
// npm run package:dev: one for this machine, marked as development, which may have the development runtime inside.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './setup/build.mjs';
import { runEntry } from './setup/say.mjs';
import { setUp } from './setup/set-up.mjs';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));

await runEntry(async (words) => {
  const electron = await setUp(root, ['app']);
  ensureBuilt(root);
  const development = words[0] === '--development';
  const args = development
    ? ['--config', 'electron-builder.dev.yml', '--dir', ...words.slice(1)]
    : ['--config', 'electron-builder.yml', ...words];
  args.push(
    '--publish',
    'never',
    `-c.electronDist=${electron.dist}`,
    `-c.electronVersion=${electron.version}`,
  );
  const builder = require.resolve('electron-builder/cli.js');
  return spawnSync(process.execPath, [builder, ...args], { cwd: root, stdio: 'inherit' }).status ?? 1;
});
