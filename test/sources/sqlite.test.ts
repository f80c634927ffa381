/** The accounts of VS Code and Google Cloud CLI, in databases that the real SQLite has written (Python's). */
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findSources } from '../../src-main/sources/find.ts';
import { howToLeave, readSource } from '../../src-main/sources/read.ts';
import { keysIn } from '../../src-main/sources/sqlite.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-sqlite-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** @param after what Python does before it ends without closing the database */
function database(
  path: string,
  statements: string,
  rows: readonly (readonly string[])[],
  after = 'db.close()',
): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  const [insert, ...before] = statements.split(';').reverse();
  const script = [
    'import sqlite3, json, os, sys',
    'db = sqlite3.connect(sys.argv[1])',
    ...before.reverse().map((statement) => `db.execute(${JSON.stringify(statement)})`),
    `db.executemany(${JSON.stringify(insert)}, json.load(sys.stdin))`,
    'db.commit()',
    after,
  ].join('\n');
  const { status, stderr } = spawnSync('/usr/bin/python3', ['-c', script, file], {
    input: JSON.stringify(rows),
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return file;
}
const VSCODE =
  'CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB);INSERT INTO ItemTable VALUES (?, ?)';
const SECRET = 'secret-that-is-not-read';

async function only(program: string) {
  return (await findSources({ home, platform: 'linux', env: {} })).find((one) => one.program === program)!;
}

it.each([
  ['in one page', 0, 'PRAGMA page_size=4096;'],
  ['in many pages', 3_000, 'PRAGMA page_size=512;'],
  ['in pages of 64 kB', 50, 'PRAGMA page_size=65536;'],
])('names the accounts of VS Code %s, and reads no value', async (_, more, pragma) => {
  const others = Array.from({ length: more }, (_unused, index) => [
    `workbench.${'x'.repeat(index % 700)}.${index}`,
    SECRET.repeat(40),
  ]);
  const file = database('.config/Code/User/globalStorage/state.vscdb', pragma + VSCODE, [
    ...others,
    ['microsoft-ada@contoso.example-usages', '[]'],
    ['microsoft-sovereign-cloud-eve@contoso.example-usages', '[]'],
    ['github-ben-usages', '[]'],
    ['secret://{"extensionId":"vscode.microsoft-authentication","key":"pca:x"}', SECRET],
    ['github-', '[]'],
  ]);
  const before = readFileSync(file);
  const source = await only('vscode');
  const reading = await readSource(source);
  expect(reading).toMatchObject({ state: 'accounts', cache: null, accounts: [] });
  expect([...reading.names].sort((a, b) => a.name.localeCompare(b.name))).toEqual([
    { name: 'ada@contoso.example', at: 'Microsoft' },
    { name: 'ben', at: 'github.com' },
    { name: 'eve@contoso.example', at: 'Microsoft, sovereign cloud' },
  ]);
  expect(howToLeave(source)).toContain('Accounts');
  // Nothing was created beside it, such as a journal.
  expect(readdirSync(dirname(file))).toEqual(['state.vscdb']);
  expect(readFileSync(file).equals(before)).toBe(true);
});

it('names the accounts of Google Cloud CLI, and its command with the name', async () => {
  database(
    '.config/gcloud/credentials.db',
    'CREATE TABLE IF NOT EXISTS "credentials" (account_id TEXT PRIMARY KEY, value BLOB);REPLACE INTO "credentials" VALUES (?, ?)',
    [['ada@example.org', JSON.stringify({ refresh_token: SECRET })]],
  );
  const source = await only('gcloud');
  const { names, state } = await readSource(source);
  expect({ names, state }).toEqual({
    state: 'accounts',
    names: [{ name: 'ada@example.org', at: 'googleapis.com' }],
  });
  expect(howToLeave(source, names[0])).toBe('To sign out, run: gcloud auth revoke ada@example.org');
});

it('sees what is committed in the write-ahead log, and not what is not', async () => {
  const file = database(
    'state.vscdb',
    `PRAGMA journal_mode=WAL;${VSCODE}`,
    [['a', '1']],
    `db.execute("INSERT INTO ItemTable VALUES ('b', '2')"); db.commit(); db.execute("INSERT INTO ItemTable VALUES ('c', '3')"); os._exit(0)`,
  );
  expect((await keysIn(file, 'ItemTable'))?.sort()).toEqual(['a', 'b']);
});

it.each([
  ['is empty', (file: string) => writeFileSync(file, '')],
  ['is no database', (file: string) => writeFileSync(file, 'x'.repeat(5_000))],
  ['is cut off', (file: string) => truncateSync(file, 4_500)],
  [
    'points to itself',
    (file: string) => {
      const bytes = readFileSync(file);
      bytes.writeUInt8(0x05, 100);
      bytes.writeUInt32BE(1, 108);
      writeFileSync(file, bytes);
    },
  ],
])('is not understood where the database %s', async (_, damage) => {
  const file = database('.config/Code/User/globalStorage/state.vscdb', VSCODE, [
    ['microsoft-a@x-usages', '[]'],
  ]);
  damage(file);
  const { state, problem } = await readSource(await only('vscode'), { pause: 1 });
  expect(state).toBe('not-understood');
  expect(problem).toContain('VS Code');
});

it('never throws on damaged bytes', async () => {
  const file = database('state.vscdb', `PRAGMA page_size=512;${VSCODE}`, [
    ['a', '1'],
    ['b', '2'],
  ]);
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; at += 3) {
    const damaged = Buffer.from(bytes);
    damaged.writeUInt8((damaged.readUInt8(at) ^ 0x85) & 0xff, at);
    writeFileSync(file, damaged);
    const keys = await keysIn(file, 'ItemTable');
    expect(keys === null || Array.isArray(keys)).toBe(true);
  }
});
