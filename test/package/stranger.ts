/** The output of `npm pack`, installed in an empty folder as a stranger would install it. Needs `npm run build`. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import ts from 'typescript';
import { expect, onTestFinished } from 'vitest';
import { removePatiently } from '../support/remove.ts';

export interface Stranger {
  /** The folder, with a package.json and node_modules of its own. */
  folder: string;
  tarball: string;
  remove: () => void;
}

/**
 * Whether the package is installed with pnpm. In its node_modules, a program finds only the packages that it names itself. Set by
 * test/judges.
 */
export const WITH_PNPM = process.env['TOKENKEEP_WITH_PNPM'] === '1';

/** Milliseconds after which a hanging program is ended with an error. Measures nothing. */
const LONGEST = 300_000;

export function run(command: string, args: string[], cwd: string): string {
  const options = { timeout: LONGEST, killSignal: 'SIGKILL' } as const;
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
}

/**
 * Runs a program to its end, expects success, and returns the lines that it prints.
 *
 * @param onLine receives each line while the program runs, to act as the browser
 */
export async function linesOf(
  command: string,
  words: readonly string[],
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
  onLine: (line: string) => void = () => undefined,
): Promise<string[]> {
  const child = spawn(command, words, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    onLine(line);
  }
  expect([...words, ...(await ended)]).toEqual([...words, 0, null]);
  return lines;
}

export function installPacked(): Stranger {
  const place = mkdtempSync(join(tmpdir(), 'tokenkeep-pack-'));
  cpSync(packedOnce(), place, { recursive: true, verbatimSymlinks: true });
  const tarball = join(place, readdirSync(place).find((name) => name.endsWith('.tgz'))!);
  const remove = () => removePatiently(place);
  return { folder: join(place, 'stranger'), tarball, remove };
}

/** Returns a folder with the tarball and an installation of it, made once for all test files that run on the same build. */
function packedOnce(): string {
  const all = join(process.cwd(), 'artifacts', WITH_PNPM ? 'packed-pnpm' : 'packed');
  const made = join(all, whatIsPacked());
  if (existsSync(made)) return made;
  mkdirSync(all, { recursive: true });
  // Of earlier builds. Those with a dot belong to test files that are installing right now.
  for (const name of readdirSync(all))
    if (!name.startsWith('.') && name !== basename(made)) removePatiently(join(all, name));
  const place = mkdtempSync(join(all, '.'));
  try {
    const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', place], process.cwd()));
    const folder = join(place, 'stranger');
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{ "name": "stranger", "private": true }');
    const tarball = join(place, packed.filename);
    if (WITH_PNPM)
      run('npx', ['--yes', 'pnpm@10', 'add', '--store-dir', join(all, '.pnpm-store'), tarball], folder);
    else
      run('npm', ['install', '--ignore-scripts', '--omit=peer', '--no-audit', '--no-fund', tarball], folder);
    renameSync(place, made);
  } catch (error) {
    removePatiently(place);
    if (!existsSync(made)) throw error; // Another test file has made the folder meanwhile.
  }
  return made;
}

/** Returns a text that changes with every file that may be packed. */
function whatIsPacked(): string {
  const files = ['package.json', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE'];
  for (const folder of ['dist', 'docs', 'src-main/vault/format'])
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
      files.push(join(folder, file));
  const stamps = files.toSorted().map((file) => {
    const { mtimeMs, size } = statSync(file);
    return `${file} ${mtimeMs} ${size}`;
  });
  return createHash('sha256').update(stamps.join('\n')).digest('hex').slice(0, 16);
}

/** Links a package of this clone into the stranger's node_modules. */
export function link({ folder }: Stranger, name: string, from = name): void {
  const target = join(folder, 'node_modules', name);
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules', from), target);
}

const parsed = new Map<string, ts.SourceFile>();

/**
 * Compiles files of the stranger with the options of the command line. Returns the errors in them and in the package's declarations; those
 * of other packages are theirs to fix, and checking them takes most of the time.
 */
export function compile({ folder }: Stranger, words: string[], files: string[]): string[] {
  const types = join(process.cwd(), 'node_modules/@types');
  const always = ['--strict', '--noEmit', '--target', 'es2022', '--exactOptionalPropertyTypes'];
  const { options, errors } = ts.parseCommandLine([
    ...always,
    ...['--types', 'node', '--typeRoots', types],
    ...words,
  ]);
  const standard = ts.createCompilerHost(options);
  const host = { ...standard, getCurrentDirectory: () => folder };
  // The libraries and declarations that several programs use are parsed once.
  host.getSourceFile = (path, how, ...more) => {
    if (!path.includes('/node_modules/')) return standard.getSourceFile(path, how, ...more);
    const key = JSON.stringify([path, how, options.target]);
    const known = parsed.get(key) ?? standard.getSourceFile(path, how, ...more);
    if (known !== undefined) parsed.set(key, known);
    return known;
  };
  const program = ts.createProgram(
    files.map((file) => join(folder, file)),
    options,
    host,
  );
  const own = program
    .getSourceFiles()
    .filter(({ fileName }) => !/node_modules\/(?!tokenkeep\/)(?!.*node_modules\/)/.test(fileName));
  return [
    ...errors,
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...own.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]),
  ].map((found) => ts.formatDiagnostic(found, { ...host, getNewLine: () => '\n' }).trim());
}
