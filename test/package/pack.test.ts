import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EVERYTHING } from '../support/everything.ts';
import { installPacked, link, run, type Stranger } from './stranger.ts';

let packed: Stranger;
let stranger: string;
beforeAll(() => {
  packed = installPacked();
  stranger = packed.folder;
}, 120_000);
afterAll(() => packed.remove());

/** A command of this clone. */
const bin = (name: string): string => join(process.cwd(), 'node_modules/.bin', name);

const program = (imports: string) => `${imports}
  const { mkdtempSync, readFileSync } = require('node:fs');
  const { join } = require('node:path');
  const file = join(mkdtempSync(join(process.cwd(), 'vault-')), 'accounts.vault');
  const keychain = memoryKeychain();
  async function main() {
    const vault = await openVault({ file, keychain });
    await vault.update((cache) => cache.add({
      client_id: 'my_client_id',
      scope: ['s2', 's1'],
      token_endpoint: 'https://login.example.com/contoso/oauth2/v2.0/token',
      response: {
        access_token: 'an access token',
        refresh_token: 'a refresh token',
        token_type: 'Bearer',
        expires_in: 3600,
        client_info: Buffer.from('{"uid":"uid","utid":"utid"}').toString('base64url'),
        id_token: ['{\"alg\":\"none\"}', '{"sub":"s","oid":"o","preferred_username":"ada@contoso.example"}', ''].map((part) => Buffer.from(part).toString('base64url')).join('.'),
      },
    }));
    await vault.close();
    if (readFileSync(file).includes('ada@contoso.example')) throw new Error('in the clear');
    const again = await openVault({ file, keychain });
    console.log(JSON.stringify({
      state: again.status.state,
      accounts: await again.read((cache) => cache.accounts().map((account) => account.username)),
      tokens: await again.read((cache) => cache.find('AccessToken', { target: ['s1'] }).map((token) => token.secret)),
    }));
    await again.close();
  }
  main();
`;
const expected = { state: 'ready', accounts: ['ada@contoso.example'], tokens: ['an access token'] };

// Compilers and checkers of the whole package take minutes on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

describe('the packed module, in an empty folder', () => {
  it('opens a vault from an ES module', () => {
    const imports = `import { openVault, memoryKeychain } from 'tokenkeep';
      import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);`;
    writeFileSync(join(stranger, 'esm.mjs'), program(imports));
    expect(JSON.parse(run(process.execPath, ['esm.mjs'], stranger))).toEqual(expected);
  });

  it('opens a vault from CommonJS', () => {
    writeFileSync(
      join(stranger, 'cjs.cjs'),
      program(`const { openVault, memoryKeychain } = require('tokenkeep');`),
    );
    expect(JSON.parse(run(process.execPath, ['cjs.cjs'], stranger))).toEqual(expected);
  });

  it('has the cache plugin for MSAL, which needs no MSAL to be loaded', () => {
    const use = `const plugin = msalCachePlugin(inMemory(new TokenCache()));
      console.log(Object.keys(plugin).join());`;
    writeFileSync(
      join(stranger, 'msal.mjs'),
      `import { inMemory, TokenCache } from 'tokenkeep'; import { msalCachePlugin } from 'tokenkeep/msal'; ${use}`,
    );
    writeFileSync(
      join(stranger, 'msal.cjs'),
      `const { inMemory, TokenCache } = require('tokenkeep'); const { msalCachePlugin } = require('tokenkeep/msal'); ${use}`,
    );
    for (const file of ['msal.mjs', 'msal.cjs'])
      expect(run(process.execPath, [file], stranger).trim()).toBe('beforeCacheAccess,afterCacheAccess');
  });

  it('is one copy, imported by an app and required by what the app uses', () => {
    link(packed, '@azure/msal-node', 'msal-node-7');
    writeFileSync(
      join(stranger, 'sign-in.cjs'),
      `const { PublicClientApplication } = require('@azure/msal-node');
      const { acquireToken, msalCachePlugin } = require('tokenkeep/msal');
      const { SignInRequiredError } = require('tokenkeep');
      exports.accountsIn = async (vault) => {
        const auth = { clientId: 'my_client_id', authority: 'https://login.microsoftonline.com/contoso' };
        const client = new PublicClientApplication({ auth, cache: { cachePlugin: msalCachePlugin(vault) } });
        return (await client.getTokenCache().getAllAccounts()).map(({ username }) => username);
      };
      exports.fail = (vault) => vault.update(() => { throw new SignInRequiredError('Nobody is signed in.'); });`,
    );
    const app = `import { openVault, memoryKeychain, SignInRequiredError } from 'tokenkeep';
      import { createRequire } from 'node:module';
      const { accountsIn, fail } = createRequire(import.meta.url)('./sign-in.cjs');
      const vault = await openVault({ file: process.cwd() + '/mixed.vault', keychain: memoryKeychain() });
      const claims = { oid: 'o', sub: 's', preferred_username: 'ada@contoso.example' };
      const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
      await vault.update((cache) => cache.add({
        client_id: 'my_client_id',
        scope: ['s1'],
        token_endpoint: 'https://login.microsoftonline.com/contoso/oauth2/v2.0/token',
        response: {
          access_token: 'an access token',
          client_info: part({ uid: 'o', utid: 'contoso' }),
          id_token: part({ alg: 'none' }) + '.' + part(claims) + '.',
        },
      }));
      const error = await fail(vault).catch((error) => error);
      console.log(JSON.stringify({ accounts: await accountsIn(vault), known: error instanceof SignInRequiredError }));
      await vault.close();`;
    writeFileSync(join(stranger, 'mixed.mjs'), app);
    const said: unknown = JSON.parse(run(process.execPath, ['mixed.mjs'], stranger));
    expect(said).toEqual({ accounts: ['ada@contoso.example'], known: true });
  });

  it.each(['mjs', 'cjs'])('has partitions for web apps, and needs no client of any store: %s', (kind) => {
    const names = [
      'partitions',
      'partitions/session',
      'partitions/redis',
      'partitions/postgres',
      'partitions/sqlite',
      'partitions/conformance',
      'express',
    ];
    const load = (name: string) =>
      kind === 'cjs' ? `require('tokenkeep/${name}')` : `await import('tokenkeep/${name}')`;
    const source = `(async () => {
      const all = Object.assign({}, ${names.map(load).join(', ')});
      const store = all.memoryStore();
      await Promise.all(all.partitionStoreConformance({ open: async () => ({ store, another: store }) }).map(({ run }) => run()));
      console.log(Object.keys(all).sort().join(' '));
    })();`;
    writeFileSync(join(stranger, `partitions.${kind}`), source);
    expect(
      run(process.execPath, [`partitions.${kind}`], stranger)
        .trim()
        .split(' '),
    ).toEqual(
      expect.arrayContaining([
        'partitionedCaches',
        'sessionStore',
        'redisStore',
        'postgresStore',
        'migratePartitions',
        'webSignIn',
      ]),
    );
  });

  it('ships nothing but the library, its format and its papers', () => {
    const files = readdirSync(join(stranger, 'node_modules/tokenkeep'), {
      recursive: true,
      encoding: 'utf8',
    });
    const strangers = files.filter(
      (file) =>
        !/^(examples(\/provider(\/test-provider\.ts)?)?|dist(\/(cache|doctor|express|ipc|keychain|native-code|oauth|partitions|sources|testing|vault))?|dist\/.+\.([mc]js|d\.cts(\.map)?)|dist\/THIRD-PARTY-NOTICES\.txt|src-main(\/[\w-]+){0,4}((\.d)?\.ts)?|src-main\/vault\/format\/FORMAT\.md|package\.json|docs(\/(images|[^/]+\.(md|svg)))?|docs\/images\/[^/]+|README\.md|CHANGELOG\.md|SECURITY\.md|LICENSE)$/.test(
          file,
        ),
    );
    expect(strangers).toEqual([]);
    expect(files).toContain('dist/index.mjs');
    expect(files).toContain('docs/embedding.md');
    expect(files).toContain('src-main/vault/format/FORMAT.md');
  });

  it('has every picture and page of its documentation that its own pages lead to', () => {
    const root = join(stranger, 'node_modules/tokenkeep');
    const pages = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.md') && !file.includes('node_modules'),
    );
    const missing = pages.flatMap((page) =>
      [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)#\s]+)|(?:src|srcset)="([^"\s]+)/g)]
        .map(([, link = '', source = '']) => link || source)
        .filter((target) => !/^[a-z]+:/.test(target))
        .map((target) => normalize(join(dirname(page), target)))
        .filter(
          (target) => /^docs\/(?!decisions)|\.(?:svg|png)$/.test(target) && !existsSync(join(root, target)),
        )
        .map((target) => `${page}: ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it('has the license text of everything that was bundled into it', () => {
    const notices = readFileSync(
      join(stranger, 'node_modules/tokenkeep/dist/THIRD-PARTY-NOTICES.txt'),
      'utf8',
    );
    for (const name of ['age-encryption', '@noble/ciphers', '@noble/hashes', '@scure/base', 'valibot'])
      expect(notices).toMatch(new RegExp(`^${name} \\d.*\\n\\n.+`, 'm'));
  });

  it('needs no Electron, and installs only what carries a native binary', () => {
    const installed = readdirSync(join(stranger, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(installed).not.toContain('electron');
    expect(installed).not.toContain('react');
  });

  it('has exports that publint finds nothing against', () => {
    run(bin('publint'), ['--strict', packed.tarball], process.cwd());
  });

  // In every run, exports.test.ts loads and types each entry in both worlds. This takes seconds to look for what else may be wrong.
  const attw = (): void => void run(bin('attw'), ['--profile', 'node16', packed.tarball], process.cwd());
  if (EVERYTHING) it('has exports that attw finds nothing against', attw);
});
