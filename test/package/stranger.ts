/** What `npm pack` gives, installed in an empty folder as a stranger would. Needs `npm run build`. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface Stranger {
  /** The folder with a package.json and node_modules of its own. */
  folder: string;
  tarball: string;
  remove: () => void;
}

export function run(command: string, args: string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export function installPacked(): Stranger {
  const place = mkdtempSync(join(tmpdir(), 'tokenkeep-pack-'));
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', place], process.cwd()));
  const tarball = join(place, packed.filename);
  const folder = join(place, 'stranger');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "stranger", "private": true }');
  run('npm', ['install', '--ignore-scripts', '--omit=peer', '--no-audit', '--no-fund', tarball], folder);
  return { folder, tarball, remove: () => rmSync(place, { recursive: true, force: true }) };
}

/** Gives the stranger a package that this clone has. */
export function link({ folder }: Stranger, name: string, from = name): void {
  const target = join(folder, 'node_modules', name);
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules', from), target);
}

/** Runs the compiler on files of the stranger; gives what it says, line by line, and nothing when all is well. */
export function compile({ folder }: Stranger, options: string[], files: string[]): string[] {
  const tsc = join(process.cwd(), 'node_modules/typescript-7/bin/tsc');
  const types = join(process.cwd(), 'node_modules/@types');
  const always = ['--strict', '--noEmit', '--target', 'es2022', '--exactOptionalPropertyTypes'];
  try {
    run(
      process.execPath,
      [tsc, ...always, '--types', 'node', '--typeRoots', types, ...options, ...files],
      folder,
    );
    return [];
  } catch (error) {
    if (!(error instanceof Error) || !('stdout' in error)) throw error;
    return String(error.stdout).trim().split('\n');
  }
}
