import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';
import { edges, modules, way } from '../../scripts/lint/graph.mjs';
import { importsOf } from '../../scripts/lint/imports.mjs';
import { rooms } from '../../scripts/lint/walls.mjs';

// Attacks the walls between the rooms with the real configuration: however an import is written, it is refused with the wall's reason.
const eslint = new ESLint();

async function findings(filePath: string, code: string): Promise<{ line: number; message: string }[]> {
  const [result] = await eslint.lintText(code, { filePath });
  return result!.messages.filter(
    ({ ruleId, fatal }) => fatal === true || /^(house\/|no-restricted)/.test(ruleId ?? ''),
  );
}

const complaints = async (filePath: string, code: string): Promise<string[]> =>
  (await findings(filePath, code)).map(({ message }) => message);

interface Import {
  readonly specifier: string;
  readonly isType: boolean;
  readonly start: number;
  readonly end: number;
}

interface Room {
  readonly room: string;
  readonly why: string;
}

/** Every way to import another module. */
const FORMS: Readonly<Record<string, (from: string) => string>> = {
  static: (from) => `import { x } from '${from}';\nexport const used = x;\n`,
  namespace: (from) => `import * as x from '${from}';\nexport const used = x;\n`,
  'side effect': (from) => `import '${from}';\n`,
  'import type': (from) => `import type { X } from '${from}';\nexport type Used = X;\n`,
  'inline type': (from) => `import { type X } from '${from}';\nexport type Used = X;\n`,
  'type expression': (from) => `export type Used = import('${from}').X;\n`,
  typeof: (from) => `export type Used = typeof import('${from}');\n`,
  're-export': (from) => `export { x } from '${from}';\n`,
  're-export of everything': (from) => `export * from '${from}';\n`,
  're-export of a type': (from) => `export type { X } from '${from}';\n`,
  dynamic: (from) => `export const used = async () => (await import('${from}')).x;\n`,
  'dynamic, as a template': (from) => `export const used = async () => import(\`${from}\`);\n`,
  require: (from) =>
    `declare const require: (name: string) => unknown;\nexport const used = require('${from}');\n`,
  'require.resolve': (from) => `export const used = require.resolve('${from}');\n`,
  'import =': (from) => `import x = require('${from}');\nexport const used = x;\n`,
  createRequire: (from) =>
    `import { createRequire as make } from 'node:module';\nconst load = make(import.meta.url);\nexport const used = load('${from}');\n`,
  'createRequire at once': (from) =>
    `import * as m from 'node:module';\nexport const used = m.createRequire(import.meta.url)('${from}');\n`,
  'import.meta.resolve': (from) => `export const used = import.meta.resolve('${from}');\n`,
  'module augmentation': (from) =>
    `declare module '${from}' {\n  export const added: number;\n}\nexport {};\n`,
};

const CACHE = /cache\/ is pure/;
const KEYCHAIN = /keychain\/ knows only/;
const ELECTRON = /Only src-main\/electron and app/;

/** What each wall must refuse, from the room and from a folder inside it. */
const ATTACKS: [file: string, specifier: string, reason: RegExp][] = [
  ['src-main/errors.ts', './cache/token-cache.ts', /imports none/],
  ['src-main/error-code.ts', './errors.ts', /error-code\.ts knows none/],
  ['src-main/options.ts', './cache/token-cache.ts', /options\.ts knows only errors/],
  ['src-main/diagnostics.ts', './vault/vault.ts', /knows none of them/],
  ['src-main/testing/a.ts', '../electron/index.ts', /testing\/ prepares vaults/],
  ['src-main/partitions/stores/sqlite-store.ts', '../../vault/vault.ts', /opens a file itself/],
  ['src-main/waiting.ts', './cache/token-cache.ts', /waiting\.ts knows none/],
  ['src-main/native-code/a.ts', '../vault/vault.ts', /native-code\/ compares files/],
  ['src-main/native-module.ts', './lock/file-lock.ts', /knows neither/],
  ['src-main/cache/a.ts', '../vault/vault.ts', CACHE],
  ['src-main/cache/schema/a.ts', '../../vault/vault.ts', CACHE],
  ['src-main/cache/schema/deep/er/a.ts', '../../../../keychain/keychain.ts', CACHE],
  ['src-main/cache/a.ts', './schema/../../vault/vault.ts', CACHE],
  ['src-main/cache/a.ts', '../index.ts', CACHE],
  ['src-main/cache/a.ts', '../doctor/doctor.ts', CACHE],
  ['src-main/cache/a.ts', '../../test/cache/entities.ts', CACHE],
  ['src-main/cache/a.ts', 'tokenkeep', CACHE],
  ['src-main/cache/a.ts', 'node:fs', CACHE],
  ['src-main/cache/a.ts', 'fs/promises', CACHE],
  ['src-main/cache/a.ts', 'redis', /Clients are passed in/],
  ['src-main/doctor/a.ts', '../vault/vault.ts', /doctor\/ is pure/],
  ['src-main/doctor/deep/a.ts', '../../ipc/contract.ts', /doctor\/ is pure/],
  ['src-main/keychain/a.ts', '../cache/token-cache.ts', KEYCHAIN],
  ['src-main/keychain/deep/a.ts', '../../vault/vault.ts', KEYCHAIN],
  ['src-main/lock/a.ts', '../vault/vault.ts', /lock\/ knows only/],
  ['src-main/accounts/a.ts', '../vault/vault.ts', /are built on it/],
  ['src-main/accounts/a.ts', '../ipc/contract.ts', /are built on it/],
  ['src-main/vault/a.ts', '../ipc/contract.ts', /vault\/ is built on/],
  ['src-main/vault/exchange/a.ts', '../../msal/plugin.ts', /vault\/ is built on/],
  ['src-main/vault/a.ts', 'electron', ELECTRON],
  ['src-main/vault/format/a.ts', '../vault.ts', /FORMAT\.md in code/],
  ['src-main/vault/format/a.ts', '../disk/file.ts', /FORMAT\.md in code/],
  ['src-main/vault/format/a.ts', '../../keychain/keychain.ts', /FORMAT\.md in code/],
  ['src-main/vault/disk/a.ts', '../format/frame.ts', /does not know what they mean/],
  ['src-main/msal/a.ts', '../vault/vault.ts', /any cache handle/],
  ['src-main/msal/deep/a.ts', '../../vault/vault.ts', /any cache handle/],
  ['src-main/msal/a.ts', '@azure/msal-node', /Clients are passed in/],
  ['src-main/oauth/mcp/a.ts', '../../vault/vault.ts', /any cache handle/],
  ['src-main/oauth/a.ts', 'openid-client', /Clients are passed in/],
  ['src-main/partitions/a.ts', '../vault/vault.ts', /knows only cache/],
  ['src-main/express/a.ts', '../vault/vault.ts', /is built on partitions/],
  ['src-main/express/a.ts', 'express', /Clients are passed in/],
  ['src-main/partitions/stores/a.ts', '../../keychain/keychain.ts', /knows only cache/],
  ['src-main/partitions/stores/a.ts', 'redis', /Clients are passed in/],
  ['src-main/ipc/a.ts', '../keychain/system-keychain.ts', /ipc\/ is built on/],
  ['src-main/ipc/deep/a.ts', '../../electron/serve.ts', /ipc\/ is built on/],
  ['src-main/ipc/a.ts', 'electron', ELECTRON],
  ['src-main/sources/a.ts', '../ipc/contract.ts', /sources\/ reads/],
  ['src-main/cli/a.ts', '../electron/serve.ts', /cli\/ runs in plain Node/],
  ['src-main/cli/a.ts', 'electron', ELECTRON],
  ['src-main/electron/a.ts', '../../app/start.ts', /must not be known here/],
  ['src-main/electron/deep/a.ts', '../../../app/contract.ts', /must not be known here/],
  ['src-main/index.ts', './electron/index.ts', /an entry of its own/],
  ['src-main/index.ts', './partitions/index.ts', /an entry of its own/],
  ['app/a.ts', '../src-main/index.ts', /first embedder/],
  ['app/sign-in/a.ts', '../../src-main/vault/vault.ts', /first embedder/],
  ['app/a.ts', '../src-renderer/bridge.ts', /first embedder/],
  ['app/a.ts', '../dist/index.mjs', /first embedder/],
  ['app/a.ts', 'redis', /Clients are passed in/],
  ['app/a.ts', '../src-main/cli/process.ts', /first embedder/],
  ['app/command.ts', '../src-main/vault/vault.ts', /runs the command, which is no entry/],
  ['src-renderer/a.ts', '../src-main/errors.ts', /The window is sandboxed/],
  ['src-renderer/parts/a.ts', '../../src-main/ipc/handlers.ts', /The window is sandboxed/],
  ['src-renderer/screens/a.ts', '../../app/main.ts', /The window is sandboxed/],
  ['src-renderer/a.ts', 'node:fs', /The window is sandboxed/],
  ['src-renderer/a.ts', 'tokenkeep', /The window is sandboxed/],
  ['src-renderer/a.ts', 'electron', ELECTRON],
  ['src-renderer/state/a.ts', '../parts/Icon.tsx', /without JSX/],
  ['src-renderer/state/a.ts', 'react', /without JSX/],
  ['examples/web-app/a.ts', '../../src-main/index.ts', /somebody else's app/],
];

/** The complaints about each form of an import, all of them in one module: ESLint takes longer to begin a module than to check it. */
async function complaintsByForm(file: string, specifier: string): Promise<Map<string, string[]>> {
  const forms = Object.entries(FORMS).map(([name, form]) => ({ name, code: form(specifier) }));
  const found = await findings(file, forms.map(({ code }) => code).join(''));
  let before = 0;
  return new Map(
    forms.map(({ name, code }) => {
      const [from, to] = [before, before + code.split('\n').length - 1];
      before = to;
      return [name, found.filter(({ line }) => line > from && line <= to).map(({ message }) => message)];
    }),
  );
}

let all: Promise<Map<string, string[]>[]> | undefined;
const attacked = () =>
  (all ??= Promise.all(ATTACKS.map(([file, specifier]) => complaintsByForm(file, specifier))));

describe.each(Object.entries(FORMS))('a wall refuses an import by %s', (name, form) => {
  it('alone in its module', async () => {
    for (const specifier of name === 'module augmentation'
      ? ['../vault/vault.ts']
      : ['../vault/vault.ts', 'fs'])
      expect(await complaints('src-main/cache/a.ts', form(specifier))).toContainEqual(
        expect.stringMatching(CACHE),
      );
  });

  it('into every room, from every depth', async () => {
    const wrong: string[] = [];
    for (const [index, [file, specifier, reason]] of ATTACKS.entries()) {
      const found = (await attacked())[index]!.get(name)!;
      if (!found.some((message) => reason.test(message)))
        wrong.push(`${file} ← ${specifier}: ${found.join(' | ') || 'let through'}`);
    }
    // Augmenting a package does not enter a room, so only our own files count here.
    expect(
      form('x').startsWith('declare module') ? wrong.filter((line) => / ← \./.test(line)) : wrong,
    ).toEqual([]);
  });
});

it('every room has a wall that is attacked', () => {
  const attacked = new Set(ATTACKS.map(([, , reason]) => reason));
  const untried = (rooms as Room[]).filter(({ why }) => ![...attacked].some((reason) => reason.test(why)));
  expect(untried.map(({ room }) => room)).toEqual([]);
});

it.each([
  [
    'a worker or a file beside the module',
    "export const u = new URL('../vault/vault.ts', import.meta.url);\n",
    CACHE,
  ],
  ["Node's own modules by their loader", "export const fs = process.getBuiltinModule('fs');\n", CACHE],
  ['a reference', '/// <reference path="../vault/vault.ts" />\nexport {};\n', CACHE],
  ['a computed path', 'export const load = (name: string) => import(name);\n', /literal path/],
  [
    'a half-computed path',
    'export const load = (name: string) => import(`../${name}.ts`);\n',
    /literal path/,
  ],
  ['the extension it is compiled to', "export { openVault } from '../vault/vault.js';\n", CACHE],
  ['no extension', "export { openVault } from '../vault/vault';\n", CACHE],
  ['a query', "export { openVault } from '../vault/vault.ts?raw';\n", CACHE],
])('a wall refuses %s', async (_, code, reason) => {
  expect((await complaints('src-main/cache/a.ts', code)).some((message) => reason.test(message))).toBe(true);
});

describe('a habit is refused', () => {
  const use = (what: string, from: string): string =>
    `import { ${what} } from '${from}';\nexport const used = ${what};\n`;
  it.each([
    ['src-main/cache/a.ts', 'export const t = Date.now();', /clock is passed in/],
    ['src-main/cache/schema/a.ts', 'export const t = new Date();', /clock is passed in/],
    ['src-main/cache/a.ts', 'export const t = process.pid;', /pure/],
    ['src-main/cache/a.ts', 'export const t = Math.random();', /chance is passed in/],
    ['src-main/doctor/a.ts', 'export const t = performance.now();', /pure/],
    ['src-main/cache/a.ts', 'export const t = globalThis.process;', /pure/],
    ['src-main/vault/a.ts', 'export default 1;', /no name to search for/],
    ['src-main/vault/a.ts', 'export enum A { B }', /union of string literals/],
    ['src-main/vault/a.ts', 'export const home = process.env.HOME;', /come in as arguments/],
    ['app/a.ts', use('ipcMain', 'electron'), /no sender check/],
    ['app/a.ts', "export const raw = async () => (await import('electron')).ipcMain;", /no sender check/],
    ['src-renderer/a.ts', use('VaultState', '../src-main/ipc/contract.ts'), /types only/],
  ])('%s: %s', async (file, code, reason) => {
    const found = await complaints(file, code);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(reason);
  });
});

describe('a wall lets through', () => {
  it.each([
    ['src-main/cache/a.ts', '../errors.ts'],
    ['src-main/cache/a.ts', './schema/match.ts'],
    ['src-main/cache/schema/a.ts', '../store.ts'],
    ['src-main/doctor/a.ts', '../cache/token-cache.ts'],
    ['src-main/vault/a.ts', '../cache/token-cache.ts'],
    ['src-main/vault/a.ts', './format/frame.ts'],
    ['src-main/vault/format/a.ts', '../../cache/token-cache.ts'],
    ['src-main/vault/exchange/a.ts', '../format/frame.ts'],
    ['src-main/msal/a.ts', '../cache/acquire.ts'],
    ['src-main/partitions/a.ts', '../cache/token-cache.ts'],
    ['src-main/ipc/a.ts', '../vault/vault.ts'],
    ['src-main/electron/a.ts', 'electron'],
    ['app/a.ts', 'tokenkeep/electron'],
    ['app/a.ts', 'electron'],
    ['src-renderer/screens/a.ts', '../parts/Icon.tsx'],
  ])('%s ← %s', async (file, specifier) => {
    expect(await complaints(file, `import { x } from '${specifier}';\nexport const used = x;\n`)).toEqual([]);
  });

  it('types of a contract into the window', async () => {
    const code = "import type { Claim } from '../../src-main/ipc/contract.ts';\nexport type C = Claim;\n";
    expect(await complaints('src-renderer/state/a.ts', code)).toEqual([]);
  });
});

describe('circles', () => {
  // So lint finds every circle: it is refused in each of its modules.
  it('are looked for in every module, types included', async () => {
    const all: string[] = modules();
    expect(all.length).toBeGreaterThan(300);
    const unseen: string[] = [];
    for (const file of all) {
      const config: { rules?: Record<string, unknown[]> } | undefined =
        await eslint.calculateConfigForFile(file);
      if (config?.rules?.['house/circles']?.[0] !== 2) unseen.push(file);
    }
    expect(unseen).toEqual(['test/docs/host.d.ts']); // what a guide's reader has: it is no module of ours
  });

  it('every module of the rooms is looked at', () => {
    const seen = modules();
    for (const { room } of (rooms as Room[]).filter(({ room: name }) => !/oauth|sources|cli/.test(name)))
      expect(seen.some((file: string) => file.startsWith(room))).toBe(true);
  });

  it.each([
    ['of two', { 'a.ts': "import './b.ts';", 'b.ts': "import './a.ts';" }, ['b.ts', 'a.ts']],
    ['of one', { 'a.ts': "export type A = import('./a.ts').B;" }, ['a.ts']],
    [
      'of types',
      { 'a.ts': "import type { B } from './b.ts';", 'b.ts': "export type A = import('./a.ts').A;" },
      ['b.ts', 'a.ts'],
    ],
    [
      'of three, one way dynamic',
      {
        'a.ts': "export { b } from './b.ts';",
        'b.ts': "export const c = () => import('./c.ts');",
        'c.ts': "import type { A } from './a.ts';",
      },
      ['b.ts', 'c.ts', 'a.ts'],
    ],
    [
      'no circle',
      { 'a.ts': "import './b.ts'; import './c.ts';", 'b.ts': "import './c.ts';", 'c.ts': '' },
      undefined,
    ],
  ])('%s', (_, sources: Record<string, string | undefined>, back) => {
    const importsIn = (file: string): string[] =>
      edges(importsOf(sources[file.replace('src-main/', '')] ?? '', file), file);
    const found = way(importsIn('src-main/a.ts'), 'src-main/a.ts', importsIn);
    expect(found).toEqual(back?.map((file) => `src-main/${file}`));
  });

  it('is refused where it is closed, with the way back', async () => {
    // errors.ts is below every other module: whatever it imports leads back to it.
    const found = await complaints(
      'src-main/errors.ts',
      "import type { X } from './cache/response.ts';\nexport type Y = X;\n",
    );
    expect(found.join('\n')).toMatch(/circle.*src-main\/cache\/response\.ts → .*src-main\/errors\.ts/);
  });

  it('is refused where nothing but the imports is read', async () => {
    const [found, ...others] = await complaints(
      'test/e2e/app.ts',
      "// The first line\nexport type { Provided } from './provider.ts';\n",
    );
    expect(found).toMatch(/circle.*: test\/e2e\/provider\.ts → test\/e2e\/app\.ts/);
    expect(others).toEqual([]);
  });
});

it('an import is found with its place and whether it is erased', () => {
  const code = "import type { A } from './a.ts';\nimport './b.ts';\nexport type C = import('./c.ts').C;\n";
  const found = (importsOf(code, 'x.ts') as Import[]).map(({ specifier, isType, start, end }) => [
    specifier,
    isType,
    code.slice(start, end),
  ]);
  expect(found).toEqual([
    ['./a.ts', true, "'./a.ts'"],
    ['./b.ts', false, "'./b.ts'"],
    ['./c.ts', true, "'./c.ts'"],
  ]);
});
