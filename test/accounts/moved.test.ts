/** Facts about an account, such as that another program uses its refresh token, are kept wherever its entries are moved to. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type AccountHistory,
  changeHistory,
  historyOf,
  markAllAsShared,
} from '../../src-main/accounts/account-history.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { openVault, type Vault } from '../../src-main/index.ts';
import { openGrants } from '../../src-main/oauth/index.ts';
import { sourceFromFile } from '../../src-main/sources/find.ts';
import { signOutAtSource } from '../../src-main/sources/sign-out.ts';
import { type TestVault, testVault, tokenResponse } from '../../src-main/testing/index.ts';
import { Scene } from '../vault/fakes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { signIn } from '../vault/people.ts';

const IMPORTED: Partial<AccountHistory> = {
  source: '/home/ada/.azure/msal_token_cache.json',
  shared: true,
  issuers: { app: 'https://id.example/acme' },
};

/** Returns the history of every account, by the first part of the user's name. */
const histories = (vault: Vault): Promise<Record<string, AccountHistory>> =>
  vault.read((cache) =>
    Object.fromEntries(
      [...cachedAccounts(cache).byId.values()].map((one) => [
        one.summary?.username.split('@')[0] ?? one.id,
        historyOf(cache, one.id),
      ]),
    ),
  );

const mark = (vault: Vault, name: string, changes: Partial<AccountHistory>): Promise<void> =>
  vault.update((cache) => {
    for (const { id, summary } of cachedAccounts(cache).byId.values())
      if (summary?.username.startsWith(`${name}@`) === true) changeHistory(cache, id, changes);
  });

let staged: TestVault | undefined;
afterEach(async () => {
  await staged?.dispose();
  staged = undefined;
});

describe('a sign-out of a vault that is undone', () => {
  const signedOut = async (between: (vault: Vault) => Promise<unknown> = () => Promise.resolve()) => {
    staged = await testVault({ users: ['ada@example.org', 'ben@example.org'] });
    const { file, keychain, vault } = staged;
    await mark(vault, 'ada', IMPORTED);
    const [ada] = await vault.read((cache) => cache.accounts({ username: 'ada@example.org' }));
    await vault.close();
    const source = (await sourceFromFile(file))!;
    const open = (path = file): Promise<Vault> => openVault({ file: path, keychain });
    const receipt = await signOutAtSource(source, ada!, { secrets: { vault: open } });
    const meanwhile = await open();
    expect(Object.keys(await histories(meanwhile))).toEqual(['ben']);
    await between(meanwhile);
    await meanwhile.close();
    await receipt.undo();
    return open();
  };

  it('leaves an imported account marked as imported', async () => {
    const vault = await signedOut();
    expect(await histories(vault)).toMatchObject({ ada: IMPORTED, ben: { shared: false, source: null } });
    await vault.close();
  });

  it('does so where the vault has dropped or changed histories meanwhile', async () => {
    const vault = await signedOut((own) => mark(own, 'ben', { shared: true, source: '/tmp/ben.json' }));
    expect(await histories(vault)).toMatchObject({ ada: IMPORTED, ben: { source: '/tmp/ben.json' } });
    await vault.close();
  });

  it('keeps what the vault has said of a sign-in since', async () => {
    const file = join(temporaryFolder(), 'again.json');
    const newer = new SerializableTokenCache();
    newer.add(tokenResponse({ username: 'ada@example.org' }));
    writeFileSync(file, newer.serialize());
    const vault = await signedOut((own) => own.importFrom(file));
    expect((await histories(vault))['ada']).toMatchObject({ source: file, shared: true, issuers: {} });
    await vault.close();
  });
});

it('a sign-out drops the history of the account, so that a later sign-in begins anew', async () => {
  staged = await testVault({ users: ['ada@example.org'] });
  const { vault } = staged;
  await mark(vault, 'ada', { ...IMPORTED, refusal: { reason: 'revoked', at: 1, code: null } });
  const before = await vault.read((cache) => [...cachedAccounts(cache).byId.keys()]);
  await vault.signOut((await vault.read((cache) => cache.accounts()))[0]!);
  const left = await vault.read((cache) => before.map((id) => historyOf(cache, id)));
  expect(left).toMatchObject([{ shared: false, source: null, refusal: null, issuers: {} }]);
});

describe('a copy of a vault that is made a vault of its own', () => {
  it('shares its refresh tokens and grants with the original until the user says otherwise', async () => {
    const scene = new Scene();
    const original = await scene.open();
    await original.update((cache) => signIn(cache, 'ada'));
    await openGrants(original, { issuer: 'https://id.example', client_id: 'c' }).add('work', {
      account: { subject: 'sub-1', username: 'grace@id.example' },
      tokens: { access_token: 'at', refresh_token: 'rt' },
    });
    await original.close();
    const copy = join(temporaryFolder(), 'cache.vault');
    scene.disk.put(copy, scene.bytes);
    const vault = await scene.open({ file: copy });
    await vault.makeOwn();
    await vault.close();
    const again = await scene.open({ file: copy });
    expect(again.status.state).toBe('ready');
    const { ada, ...others } = await histories(again);
    expect(ada).toMatchObject({ shared: true, source: scene.file, sharedGrants: [] });
    expect(Object.values(others)).toMatchObject([
      { shared: false, source: scene.file, sharedGrants: [expect.any(String)] },
    ]);
    const kept = await scene.open();
    expect((await histories(kept))['ada']).toMatchObject({ shared: false, source: null });
  });
});

describe('a damaged vault of which the readable accounts are kept', () => {
  it('asks again before a refresh where the marks are lost, and nowhere else', async () => {
    const scene = new Scene();
    const vault = await scene.open();
    await vault.update((cache) => ['ada', 'ben'].forEach((user) => signIn(cache, user)));
    await mark(vault, 'ada', IMPORTED);
    await vault.compact();
    await vault.close();
    const intact = Buffer.from(scene.bytes);
    const seen = new Set<string>();
    for (let at = 200; at < intact.length; at += 150) {
      const bytes = Buffer.from(intact);
      bytes.fill(1, at, at + 20);
      scene.disk.put(scene.file, bytes);
      const damaged = await scene.open();
      if (damaged.status.state !== 'damaged' || damaged.status.recovered?.accounts === 0) continue;
      await damaged.recover();
      const left = await histories(damaged);
      await damaged.close();
      const unmarked = Object.keys(left).filter((name) => left[name]?.shared !== true);
      seen.add(`${Object.keys(left).join()} left, unmarked: ${unmarked.join()}`);
      expect(left['ada'] ?? { shared: true }).toMatchObject({ shared: true });
    }
    expect([...seen].sort()).toEqual([
      'ada left, unmarked: ',
      'ada,ben left, unmarked: ', // the histories of both are lost
      'ada,ben left, unmarked: ben', // only the index is lost
      'ben left, unmarked: ben',
    ]);
  });

  it('asks again for each account whose mark may be lost with a part of them', async () => {
    const scene = new Scene();
    const vault = await scene.open();
    const users = Array.from({ length: 80 }, (_, index) => `user-${index}`);
    await vault.update((cache) => users.forEach((user) => signIn(cache, user)));
    await vault.update((cache) => markAllAsShared(cache, '/home/ada/cache.json'));
    await vault.compact();
    await vault.close();
    scene.bytes.fill(1, scene.bytes.length - 500, scene.bytes.length - 400); // The histories are at the end.
    const damaged = await scene.open();
    expect(damaged.status).toMatchObject({ state: 'damaged', recovered: { accounts: users.length } });
    await damaged.recover();
    const left = Object.values(await histories(damaged));
    const sources = left.map(({ source }) => source);
    expect(new Set(sources)).toEqual(new Set([null, '/home/ada/cache.json'])); // Some are lost, and some are left.
    expect(left.every(({ shared }) => shared)).toBe(true);
  });
});
