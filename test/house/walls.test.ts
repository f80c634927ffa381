import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';

// The walls between the folders, tried from both sides: what must not be imported is refused with its reason, what may be is not.
const eslint = new ESLint({
  overrideConfig: [
    { files: ['**/*.{ts,tsx}'], languageOptions: { parserOptions: { projectService: false } } },
    { files: ['**/*.{ts,tsx}'], ...tseslint.configs.disableTypeChecked },
  ],
});

async function complaints(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath });
  return result!.messages
    .filter(({ ruleId }) => ruleId?.startsWith('no-restricted'))
    .map(({ message }) => message);
}

const use = (what: string, from: string) =>
  `import { ${what} } from '${from}';\nexport const used = ${what};\n`;

describe('a wall refuses', () => {
  it.each([
    ['src-main/cache/a.ts', use('openVault', '../vault/vault.ts'), /cache\/ is pure/],
    ['src-main/cache/a.ts', use('readFileSync', 'node:fs'), /cache\/ is pure/],
    ['src-main/cache/a.ts', 'export const t = Date.now();', /clock is passed in/],
    ['src-main/cache/a.ts', 'export const t = process.pid;', /cache\/ is pure/],
    ['src-main/keychain/a.ts', use('TokenCache', '../cache/token-cache.ts'), /keychain\/ knows only errors/],
    ['src-main/lock/a.ts', use('TokenCache', '../cache/token-cache.ts'), /lock\/ knows only errors/],
    ['src-main/vault/a.ts', use('handlers', '../ipc/handlers.ts'), /vault\/ stands on/],
    ['src-main/vault/a.ts', use('app', 'electron'), /Only src-main\/electron and app/],
    ['src-main/msal/a.ts', use('openVault', '../vault/file-vault.ts'), /any handle will do/],
    ['src-main/msal/a.ts', use('ICachePlugin', '@azure/msal-node'), /belongs to the embedder/],
    ['src-main/partitions/a.ts', use('openVault', '../vault/file-vault.ts'), /knows only the cache handle/],
    ['src-main/partitions/a.ts', use('createClient', 'redis'), /Clients are passed in/],
    ['src-main/ipc/a.ts', use('systemKeychain', '../keychain/system-keychain.ts'), /ipc\/ stands on/],
    ['src-main/ipc/a.ts', use('app', 'electron'), /Only src-main\/electron and app/],
    ['app/a.ts', use('TokenCache', '../src-main/index.ts'), /first embedder/],
    ['app/a.ts', use('ipcMain', 'electron'), /no sender check/],
    ['src-renderer/a.ts', use('TokenkeepError', '../src-main/errors.ts'), /by its contracts only/],
    ['src-renderer/state/a.ts', use('x', '../../app/main.ts'), /by its contracts only/],
    ['src-renderer/a.ts', use('VaultState', '../src-main/ipc/contract.ts'), /types only/],
    ['src-renderer/a.ts', use('ipcRenderer', 'electron'), /Only src-main\/electron and app/],
    ['src-renderer/a.ts', use('openVault', 'tokenkeep'), /sandboxed/],
    ['src-main/vault/a.ts', 'export default 1;', /no name to search for/],
    ['src-main/vault/a.ts', 'export enum A { B }', /union of string literals/],
    ['src-main/vault/a.ts', 'export const home = process.env.HOME;', /come in as arguments/],
  ])('%s: %s', async (file, code, reason) => {
    const found = await complaints(file, code);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(reason);
  });
});

describe('a wall lets through', () => {
  it.each([
    ['src-main/cache/a.ts', use('DocumentError', '../errors.ts')],
    ['src-main/vault/a.ts', use('TokenCache', '../cache/token-cache.ts')],
    ['src-main/ipc/a.ts', `import type { Vault } from '../vault/vault.ts';\nexport type V = Vault;\n`],
    ['src-main/msal/a.ts', use('lookup', '../cache/acquire.ts')],
    ['src-main/partitions/a.ts', use('TokenCache', '../cache/token-cache.ts')],
    ['src-main/electron/a.ts', use('ipcMain', 'electron')],
    ['app/a.ts', use('openVault', 'tokenkeep') + use('BrowserWindow', 'electron')],
    [
      'src-renderer/state/a.ts',
      `import type { Claim } from '../../src-main/ipc/contract.ts';\nexport type C = Claim;\n`,
    ],
  ])('%s: %s', async (file, code) => {
    expect(await complaints(file, code)).toEqual([]);
  });
});
