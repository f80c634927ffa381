/** The programs of the README's first screen, unchanged: from the packed package, against a provider on this machine. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { browser } from '../../examples/provider/browser.ts';
import { webApp } from '../../examples/provider/clients.ts';
import { type RunningProvider, startProvider } from '../../examples/provider/provider.ts';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { findElectron } from '../../scripts/electron-path.mjs';
import { startDisplay } from '../../scripts/session/display.mjs';
import { blocksOf } from '../docs/page.ts';
import { type OwnKeyring, startKeyring } from '../support/keyring.ts';
import { freePort } from '../support/servers/server.ts';
import { installPacked, linesOf, link, type Stranger } from './stranger.ts';

vi.setConfig({ testTimeout: 120_000 });

const FIRST = blocksOf('README.md').filter(({ heading }) => heading === 'Tokenkeep');
/** Returns the only program of the first screen that contains these words. */
const programWith = (words: string): string => {
  const [found, ...others] = FIRST.filter(({ code }) => code.includes(words));
  expect([words, found === undefined, others.length]).toEqual([words, false, 0]);
  return found!.code;
};

let packed: Stranger;
let provider: RunningProvider;
let keyring: OwnKeyring;
/** An API that answers callers that send a token. */
let api: { url: string; tokens: string[]; close: () => void };
let port: number;
beforeAll(async () => {
  packed = installPacked();
  link(packed, '@azure/msal-node', 'msal-node-7');
  for (const name of ['openid-client', 'express', 'express-session']) link(packed, name);
  port = await freePort();
  const clients = [webApp([`http://localhost:${port}/callback`])];
  provider = await startProvider({ entra: true, deviceInterval: 1, clients });
  writeFileSync(join(packed.folder, 'ca.pem'), provider.ca);
  keyring = await startKeyring();
  api = await startApi();
}, 120_000);
afterAll(async () => {
  api.close();
  await Promise.all([provider.stop(), keyring.close()]);
  packed.remove();
});

async function startApi(): Promise<typeof api> {
  const tokens: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    tokens.push(/^Bearer (.{40,})$/.exec(request.headers.authorization ?? '')?.[1] ?? 'none');
    response.setHeader('content-type', 'application/json').end('{"answer":"yours"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, tokens, close };
}

/** Replaces the reader's names with this machine's values. Each name must occur. */
function here(program: string, names: Readonly<Record<string, string>>): string {
  let text = program;
  for (const [there, mine] of Object.entries(names)) {
    expect([there, text.includes(there)]).toEqual([there, true]);
    text = text.replaceAll(there, mine);
  }
  return text;
}

/** Settings of MSAL for a provider that is not Microsoft's. */
const MSAL = (): Record<string, string> => ({
  "authority: 'https://login.microsoftonline.com/common' }": `authority: '${provider.issuer}', knownAuthorities: ['${new URL(provider.issuer).host}'] }`,
  'PublicClientApplication({ auth,': "PublicClientApplication({ auth, system: { protocolMode: 'OIDC' },",
  'your client ID': 'desktop-app',
  'User.Read': 'orders.read',
  'scopes, ': "scopes, prompt: 'consent', ",
});

interface Run {
  command: string;
  words: readonly string[];
  home: string;
  env?: Readonly<Record<string, string>>;
}

const envOf = ({ home, env = {} }: Run): NodeJS.ProcessEnv => ({
  ...keyring.env,
  HOME: home,
  XDG_CONFIG_HOME: join(home, '.config'),
  NODE_EXTRA_CA_CERTS: join(packed.folder, 'ca.pem'),
  ...env,
});

/** Runs a program to its end, opens the addresses that it prints, and returns the lines that it prints. */
function said(run: Run): Promise<string[]> {
  const place = { cwd: packed.folder, env: envOf(run) };
  return linesOf(run.command, run.words, place, (line) => {
    const address = /https:\S+/.exec(line)?.[0];
    const code = /(?:code|Enter) (\S+) (?:to|at) /.exec(line)?.[1];
    const user = provider.users[0]!.id;
    const url = code === undefined ? address : `${provider.issuer}/device?user_code=${code}`;
    if (url !== undefined) void browser(trustingFetch(provider.ca), { alone: true }).visit(url, { user });
  });
}

const write = (file: string, text: string): string => {
  const path = join(packed.folder, file);
  writeFileSync(path, text);
  return path;
};
const newHome = (): string => mkdtempSync(join(packed.folder, 'home-'));

/** Expects that no file which a program left in its folders contains a token that the API was sent. */
function nothingInTheClear(folder: string, words: readonly string[]): void {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(files.length).toBeGreaterThan(0);
  for (const { parentPath, name } of files) {
    const bytes = readFileSync(join(parentPath, name));
    expect([name, words.filter((word) => bytes.includes(word))]).toEqual([name, []]);
  }
}

function wholeLine(file: string): string {
  const text = readFileSync(file, 'utf8');
  if (!text.endsWith('\n')) throw new Error(`${file} is not written yet`);
  return text.trim();
}

it('Electron with MSAL: signs in by the browser, and is signed in after a restart', async () => {
  const home = newHome();
  const program = here(programWith("from 'electron'"), MSAL());
  // The reader has a window, and quits the app; the test does neither.
  const main = write('electron-main.mjs', program.replace(/^\}\);$/m, '  app.quit();\n});'));
  // Replaces the system's browser and records the address.
  const bin = join(home, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\necho "$1" > "${join(home, 'address')}"\n`);
  chmodSync(join(bin, 'xdg-open'), 0o755);
  const display = await startDisplay(mkdtempSync(join(packed.folder, 'x-')), process.env);
  const env = {
    DISPLAY: display.DISPLAY,
    XAUTHORITY: display.XAUTHORITY,
    PATH: `${bin}${delimiter}${process.env['PATH']}`,
  };
  const run = { command: findElectron()!.executable, words: ['--no-sandbox', main], home, env };
  try {
    const first = said(run);
    // The shell creates the file before it writes the line.
    const address = await vi.waitFor(() => wholeLine(join(home, 'address')), 60_000);
    const user = provider.users[0]!.id;
    await browser(trustingFetch(provider.ca), { alone: true }).visit(address, { user });
    expect(await first).toEqual([provider.users[0]!.username]);
    provider.events.clear();
    expect(await said(run)).toEqual([provider.users[0]!.username]);
    expect(provider.events.count('signed-in')).toBe(0);
  } finally {
    await display.end();
  }
});

it('any OAuth library: signs in by a code, and is signed in after a restart', async () => {
  const home = newHome();
  const program = here(programWith("from 'openid-client'"), {
    '/home/ada': home,
    'https://id.example': provider.issuer,
    'your client ID': 'desktop-app',
    "scope: 'openid offline_access'": "scope: 'openid offline_access orders.read', prompt: 'consent'",
    'https://api.example/orders': api.url,
  });
  const run = { command: process.execPath, words: [write('library.mjs', program)], home };
  expect(await said(run)).toEqual([expect.stringMatching(/^Enter \S+ at https:/), '200']);
  expect(await said(run)).toEqual(['200']);
  expect(api.tokens).not.toContain('none');
  nothingInTheClear(join(home, '.config'), api.tokens);
});

it.each(['a keyring', 'none'])(
  'a command-line tool with %s: signs in, and is signed in after a restart',
  async (with_) => {
    const home = newHome();
    const program = here(programWith('firstOf('), {
      ...MSAL(),
      // The message that Microsoft's provider sends. With other providers, the app composes it.
      '({ message }) => console.log(message)':
        '({ verificationUri, userCode }) => console.log(`Open ${verificationUri} and enter the code ${userCode} to sign in.`)',
    });
    const words = [write('tool.mjs', program)];
    const env = with_ === 'none' ? { DBUS_SESSION_BUS_ADDRESS: `unix:path=${home}/none` } : {};
    const run = { command: process.execPath, words, home, env };
    const { username } = provider.users[0]!;
    expect(await said(run)).toEqual([expect.stringContaining('enter the code'), username]);
    expect(await said(run)).toEqual([username]);
    nothingInTheClear(join(home, '.config'), [username]);
  },
);

it('a web app: signs in with a session, and calls an API', async () => {
  const folder = mkdtempSync(join(packed.folder, 'web-'));
  link(packed, 'node-sqlite3-wasm');
  withSqlite();
  const program = here(programWith('webSignIn('), {
    'https://login.microsoftonline.com/your-tenant-id/v2.0': provider.issuer,
    'your client ID': 'web-app',
    'your secret': webApp([]).client_secret,
    'localhost:3000': `localhost:${port}`,
    'listen(3000)': `listen(${port}, () => console.log('listens'))`,
    'https://graph.microsoft.com/v1.0/me': api.url,
    'User.Read': 'orders.read',
    'tokens.sqlite': join(folder, 'tokens.sqlite'),
    'sealing.key': write('sealing.key', 'a key of 32 bytes, for this test'),
  });
  const web = { command: process.execPath, words: [write('web.mjs', program)], home: folder };
  const child = spawn(web.command, web.words, {
    cwd: packed.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: envOf(web),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    for await (const line of createInterface({ input: child.stdout })) if (line === 'listens') break;
    const before = api.tokens.length;
    const user = provider.users[1]!.id;
    const page = await browser(trustingFetch(provider.ca)).visit(`http://localhost:${port}/`, { user });
    expect(page.html).toBe('{"answer":"yours"}');
    expect(api.tokens.slice(before)).toEqual([expect.stringMatching(/^.{40,}$/)]);
    nothingInTheClear(folder, api.tokens.slice(before));
  } finally {
    child.kill();
    await ended;
  }
});

/** Node 20 has no SQLite. Provides the package that the store then asks for, based on SQLite as WebAssembly. */
function withSqlite(): void {
  const folder = join(packed.folder, 'node_modules/better-sqlite3');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "better-sqlite3", "version": "11.0.0" }');
  writeFileSync(
    join(folder, 'index.js'),
    `const { Database } = require('node-sqlite3-wasm');
    module.exports = function (file) {
      const database = new Database(file);
      return {
        exec: (sql) => database.exec(sql),
        close: () => database.close(),
        prepare(sql) {
          const statement = database.prepare(sql);
          const run = (name) => (...parameters) => statement[name](parameters);
          return { get: run('get'), all: run('all'), run: run('run') };
        },
      };
    };`,
  );
}
