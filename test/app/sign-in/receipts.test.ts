/** How long the receipts of sign-outs are kept. */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { signIn } from '../../../app/sign-in/sign-in.ts';
import { whoIs } from '../../../app/sign-in/names.ts';
import { clearReceipts } from '../../../app/sign-in/sign-out.ts';
import { memoryKeychain, openVault } from '../../../src-main/index.ts';
import { activityAccount } from '../../../src-main/ipc/index.ts';
import { cachedAccounts } from '../../../src-main/accounts/cached-accounts.ts';
import { appData, setAppData } from '../../../src-main/cache/token-cache.ts';
import { jwt } from '../../cache/events.ts';
import { quietPorts, signInOf } from './fake-issuer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const DAY = 86_400_000;

it('receipts survive a clock that was ahead, and its receipt keeps out none that follows', async () => {
  const folder = temporaryFolder();
  const vault = await openVault({ file: join(folder, 'vault'), keychain: memoryKeychain() });
  let now = Date.UTC(2026, 10, 26);
  const signing = signIn<null>({
    ...quietPorts(folder, () => vault),
    openBrowser: () => Promise.resolve(),
    confirm: () => Promise.resolve(true),
    fetch: () => Promise.reject(new Error('No provider is asked.')),
    now: () => now,
  });
  onTestFinished(async () => {
    signing.stop();
    await vault.close();
  });
  /** Signs an account in and out at that time, and returns the times of the stored receipts in days. */
  const after = async (days: number) => {
    now = Date.UTC(2026, 10, 26) + days * DAY;
    await vault.update((cache) => cache.add(signInOf('https://sso.example', 'u1', 'u1')));
    const id = await vault.read((cache) => [...cachedAccounts(cache).byId.keys()][0]!);
    await signing.handlers.signOut(null, [id], { vault: true, revoke: false, endSession: false, places: [] });
    now = Date.UTC(2026, 10, 26);
    const all = await signing.handlers.signOuts(null);
    return all.map(({ at }) => (at - now / 1000) / 86_400);
  };
  expect(await after(0)).toEqual([0]);
  expect(await after(200)).toEqual([200, 0]);
  expect(await after(1)).toEqual([200, 1, 0]);
  // Receipts of two days that are too new for the first ones remove them.
  expect(await after(201)).toEqual([201, 200]);
});

it('a receipt, the activity and a question name the realm, where two of one host have a user of the same name', async () => {
  const folder = temporaryFolder();
  const vault = await openVault({ file: join(folder, 'vault'), keychain: memoryKeychain() });
  const signing = signIn<null>({
    ...quietPorts(folder, () => vault),
    openBrowser: () => Promise.resolve(),
    confirm: () => Promise.resolve(true),
    fetch: () => Promise.reject(new Error('No provider is asked.')),
  });
  onTestFinished(async () => {
    signing.stop();
    await vault.close();
  });
  await vault.update((cache) => {
    for (const realm of ['prod', 'test']) {
      const iss = `https://sso.example/realms/${realm}`;
      const signedIn = signInOf(iss, realm, realm);
      const id_token = jwt({ sub: realm, iss, aud: 'app', preferred_username: 'ada' });
      cache.add({ ...signedIn, response: { ...signedIn.response, id_token } });
    }
  });
  const accounts = await vault.read((cache) => [...cachedAccounts(cache).byId.values()]);
  const names = accounts.map((account) => whoIs(account));
  expect(names.toSorted()).toEqual(['ada (sso.example/realms/prod)', 'ada (sso.example/realms/test)']);
  expect(accounts.map((account) => activityAccount(account).name)).toEqual(names);
  const ids = accounts.map(({ id }) => id);
  const wishes = { vault: true, revoke: false, endSession: false, places: [] };
  const report = await signing.handlers.signOut(null, ids, wishes);
  expect(report.names).toEqual(names);
  expect(report.receipts.map(({ account }) => account)).toEqual(names);
});

it('a stored sign-out that can’t be read loses only itself, and a revocation of it only that one', async () => {
  const folder = temporaryFolder();
  const vault = await openVault({ file: join(folder, 'vault'), keychain: memoryKeychain() });
  onTestFinished(() => vault.close());
  const task = { issuer: 'https://sso.example', client_id: 'app', secret: 'refresh token' };
  const kept = (id: string, revoke: unknown[]) => ({ report: { id, at: 1 }, revoke });
  await vault.update((cache) => {
    setAppData(cache, 'sign-outs', [
      kept('one', [{ ...task, secret: 7 }, task]),
      { report: { id: 'two', at: 1 } },
      kept('three', [task]),
      7,
    ]);
    clearReceipts(cache);
  });
  const left = await vault.read((cache) => appData(cache, 'sign-outs'));
  expect(left).toMatchObject([kept('one', [task]), kept('three', [task])]);
});
