import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../setup/say.mjs';
import { developmentOptions, runBuilder } from './electron-builder.mjs';

const folder = 'artifacts/packaged';

/**
 * Builds the app as it is installed, unpacked and on Linux also as a deb, into artifacts/packaged, unless the last build there has the same
 * sources. All tests of the packaged app share it.
 *
 * @param {string} root the clone, after `npm run build`
 * @param {{ dist: string, version: string }} electron
 * @returns {Promise<{ app: string, deb: string | undefined }>} the executable, and the package
 */
export async function ensurePackaged(root, electron) {
  const output = join(root, folder);
  const stampFile = join(output, 'stamp');
  const wanted = stamp(root, electron);
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== wanted) {
    say(`packages the app into ${output}, for its tests`);
    rmSync(output, { recursive: true, force: true });
    const { config, args, env } = developmentOptions(root, electron);
    const targets = process.platform === 'linux' ? ['--linux', 'deb'] : ['--dir'];
    await runBuilder(root, {
      config,
      args: [...targets, ...args, `-c.directories.output=${folder}`],
      env,
      electron,
      quiet: true,
    });
    writeFileSync(stampFile, wanted);
  }
  return packaged(root);
}

/** Returns where the app packaged for tests is; undefined if there is none. */
export function packaged(root) {
  const output = join(root, folder);
  if (!existsSync(join(output, 'stamp'))) return undefined;
  const names = readdirSync(output);
  const place = {
    linux: ['linux-unpacked', 'tokenkeep-development'],
    darwin: [
      names.find((name) => name.startsWith('mac')) ?? 'mac',
      'Tokenkeep-Development.app/Contents/MacOS/Tokenkeep-Development',
    ],
    win32: ['win-unpacked', 'Tokenkeep-Development.exe'],
  }[process.platform];
  const deb = names.find((name) => name.endsWith('.deb'));
  return {
    app: join(output, ...place),
    deb: deb && join(output, deb),
    /** The path in the copy that inspectable.mjs makes. */
    inspectable: join(output, 'inspectable', place[1]),
  };
}

/** Returns a hash of the contents of everything that goes into a package. */
function stamp(root, electron) {
  const hash = createHash('sha256').update(`${electron.dist} ${electron.version}\0`);
  const tops = ['out', 'scripts/packaging', 'app/resources', 'package.json', 'package-lock.json'];
  const files = [...tops, 'electron-builder.yml', 'electron-builder.dev.yml'].flatMap((name) =>
    filesIn(root, name),
  );
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function filesIn(root, name) {
  try {
    const entries = readdirSync(join(root, name), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .sort();
  } catch {
    return [name]; // a file
  }
}
