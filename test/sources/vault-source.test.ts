/** Vaults of Tokenkeep as sources: added as files, read in every state, signed out of, and undone. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { documentText } from '../../src-main/cache/document/document.ts';
import { mergeOwn } from '../../src-main/cache/document/merge.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { type AccountSummary, openVault } from '../../src-main/index.ts';
import { openGrants } from '../../src-main/oauth/index.ts';
import { sourceFromFile } from '../../src-main/sources/find.ts';
import { readSource } from '../../src-main/sources/read.ts';
import { signOutAtSource } from '../../src-main/sources/sign-out.ts';
import { type TestVault, testVault } from '../../src-main/testing/index.ts';
import type { VaultState } from '../../src-main/vault/state.ts';
import { command } from '../cli/command.ts';

let staged: TestVault | undefined;
afterEach(async () => {
  await staged?.dispose();
  staged = undefined;
});

async function source(
  state: VaultState = 'ready',
  users: readonly string[] = ['ada@example.org', 'ben@example.org'],
) {
  staged = await testVault({ state, users });
  const { file, keychain, vault } = staged;
  await vault.close();
  return {
    file,
    keychain,
    source: (await sourceFromFile(file))!,
    options: { secrets: { vault: (path: string) => openVault({ file: path, keychain }) } },
  };
}

it.each([
  ['ready', 'accounts', undefined],
  ['locked', 'locked', 'locked'],
  ['no-keychain', 'sealed', 'keychain'],
  ['key-missing', 'sealed', 'key'],
  ['wrong-key', 'sealed', 'key'],
  ['newer', 'not-understood', 'newer'],
  ['older', 'accounts', 'older'],
  ['copy', 'accounts', 'copy'],
] as const)('a vault that is %s is a source that has %s', async (state, expected, word) => {
  const { source: own, options } = await source(state);
  expect(own).toMatchObject({ sealing: 'vault', program: 'file' });
  const reading = await readSource(own, options);
  expect(reading.state).toBe(expected);
  if (word === undefined) expect(reading.problem).toBeUndefined();
  else expect(reading.problem).toMatch(new RegExp(word, 'i'));
});

it('signs an account out of a vault with its grants, leaves the others, and puts it back', async () => {
  const { source: own, options, file, keychain } = await source();
  const vault = await openVault({ file, keychain });
  const [ada] = await vault.read((cache) => cache.accounts());
  await openGrants(vault, { issuer: 'https://id.example', client_id: 'c' }).add('work', {
    account: { subject: 'sub-1', username: 'ada@id.example' },
    tokens: { access_token: 'at', refresh_token: 'rt' },
  });
  await vault.close();
  const grantee = (await readSource(own, options)).accounts.find(
    ({ username }) => username === 'ada@id.example',
  )!;
  const all = [await signOutAtSource(own, ada!, options), await signOutAtSource(own, grantee, options)];
  expect(all).toMatchObject([
    { remaining: 0, removed: { RefreshToken: 1 } },
    { remaining: 0, removed: { grants: 1 } },
  ]);
  expect((await readSource(own, options)).accounts.map(({ username }) => username)).toEqual([
    'ben@example.org',
  ]);
  for (const receipt of all) await receipt.undo();
  const back = await readSource(own, options);
  expect(back.accounts.map(({ username }) => username).sort()).toEqual([
    'ada@example.org',
    'ada@id.example',
    'ben@example.org',
  ]);
  expect(back.cache?.find('RefreshToken')).toHaveLength(2);
});

it('puts back in a vault what it cut out of data that is not understood', async () => {
  const { source: own, options, file, keychain } = await source();
  const vault = await openVault({ file, keychain });
  const [{ home_account_id: ada }, { home_account_id: ben }] = (await vault.read((cache) =>
    cache.accounts(),
  )) as [AccountSummary, AccountSummary];
  const foreign = { recent: [ben, { account: ada }], by: { [ada]: { n: 1 }, [ben]: { n: 2 } } };
  const document = new SerializableTokenCache();
  document.deserialize(
    `{"Account":{},"Own":${JSON.stringify(foreign)},"Large":{"${ada}":638712345678901234567}}`,
  );
  await vault.update((cache) => mergeOwn(cache, document));
  await vault.close();
  const text = async (): Promise<string> => {
    const again = await openVault({ file, keychain });
    try {
      return await again.read((cache) => documentText(cache));
    } finally {
      await again.close();
    }
  };
  const roots = async () => JSON.parse(await text()) as Record<string, unknown>;
  const { accounts: all } = await readSource(own, options);
  const account = all.find(({ home_account_id }) => home_account_id === ada)!;
  const receipt = await signOutAtSource(own, account, options);
  expect((await roots())['Own']).toEqual({ recent: [ben, {}], by: { [ben]: { n: 2 } } });
  await receipt.undo();
  const { Own, Large, ...rest } = await roots();
  expect(Own).toEqual(foreign);
  expect(Large).toBeDefined();
  expect(await text()).toContain('638712345678901234567');
  expect(Object.keys(rest).filter((name) => /^(?:Own|Large)/.test(name))).toEqual([]);
});

it('is gone when something else is in its place', async () => {
  const { source: own, options, file } = await source();
  writeFileSync(file, '{}');
  expect((await readSource(own, options)).state).toBe('gone');
  await expect(signOutAtSource(own, { ...(await accounts())[0]! }, options)).rejects.toMatchObject({
    code: 'vault_damaged',
  });
});

it('creates no vault to put entries back, and puts them back once the vault is there again', async () => {
  const { source: own, options, file } = await source();
  const [ada] = (await readSource(own, options)).accounts;
  const receipt = await signOutAtSource(own, ada!, options);
  renameSync(file, `${file}-moved`);
  await expect(receipt.undo()).rejects.toMatchObject({ code: 'source_unreadable' });
  expect(existsSync(file)).toBe(false);
  renameSync(`${file}-moved`, file);
  await receipt.undo();
  expect((await readSource(own, options)).accounts).toHaveLength(2);
});

const accounts = async () => {
  const other = await testVault({});
  try {
    return await other.vault.read((cache) => cache.accounts());
  } finally {
    await other.dispose();
  }
};

it('is listed by the command under its name, and signed out of', async () => {
  const { file, keychain } = await source();
  const at = { home: dirname(file), keychain };
  const words = ['--file', file];
  expect((await command(at, ['list', ...words])).out).toMatch(/ada@example\.org .*test\.vault/);
  expect((await command(at, ['sources', ...words])).out).toMatch(/test\.vault +open/);
  const { code, out } = await command(at, ['signout', 'ada@example.org', '--yes', ...words]);
  expect({ code, out }).toMatchObject({
    code: 0,
    out: expect.stringMatching(/Signed out +test\.vault/) as string,
  });
  expect((await command(at, ['list', ...words])).out).not.toContain('ada@');
  expect((await command(at, ['list', '--file', `${file}-gone`])).code).toBe(3);
});

it('reads a vault that holds grants alone', async () => {
  const { options, file, keychain } = await source('ready', []);
  const vault = await openVault({ file, keychain });
  await openGrants(vault, { issuer: 'https://id.example', client_id: 'c' }).add('work', {
    account: { subject: 'sub-1', username: 'ada@id.example' },
    tokens: { access_token: 'at', refresh_token: 'rt' },
  });
  await vault.close();
  const own = (await sourceFromFile(file))!;
  expect((await readSource(own, options)).accounts.map(({ username }) => username)).toEqual([
    'ada@id.example',
  ]);
});
