/** Measures the size of the package: each entry point as bundled for production, and an installation beside those of its peers. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type OutputFile } from 'esbuild';
import manifest from '../package.json' with { type: 'json' };
import { median } from './statistics.ts';
import { VERSIONS } from './together-peers.ts';

const NATIVE = Object.keys(manifest.dependencies);
const NOT_BUNDLED = [...NATIVE, ...Object.keys(manifest.peerDependencies)];
/** How often each installation is timed. */
const INSTALLS = 2;

/** Sizes in bytes, minified, without the native packages and the peers. */
export interface EntrySize {
  entry: string;
  /** Size of the code that is loaded with the entry point. */
  loaded: number;
  /** The same, compressed with gzip. */
  gzip: number;
  /** Size of the code that is loaded on first use. */
  later: number;
}

export interface Installation {
  name: string;
  megabytes: number;
  packages: number;
  /** Install scripts of these packages. npm was told not to run them. */
  scripts: string[];
  /** The median, in seconds, with everything in npm's cache. */
  seconds: number;
}

const npm = (folder: string, ...words: string[]): string =>
  execFileSync('npm', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Packs this clone, which must have been built. @returns the path of the tarball */
export function pack(root: string, folder: string): string {
  const [packed] = JSON.parse(npm(root, 'pack', '--json', '--pack-destination', folder)) as [
    { filename: string },
  ];
  return join(folder, packed.filename);
}

/** Bundles a program: the files that it loads at once, and those that it loads on first use. */
interface Bundled {
  readonly now: OutputFile[];
  readonly later: OutputFile[];
}

/** @param folder in which the package is installed */
export async function bundled(
  folder: string,
  contents: string,
  external: readonly string[],
): Promise<Bundled> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    external: [...external],
    outdir: folder,
    logLevel: 'error',
  });
  const { outputs } = metafile;
  // Code that is loaded later has an entry point of its own.
  const loaded = new Set(Object.keys(outputs).filter((name) => outputs[name]?.entryPoint === '<stdin>'));
  for (const name of loaded)
    for (const { path, kind, external: isOutside } of outputs[name]?.imports ?? [])
      if (isOutside !== true && kind === 'import-statement') loaded.add(path);
  const names = new Set([...loaded].map((name) => basename(name)));
  const isLoaded = (file: OutputFile): boolean => names.has(basename(file.path));
  return { now: outputFiles.filter(isLoaded), later: outputFiles.filter((file) => !isLoaded(file)) };
}

/** @param folder in which the package is installed */
export async function entrySizes(folder: string): Promise<EntrySize[]> {
  const entries = Object.keys(manifest.exports)
    .filter((path) => path !== './package.json')
    .map((path) => path.replace(/^\./, 'tokenkeep'));
  const programs = [
    ['openVault of tokenkeep', "export { openVault } from 'tokenkeep';"] as const,
    ...entries.map((entry) => [entry, `export * from '${entry}';`] as const),
  ];
  const sizes: EntrySize[] = [];
  for (const [entry, contents] of programs) {
    const { now, later } = await bundled(
      folder,
      contents,
      NOT_BUNDLED.flatMap((name) => [name, `${name}/*`]),
    );
    const bytes = (files: OutputFile[]): number =>
      files.reduce((total, file) => total + file.contents.length, 0);
    sizes.push({
      entry,
      loaded: bytes(now),
      gzip: gzipSync(Buffer.concat(now.map((file) => file.contents))).length,
      later: bytes(later),
    });
  }
  return sizes;
}

/** Installs the tarball and its peers, each into empty folders. */
export function installations(tarball: string): Installation[] {
  const wanted: [name: string, specifier: string][] = [
    ['Tokenkeep', tarball],
    ...Object.entries(VERSIONS).map(([name, version]) => [name, `${name}@${version}`] as [string, string]),
  ];
  return wanted.map(([name, specifier]) => installed(name, specifier));
}

function installed(name: string, specifier: string): Installation {
  const place = mkdtempSync(join(tmpdir(), 'tokenkeep-install-'));
  const seconds: number[] = [];
  let folder = place;
  // The first installation fills npm's cache, and is not counted.
  for (let time = 0; time <= INSTALLS; time += 1) {
    folder = join(place, String(time));
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const begin = performance.now();
    npm(folder, 'install', '--prefer-offline', ...QUIET, specifier);
    if (time > 0) seconds.push((performance.now() - begin) / 1000);
  }
  const lock = JSON.parse(npm(folder, 'query', '*')) as {
    name: string;
    location: string;
    scripts?: Record<string, string>;
  }[];
  const packages = lock.filter(({ location }) => location !== '');
  const scripts = packages
    .filter(({ scripts: own = {} }) => ['preinstall', 'install', 'postinstall'].some((each) => each in own))
    .map((each) => each.name);
  const megabytes = sizeOf(join(folder, 'node_modules')) / 1e6;
  rmSync(place, { recursive: true, force: true });
  return { name, megabytes, packages: packages.length, scripts, seconds: median(seconds) };
}

const QUIET = ['--ignore-scripts', '--omit=peer', '--no-audit', '--no-fund', '--loglevel=error'];

/** Returns the total size of all files in the folder, in bytes. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((total, { parentPath, name }) => total + statSync(join(parentPath, name)).size, 0);
}
