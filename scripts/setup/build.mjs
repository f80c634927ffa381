import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nativePackages } from '../packaging/native-hashes.mjs';
import { SetUpError, say } from './say.mjs';

/** The native binaries are among them because their hashes are pinned in the app. */
const sources = [
  'app',
  'src-main',
  'src-renderer',
  'scripts/packaging', // the bundlers' plugins
  ...nativePackages.map((name) => `node_modules/${name}/prebuilds`),
];
const outputs = ['dist', 'out'];

/**
 * Builds dist/ (the library) and out/ (the app), unless they are unchanged since the last build of the same sources. Sources and builds are
 * compared by content, so neither a switch of branches nor a build by hand is missed.
 *
 * @param {string} root the clone
 */
export function ensureBuilt(root) {
  const stampFile = stampOf(root);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp(root)) return;
  build(root);
}

/** Builds dist/ and out/, also if nothing changed. */
export function build(root) {
  say(`builds into ${join(root, 'dist')} and ${join(root, 'out')}, with npm run build`);
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new SetUpError(`the build failed.\n${stdout}${stderr}`);
  const stampFile = stampOf(root);
  mkdirSync(join(stampFile, '..'), { recursive: true });
  writeFileSync(stampFile, stamp(root));
}

const stampOf = (root) => join(root, 'node_modules/.cache/tokenkeep/build');

function stamp(root) {
  const inputs = digest(root, [...sources, ...configuration(root)]);
  return `${inputs} ${digest(root, outputs)} ${process.env.TOKENKEEP_CLIENT_ID ?? ''}\n`;
}

/** Every file at the top of the clone that can affect a build. */
function configuration(root) {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(json|[cm]?[jt]s|html)$/.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

function digest(root, paths) {
  const hash = createHash('sha256');
  for (const path of paths) add(hash, root, path);
  return hash.digest('base64url');
}

function add(hash, root, path) {
  const file = join(root, path);
  if (!existsSync(file)) return hash.update(`absent ${path}\0`);
  const entries = listing(file);
  if (entries) {
    for (const name of entries) add(hash, root, join(path, name));
    return hash;
  }
  const bytes = readFileSync(file);
  return hash.update(`${path} ${bytes.length}\0`).update(bytes);
}

/** Returns the sorted names in a folder; undefined for a file. */
function listing(path) {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    if (error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}
