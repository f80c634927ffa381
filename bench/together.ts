/**
 * Counts lost updates in a token cache with several concurrent writers, and in one whose writer is killed:
 * Tokenkeep's vault under MSAL Node, MSAL Node's own extensions, MSAL Python's. `npm run bench -- together
 * [--quick]`. It counts and doesn't measure time, so a busy machine does not matter. The peers' files are plain text
 * here; their locking and writing is the same with every protection that they offer.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openVault, SerializableTokenCache } from '../src-main/index.ts';
import { FolderKeychain } from '../test/torture/folder-keychain.ts';
import { documentOf } from './generate.ts';
import { installPeer, pythonPeer } from './together-peers.ts';
import { duration, median } from './statistics.ts';

const quick = process.argv.includes('--quick');
const SIZES = quick ? [100] : [100, 1000];
const [WRITERS, UPDATES] = [4, 25];
const KILLS = quick ? 5 : 10;
/** In how many trials the next program is timed. */
const WAITS = 3;
/** Milliseconds to wait for an update after a writer was killed. */
const DEADLINE = 90_000;

const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-bench-'));
const installed = fileURLToPath(new URL('../peers', import.meta.url));
const at = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

interface Subject {
  title: string;
  /** Creates a file with the accounts of that document. */
  seed: (file: string, document: string) => Promise<void>;
  writer: (file: string, name: string, count: number) => ChildProcess;
  /** Returns the targets of all access tokens; null if the file is empty or can't be read. */
  targets: (file: string) => Promise<Set<string> | null>;
}

const program = (command: string, args: (string | number)[]): ChildProcess =>
  spawn(command, args.map(String), { stdio: ['pipe', 'pipe', 'ignore'] });

function plainTargets(file: string): Promise<Set<string> | null> {
  try {
    const text = readFileSync(file, 'utf8');
    if (text === '') return Promise.resolve(null);
    const cache = new SerializableTokenCache();
    cache.deserialize(text);
    return Promise.resolve(new Set(cache.find('AccessToken').map(({ target }) => target)));
  } catch {
    return Promise.resolve(null);
  }
}

const open = (file: string) => openVault({ file, keychain: new FolderKeychain(`${file}.keys`) });

const subjects: Subject[] = [
  {
    title: 'Tokenkeep',
    async seed(file, document) {
      const vault = await open(file);
      writeFileSync(`${file}.json`, document);
      await vault.importFrom(`${file}.json`);
      await vault.close();
    },
    writer: (file, name, count) =>
      program(process.execPath, [at('./together-writer.mjs'), 'tokenkeep', file, name, count]),
    async targets(file) {
      const vault = await open(file);
      try {
        if (vault.status.state !== 'ready') return null;
        return await vault.read((cache) => new Set(cache.find('AccessToken').map(({ target }) => target)));
      } finally {
        await vault.close();
      }
    },
  },
  {
    title: 'MSAL Node, its extensions',
    seed: (file, document) => writeFile(file, document),
    writer: (file, name, count) =>
      program(process.execPath, [at('./together-writer.mjs'), 'extensions', file, name, count, installed]),
    targets: plainTargets,
  },
];
const python = pythonPeer();
if (python === null)
  console.log("MSAL Python's extensions are not here: Debian has them as python3-msal-extensions\n");
else
  subjects.push({
    title: `MSAL Python, its extensions ${python}`,
    seed(file, document) {
      const cache = new SerializableTokenCache();
      cache.deserialize(document);
      return writeFile(file, cache.serialize({ dialect: 'msal-python' }));
    },
    writer: (file, name, count) =>
      program('/usr/bin/python3', [
        at('../../bench/together-writer.py'),
        file,
        name,
        Number.isFinite(count) ? count : 'inf',
      ]),
    targets: plainTargets,
  });

interface Writer {
  child: ChildProcess;
  acknowledged: string[];
  errors: string[];
  /** Resolves with the first line after `ready`. */
  first: Promise<unknown>;
  go: () => void;
  ended: Promise<unknown>;
}

async function start(subject: Subject, file: string, name: string, count: number): Promise<Writer> {
  const child = subject.writer(file, name, count);
  const [acknowledged, errors]: [string[], string[]] = [[], []];
  const lines = createInterface({ input: child.stdout! });
  const ended = once(child, 'close');
  await Promise.race([once(lines, 'line'), ended]);
  if (child.exitCode !== null) throw new Error(`${subject.title}: the writer ended with ${child.exitCode}`);
  const first = once(lines, 'line');
  lines.on('line', (line) =>
    line.startsWith('error ') ? errors.push(line.slice(6)) : acknowledged.push(line),
  );
  return { child, acknowledged, errors, first, go: () => child.stdin!.write('go\n'), ended };
}

const missing = (targets: Set<string> | null, acknowledged: string[]): number =>
  acknowledged.filter((target) => targets?.has(target) !== true).length;

async function race(subject: Subject, file: string): Promise<string> {
  const names = Array.from({ length: WRITERS }, (_, index) => String(index));
  const writers = await Promise.all(names.map((name) => start(subject, file, name, UPDATES)));
  for (const { go } of writers) go();
  await Promise.all(writers.map(({ ended }) => ended));
  const acknowledged = writers.flatMap((writer) => writer.acknowledged);
  const errors = writers.flatMap((writer) => writer.errors);
  const targets = await subject.targets(file);
  const refused =
    errors.length === 0 ? '' : `, ${errors.length} refused (${[...new Set(errors)].join(', ')})`;
  const state = targets === null ? 'the file can’t be read' : `${missing(targets, acknowledged)} lost`;
  return `${state} of ${acknowledged.length} acknowledged${refused}`;
}

/** Returns how long the next program waits for its first update, in milliseconds; null if it gets none. */
async function next(subject: Subject, file: string, name: string): Promise<number | null> {
  const writer = await start(subject, file, name, 1);
  const begin = performance.now();
  writer.go();
  await Promise.race([writer.ended, delay(DEADLINE)]);
  writer.child.kill('SIGKILL');
  return writer.acknowledged.length === 1 ? performance.now() - begin : null;
}

async function kills(subject: Subject, document: string): Promise<string[]> {
  let [unreadable, lost, locks, never] = [0, 0, 0, 0];
  const waits: number[] = [];
  for (let trial = 0; trial < KILLS; trial += 1) {
    const file = join(folder, `kill-${trial}`);
    await subject.seed(file, document);
    const writer = await start(subject, file, '0', Infinity);
    writer.go();
    await writer.first;
    await delay(100 + ((trial * 137) % 500)); // at an arbitrary moment of a write
    writer.child.kill('SIGKILL');
    await writer.ended;
    const targets = await subject.targets(file);
    if (targets === null) unreadable += 1;
    else if (missing(targets, writer.acknowledged) > 0) lost += 1;
    if (existsSync(`${file}.lockfile`)) locks += 1;
    if (trial < WAITS) {
      const wait = await next(subject, file, '1');
      if (wait === null) never += 1;
      else waits.push(wait);
    }
    remove(file);
  }
  const worst =
    waits.length === 0 ? '' : `: ${duration(median(waits))}, at the worst ${duration(Math.max(...waits))}`;
  return [
    `killed in the middle, ${KILLS} times: ${unreadable} files empty or unreadable, ${lost} without an acknowledged update, ${locks} with a lock file left`,
    `the next program's first update, ${WAITS} times${worst}${never === 0 ? '' : `, never in ${never}`}`,
  ];
}

function remove(file: string): void {
  for (const path of [file, `${file}.keys`, `${file}.json`, `${file}.lockfile`])
    rmSync(path, { recursive: true, force: true });
}

installPeer(installed);
for (const accounts of SIZES) {
  const document = documentOf(accounts);
  console.log(`${accounts.toLocaleString('en')} accounts; ${WRITERS} programs, ${UPDATES} updates each`);
  for (const subject of subjects) {
    const file = join(folder, 'race');
    await subject.seed(file, document);
    console.log(`  ${subject.title.padEnd(34)} ${await race(subject, file)}`);
    remove(file);
    for (const line of await kills(subject, document)) console.log(`  ${''.padEnd(34)} ${line}`);
  }
}
rmSync(folder, { recursive: true, force: true });
