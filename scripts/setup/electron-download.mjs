// Brings Electron's own binary into node_modules/electron/dist. A byte on stdout for every piece that arrives, so that the
// caller can tell a slow line from a dead one; one line on stderr when it can't be had.
import { createRequire } from 'node:module';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const installer = require.resolve('electron/install.js');
const fromElectron = createRequire(installer);

try {
  // Electron's installer has no sign of life, so the archive is fetched first, by what that installer uses and with its
  // pinned checksums; the installer then finds it in @electron/get's cache, and unpacks it.
  const { downloadArtifact } = await import(pathToFileURL(fromElectron.resolve('@electron/get')).href);
  await downloadArtifact({
    version: JSON.parse(readFileSync(require.resolve('electron/package.json'), 'utf8')).version,
    artifactName: 'electron',
    platform: process.env.npm_config_platform ?? process.platform,
    arch: process.env.npm_config_arch ?? process.arch,
    cacheRoot: process.env.electron_config_cache,
    checksums: fromElectron('./checksums.json'),
    downloadOptions: { quiet: true, getProgressCallback: () => process.stdout.write('.') },
  });
  process.stdout.write('.');
  const { status, stderr } = spawnSync(process.execPath, [installer], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(String(stderr).trim().split('\n')[0]);
} catch (error) {
  const cause = error.cause?.code ?? error.cause?.message;
  console.error(cause ? `${error.message}: ${cause}` : error.message);
  process.exitCode = 1;
}
