// Downloads Electron's own binary into node_modules/electron/dist. Writes a byte to stdout for every piece that arrives, so that the caller
// can tell a slow connection from a dead one, and one line to stderr if the download fails.
import { createRequire } from 'node:module';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const installer = require.resolve('electron/install.js');
const fromElectron = createRequire(installer);

try {
  // Electron's installer reports no progress, so the archive is fetched first, with the library and the pinned checksums of that installer.
  // The installer then finds it in @electron/get's cache, and unpacks it.
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
