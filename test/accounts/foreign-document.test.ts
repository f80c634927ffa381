/** A document that anybody may have written, imported in every way into a vault: it brings sign-ins and nothing else. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { historyOf } from '../../src-main/accounts/account-history.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { appData, appDataNames, setAppData } from '../../src-main/cache/token-cache.ts';
import { merge, planMerge } from '../../src-main/cache/document/merge.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { adopt, memoryKeychain, openVault, type Vault } from '../../src-main/index.ts';
import { imports } from '../../src-main/ipc/imports.ts';
import { openGrants } from '../../src-main/oauth/index.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';
import { encrypt } from '../../src-main/vault/exchange/age.ts';

const PASSPHRASE = 'orbit velvet canyon mustard ladder';
const NAMES = [
  ...['accounts', 'sign-outs', 'activity-1', 'activity-2', 'activity-9007199254740991', 'tenants'],
  ...['profiles', 'settings', '', 'my-app settings', '__proto__', 'accounts-2', 'Tokenkeep:accounts'],
];

/** Entries that an import itself writes. */
const RECORDED = /^(?:accounts-..|activity-\d+)$/;

let folder: string;
let vault: Vault;
let document: string;
let id: string;
const open = (name: string): Promise<Vault> =>
  openVault({ file: join(folder, name), keychain: memoryKeychain() });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeep-foreign-'));
  vault = await open('vault');
  const cache = new SerializableTokenCache();
  cache.add(tokenResponse({ username: 'ada@example.org' }));
  [id = ''] = cachedAccounts(cache).byId.keys();
  const issuers = { 'my-client-id': 'https://evil.example' };
  const signatures = { anything: { key_id: 'evil', at: 1 } };
  for (const name of [...NAMES, `accounts-${id.slice(0, 2)}`])
    setAppData(cache, name, { [id]: { issuers, signatures, shared: false, evil: true } });
  document = cache.serialize();
});
afterEach(async () => {
  await vault.close();
  rmSync(folder, { recursive: true, force: true });
});

const file = (content: string | Buffer = document, name = 'cache.json'): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const inMemory = (text = document): SerializableTokenCache => {
  const cache = new SerializableTokenCache();
  cache.deserialize(text);
  return cache;
};

async function throughWindow(path: string, passphrase?: string): Promise<void> {
  const window = imports({
    vault: () => Promise.resolve(vault),
    now: () => 1_800_000_000,
    reading: () => undefined,
  });
  let plan = await window.plan(path);
  if ('locked' in plan) plan = await window.unlock(plan.id, passphrase ?? '');
  expect(plan).toMatchObject({ notUnderstood: 0 });
  await window.confirm(plan.id);
}

const sealed = (): Promise<Buffer> => encrypt(Buffer.from(document), PASSPHRASE, 4);

/** Each way to import, and whether it records the file that the sign-ins came from. The command's own is in test/cli/run.test.ts. */
const DOORS: Record<string, { through: () => Promise<unknown>; marks: boolean }> = {
  'vault.importFrom': { through: () => vault.importFrom(file()), marks: true },
  'vault.importFrom, encrypted': {
    through: async () => vault.importFrom(file(await sealed()), PASSPHRASE),
    marks: true,
  },
  'a window’s import': { through: () => throughWindow(file()), marks: true },
  'a window’s import, encrypted': {
    through: async () => throughWindow(file(await sealed()), PASSPHRASE),
    marks: true,
  },
  merge: { through: () => vault.update((cache) => merge(cache, inMemory())), marks: false },
  adopt: {
    through: () => {
      let old: string | null = document;
      return adopt(vault, { read: () => old, remove: () => (old = null) });
    },
    marks: false,
  },
};

describe.each(Object.entries(DOORS))('%s', (_door, { through, marks }) => {
  it('takes the sign-ins of a document and none of its app data', async () => {
    await through();
    const kept = await vault.read((cache) => ({
      names: appDataNames(cache).filter((name) => !RECORDED.test(name)),
      text: JSON.stringify(appDataNames(cache).map((name) => appData(cache, name))),
      users: cache.accounts().map(({ username }) => username),
      history: historyOf(cache, id),
    }));
    expect(kept).toMatchObject({
      names: [],
      users: ['ada@example.org'],
      history: { issuers: {}, signatures: {} },
    });
    expect(kept.text).not.toContain('evil');
    expect(kept.history).toMatchObject(
      marks ? { source: join(folder, 'cache.json'), shared: true } : { source: null, shared: false },
    );
  });

  it('leaves the app data of the vault as it was', async () => {
    const own = NAMES.filter((name) => !RECORDED.test(name));
    await vault.update((cache) => {
      for (const name of own) setAppData(cache, name, { theme: 'dark' });
    });
    await through();
    const after = await vault.read((cache) => own.map((name) => appData(cache, name)));
    expect(after).toEqual(own.map(() => ({ theme: 'dark' })));
  });
});

it('counts app data neither as understood nor as not understood', () => {
  expect(planMerge(new SerializableTokenCache(), inMemory())).toMatchObject({ notUnderstood: 0 });
});

describe('what came from a file is marked', () => {
  it('where the file names no issuer and the vault knows it', async () => {
    const issuer = 'https://id.example/acme';
    const response = tokenResponse({ username: 'ada@example.org', issuer });
    await vault.update((cache) => void cache.add(response));
    const foreign = new SerializableTokenCache();
    foreign.add(response);
    const [token] = foreign.find('RefreshToken', {});
    const text = foreign.serialize().replaceAll(token!.secret, 'another-refresh-token');
    const roots = JSON.parse(text) as Record<string, Record<string, Record<string, unknown>>>;
    for (const root of Object.values(roots))
      for (const entity of Object.values(root)) {
        delete entity['issuer'];
        entity['last_modification_time'] = String(Math.floor(Date.now() / 1000) + 100);
      }
    delete roots['IdToken'];
    await vault.importFrom(file(JSON.stringify(roots)));
    const after = await vault.read((cache) =>
      [...cachedAccounts(cache).byId.values()].map((one) => ({
        secrets: one.refreshTokens.map(({ secret }) => secret),
        shared: historyOf(cache, one.id).shared,
      })),
    );
    for (const { secrets, shared } of after) expect(shared).toBe(secrets.includes('another-refresh-token'));
    expect(after.flatMap(({ secrets }) => secrets)).toContain('another-refresh-token');
  });

  it('by an absolute path', async () => {
    await vault.importFrom(relative(process.cwd(), file()));
    expect(await vault.read((cache) => historyOf(cache, id).source)).toBe(join(folder, 'cache.json'));
  });

  it('a grant by itself, and not the account', async () => {
    const grant = (refresh_token: string) => ({
      account: { subject: 'sub-1', username: 'ada@id.example' },
      tokens: { access_token: `at of ${refresh_token}`, refresh_token, expires_in: 3600 },
    });
    const options = { issuer: 'https://id.example', client_id: 'my-app' };
    const other = await open('other');
    await openGrants(other, options).add('theirs', grant('rt-theirs'));
    const text = await other.read((cache) => {
      const copy = new SerializableTokenCache();
      merge(copy, cache);
      return copy.serialize();
    });
    await other.close();
    await openGrants(vault, options).add('own', grant('rt-own'));
    await vault.importFrom(file(text));
    const marks = (): Promise<readonly string[]> =>
      vault.read((cache) => {
        const [account = ''] = cachedAccounts(cache).byId.keys();
        const { shared, source, sharedGrants } = historyOf(cache, account);
        expect({ shared, source }).toEqual({ shared: false, source: join(folder, 'cache.json') });
        return sharedGrants;
      });
    const [mark, ...more] = await marks();
    expect([mark, more]).toEqual([expect.stringMatching(/^[\w-]{22}$/), []]);
    await vault.importFrom(file(text));
    expect(await marks()).toEqual([mark]);
  });
});
