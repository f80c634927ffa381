/**
 * "Nothing is read before the user asks for it, nothing is kept, nothing is sent." The kernel reports which files are opened, the folders
 * are compared byte by byte, and there is no network.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openSources } from '../../app/sources/open-sources.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { memoryKeychain } from '../../src-main/index.ts';
import { PROGRAMS } from '../../src-main/sources/programs.ts';
import { findSources } from '../../src-main/sources/index.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';
import { command } from '../cli/command.ts';
import { accessLog, type AccessLog } from '../support/access-log.ts';
import { portsAt } from './app-ports.ts';
import { bundle } from '../support/bundle.ts';

let program: string;
let home: string;
let files: string[];
let log: AccessLog;
beforeAll(async () => {
  program = await bundle('src-main/cli/main.ts');
}, 60_000);
afterAll(() => rmSync(dirname(program), { recursive: true, force: true }));

const cache = new SerializableTokenCache();
cache.add(
  tokenResponse({ username: 'ada@example.org', access_token: 'at-secret', refresh_token: 'rt-secret' }),
);
const DOCUMENT = cache.serialize({ dialect: 'msal-python' });

/** A file in each place of each program on Linux, as far as it is below the home folder. */
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-untouched-'));
  files = [];
  for (const { places } of PROGRAMS)
    for (const { file, isFolder, sealing, content } of places({ platform: 'linux', home, env: {} })) {
      if (!file.startsWith(home)) continue;
      const path = isFolder === true ? join(file, 'a_tokens.json') : file;
      const isSignal = sealing === 'secret-service';
      mkdirSync(dirname(path), { recursive: true });
      if (files.includes(path)) continue;
      writeFileSync(path, isSignal ? '' : content === 'msal' ? DOCUMENT : '{}', { mode: 0o600 });
      files.push(path);
    }
  expect(files.length).toBeGreaterThan(15);
  log = await accessLog(files);
});
afterEach(async () => {
  await log.close();
  rmSync(home, { recursive: true, force: true });
});

async function openedNow(): Promise<string[]> {
  await log.settle();
  return log.opened().map((file) => file.slice(home.length + 1));
}
function contents(folder: string): Record<string, string> {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    all
      .filter((entry) => entry.isFile())
      .map((entry) => [
        join(entry.parentPath, entry.name),
        readFileSync(join(entry.parentPath, entry.name), 'latin1'),
      ]),
  );
}

it('finding opens no file, and neither does the app before a click on that one', async () => {
  expect((await findSources({ home, platform: 'linux' })).length).toBeGreaterThan(10);
  let sent = 0;
  const sources = openSources(portsAt(home, { onChange: () => (sent += 1) }));
  const { items } = await sources.handlers.findSources(null);
  expect(await openedNow()).toEqual([]);
  const azure = items.find(({ name }) => name === 'Azure CLI')!;
  await sources.handlers.openSource(null, azure.id);
  expect(await openedNow()).toEqual(['.azure/msal_token_cache.json']);
  sources.stop();
  expect(sent).toBeGreaterThan(0);
});

it('verbs that are not about other programs open none of their files', async () => {
  const env = { PATH: process.env['PATH'], HOME: home, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' };
  for (const words of ['--help', 'completion bash', 'decode opaque', 'verify', 'doctor', 'list --vault-only'])
    spawnSync(process.execPath, [program, ...words.split(' ')], { env });
  spawnSync(process.execPath, [program, 'get', '--account', 'ada@example.org', '--scope', 's'], { env });
  expect(await openedNow()).toEqual([]);
  // A requested cache is opened, which proves that the log works.
  spawnSync(process.execPath, [program, 'list'], { env });
  expect(await openedNow()).toContain('.azure/msal_token_cache.json');
}, 60_000);

it('listing keeps nothing, sends nothing, and prints no token', async () => {
  const before = contents(home);
  for (const words of [['list'], ['sources', '--json'], ['show', 'ada@example.org', '--json', '--all']]) {
    const ran = await command({ home, keychain: memoryKeychain() }, words, {
      fetch: () => {
        throw new Error('Something was sent.');
      },
    });
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(ran.out + ran.err).not.toMatch(/(?:at|rt)-secret/);
  }
  expect(contents(home)).toEqual(before);
});

it('a sign-out leaves no copy of what it removed, wherever it is looked for', async () => {
  const ran = await command({ home, keychain: memoryKeychain() }, ['signout', 'ada@example.org', '--yes'], {
    fetch: () => {
      throw new Error('Something was sent.');
    },
  });
  expect(ran.out).toContain('Signed out');
  for (const [file, text] of Object.entries(contents(home)))
    expect(text.includes('rt-secret') ? file : '', ran.out).toBe('');
});
