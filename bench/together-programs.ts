/**
 * The programs that keep one token cache on disk: Tokenkeep's vault, by itself and under MSAL Node; MSAL Node's own
 * extensions; MSAL Python's; electron-store. The peers' files are plain text here; their locking and writing is the
 * same with every protection that they offer.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openVault, SerializableTokenCache } from '../src-main/index.ts';
import { FolderKeychain } from '../test/torture/folder-keychain.ts';
import { installPeers, pythonPeer } from './together-peers.ts';

const installed = fileURLToPath(new URL('../peers', import.meta.url));
const at = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export interface Program {
  title: string;
  /** Creates a file with the accounts of a document. */
  seed: (file: string, document: string) => Promise<void>;
  writer: (file: string, name: string, count: number) => ChildProcess;
  /** Returns the targets of all access tokens; null if the file is empty or can't be read. */
  targets: (file: string) => Promise<Set<string> | null>;
}

const run = (command: string, args: (string | number)[]): ChildProcess =>
  spawn(command, args.map(String), { stdio: ['pipe', 'pipe', 'ignore'] });

const nodeWriter =
  (subject: string): Program['writer'] =>
  (file, name, count) =>
    run(process.execPath, [
      '--max-old-space-size=6144',
      ...[at('./together-writer.mjs'), subject, file, name, count, installed],
    ]);

/** Reads the targets of a file that is plain text. */
const plain =
  (read: (text: string) => string[]): Program['targets'] =>
  (file) => {
    try {
      const text = readFileSync(file, 'utf8');
      return Promise.resolve(text === '' ? null : new Set(read(text)));
    } catch {
      return Promise.resolve(null);
    }
  };

const ofDocument = plain((text) => {
  const cache = new SerializableTokenCache();
  cache.deserialize(text);
  return cache.find('AccessToken').map(({ target }) => target);
});

const open = (file: string) => openVault({ file, keychain: new FolderKeychain(`${file}.keys`) });

/** Tokenkeep's vault, written by one of two kinds of programs. */
const vaultOf = (title: string, subject: string): Program => ({
  title,
  async seed(file, document) {
    const vault = await open(file);
    writeFileSync(`${file}.json`, document);
    await vault.importFrom(`${file}.json`);
    await vault.close();
  },
  writer: nodeWriter(subject),
  async targets(file) {
    const vault = await open(file);
    try {
      if (vault.status.state !== 'ready') return null;
      return await vault.read((cache) => new Set(cache.find('AccessToken').map(({ target }) => target)));
    } finally {
      await vault.close();
    }
  },
});

/** A vault without MSAL: `vault.update` alone. */
export const vaultAlone = vaultOf('Tokenkeep', 'vault');
export const underMsal = vaultOf('MSAL Node on Tokenkeep', 'tokenkeep');

const nodeExtensions: Program = {
  title: 'MSAL Node, its extensions',
  seed: (file, document) => writeFile(file, document),
  writer: nodeWriter('extensions'),
  targets: ofDocument,
};

/** Each entry of the document has a key of its own in the store. */
const electronStore: Program = {
  title: 'electron-store',
  async seed(file, document) {
    const sections = JSON.parse(document) as Record<string, object>;
    await writeFile(file, JSON.stringify(Object.assign({}, ...Object.values(sections))));
  },
  writer: nodeWriter('electron-store'),
  targets: plain((text) =>
    Object.values(JSON.parse(text) as Record<string, { target?: string }>).flatMap(
      ({ target }) => target ?? [],
    ),
  ),
};

const pythonExtensions = (version: string): Program => ({
  title: `MSAL Python, its extensions ${version}`,
  seed(file, document) {
    const cache = new SerializableTokenCache();
    cache.deserialize(document);
    return writeFile(file, cache.serialize({ dialect: 'msal-python' }));
  },
  writer: (file, name, count) =>
    run('/usr/bin/python3', [
      at('../../bench/together-writer.py'),
      ...[file, name, Number.isFinite(count) ? count : 'inf'],
    ]),
  targets: ofDocument,
});

/** Installs missing peers. Without Debian's python3-msal-extensions, MSAL Python is left out. */
export function peers(): Program[] {
  installPeers(installed);
  const python = pythonPeer();
  if (python === null)
    console.log("MSAL Python's extensions are not here: Debian has them as python3-msal-extensions\n");
  return [nodeExtensions, ...(python === null ? [] : [pythonExtensions(python)]), electronStore];
}

export interface Writer {
  child: ChildProcess;
  acknowledged: string[];
  /** Milliseconds of each acknowledged update. */
  times: number[];
  errors: string[];
  /** Resolves with the first line after `ready`. */
  first: Promise<unknown>;
  go: () => void;
  ended: Promise<unknown>;
}

export async function start(program: Program, file: string, name: string, count: number): Promise<Writer> {
  const child = program.writer(file, name, count);
  const [acknowledged, times, errors]: [string[], number[], string[]] = [[], [], []];
  const lines = createInterface({ input: child.stdout! });
  const ended = once(child, 'close');
  await Promise.race([once(lines, 'line'), ended]);
  if (child.exitCode !== null) throw new Error(`${program.title}: the writer ended with ${child.exitCode}`);
  const first = once(lines, 'line');
  lines.on('line', (line) => {
    const [word = '', rest = ''] = line.split(/ (.*)/);
    if (word === 'error') errors.push(rest);
    else {
      acknowledged.push(word);
      times.push(Number(rest));
    }
  });
  return { child, acknowledged, times, errors, first, go: () => child.stdin!.write('go\n'), ended };
}

export const missing = (targets: Set<string> | null, acknowledged: string[]): number =>
  acknowledged.filter((target) => targets?.has(target) !== true).length;

/** The outcome of updates by several concurrent writers. */
export interface Outcome {
  acknowledged: number;
  /** Acknowledged updates that are not in the file; all, if the file can't be read. */
  lost: number;
  isReadable: boolean;
  refused: number;
  /** The reasons of the refusals, each once. */
  reasons: string[];
}

export async function race(
  program: Program,
  file: string,
  writers: number,
  updates: number,
): Promise<Outcome> {
  const names = Array.from({ length: writers }, (_, index) => String(index));
  const started = await Promise.all(names.map((name) => start(program, file, name, updates)));
  for (const { go } of started) go();
  await Promise.all(started.map(({ ended }) => ended));
  const acknowledged = started.flatMap((writer) => writer.acknowledged);
  const errors = started.flatMap((writer) => writer.errors);
  const targets = await program.targets(file);
  return {
    acknowledged: acknowledged.length,
    lost: missing(targets, acknowledged),
    isReadable: targets !== null,
    refused: errors.length,
    reasons: [...new Set(errors)],
  };
}

export function remove(file: string): void {
  for (const path of [file, `${file}.keys`, `${file}.json`, `${file}.lockfile`])
    rmSync(path, { recursive: true, force: true });
}
