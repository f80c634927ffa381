/** The page on which a user signs out on all devices: offered, opened by the main process, and never reported as done. */
import { expect, it } from 'vitest';
import { NO_SOURCES } from '../../../app/sources/source-sign-out.ts';
import { pageOffers } from '../../../app/sign-in/everywhere.ts';
import { signOuts } from '../../../app/sign-in/sign-out.ts';
import type { Vault } from '../../../src-main/index.ts';
import { cachedAccounts, usernameOf } from '../../../src-main/ipc/index.ts';
import { testVault, tokenResponse } from '../../../src-main/testing/index.ts';

const ISSUER = 'https://login.microsoftonline.com/72f988bf-0000-4000-8000-2d7cd011db47/v2.0';
const PAGE = 'page-myaccount-microsoft-com';
const wishes = { vault: true, revoke: false, endSession: false, places: [] as string[] };

async function withVault(
  issuer: string,
  work: (out: ReturnType<typeof signOuts>, ids: string[], opened: string[], vault: Vault) => Promise<void>,
  { isDemo = false, fails = false, sources = NO_SOURCES } = {},
): Promise<void> {
  const { vault, dispose } = await testVault();
  const opened: string[] = [];
  try {
    await vault.update((cache) => cache.add(tokenResponse({ username: 'ada@contoso.example', issuer })));
    const out = signOuts({
      vault: () => Promise.resolve(vault),
      ownVault: () => Promise.resolve(vault),
      isDemo: () => isDemo,
      profiles: { list: () => [] },
      allowed: { hostsOf: () => undefined },
      consent: { findAllowed: () => Promise.reject(new Error('Nobody is asked.')) } as never,
      sources,
      openBrowser: (url) =>
        fails ? Promise.reject(new Error('No browser.')) : Promise.resolve(void opened.push(url)),
      now: () => Math.floor(Date.now() / 1000),
      after: () => () => undefined,
      onProgress: () => undefined,
      onUnexpected: (error) => {
        throw error;
      },
    });
    const ids = await vault.read((cache) =>
      [...cachedAccounts(cache).byId.values()]
        .filter((account) => usernameOf(account) === 'ada@contoso.example')
        .map(({ id }) => id),
    );
    await work(out, ids, opened, vault);
    out.stop();
  } finally {
    await dispose();
  }
}

it('is opened if it is chosen, and its row says that nothing is confirmed', async () => {
  await withVault(ISSUER, async (out, ids, opened) => {
    expect(await out.places(ids)).toMatchObject([
      { id: PAGE, page: 'myaccount.microsoft.com', viewOnly: false },
    ]);
    expect(opened).toEqual([]);
    const report = await out.signOut(ids, { ...wishes, places: [PAGE] }, null);
    expect(opened).toEqual(['https://myaccount.microsoft.com']);
    expect(report.receipts).toHaveLength(1);
    expect(report.places).toMatchObject([{ name: 'Microsoft, on all devices', result: 'not-confirmed' }]);
    expect((await out.reports())[0]?.places).toEqual(report.places);
  });
});

it('is opened alone, and the account stays in the vault', async () => {
  await withVault(ISSUER, async (out, ids, opened) => {
    const report = await out.signOut(ids, { ...wishes, vault: false, places: [PAGE] }, null);
    expect(opened).toHaveLength(1);
    expect(report).toMatchObject({ names: ['ada@contoso.example'], keptInVault: true });
    await expect(out.signOut(ids, { ...wishes, vault: false }, null)).rejects.toThrow('No place was chosen');
  });
});

it('names each account in the receipt, also two with one user name', async () => {
  const other = ISSUER.replace('72f988bf', '72f988c0');
  await withVault(ISSUER, async (out, _ids, _opened, vault) => {
    await vault.update((cache) =>
      cache.add(tokenResponse({ username: 'ada@contoso.example', issuer: other })),
    );
    const all = await vault.read((cache) => [...cachedAccounts(cache).byId.values()]);
    const ids = all.filter((account) => usernameOf(account) === 'ada@contoso.example').map(({ id }) => id);
    expect(ids).toHaveLength(2);
    const names = ['ada@contoso.example', 'ada@contoso.example'];
    const kept = await out.signOut(ids, { ...wishes, vault: false, places: [PAGE] }, null);
    expect(kept.names).toEqual(names);
    const everyone = await out.signOut(null, wishes, null);
    expect(everyone.names.filter((name) => name === names[0])).toEqual(names);
    expect(everyone.receipts).toHaveLength(all.length);
  });
});

it('does not name an account in the receipt that was left out everywhere', async () => {
  const names: typeof NO_SOURCES.names = (ids, isChosen = () => true) =>
    new Map(ids.filter((id) => isChosen('az', id)).map((id) => [id, id]));
  await withVault(
    ISSUER,
    async (out, ids) => {
      const all = [...ids, 'tom', 'lin'];
      const except = [{ accountId: 'lin', place: 'az' }];
      const report = await out.signOut(all, { ...wishes, places: ['az'], except }, null);
      expect(report.names).toEqual(['ada@contoso.example', 'tom']);
    },
    { sources: { ...NO_SOURCES, names } },
  );
});

it('is not opened if it is not chosen, whatever the window asks for', async () => {
  await withVault(ISSUER, async (out, ids, opened) => {
    const report = await out.signOut(ids, { ...wishes, places: ['page-evil-example'] }, null);
    expect(opened).toEqual([]);
    expect(report.places).toEqual([]);
  });
});

it('is reported with its address if it does not open, and the account is signed out', async () => {
  const says = expect.stringContaining('Open https://myaccount.microsoft.com') as string;
  await withVault(
    ISSUER,
    async (out, ids) => {
      const report = await out.signOut(ids, { ...wishes, places: [PAGE] }, null);
      expect(report).toMatchObject({
        receipts: [{ remaining: 0 }],
        places: [{ result: 'not-confirmed', says }],
      });
    },
    { fails: true },
  );
});

it.each([
  ['another provider', 'https://id.example', false],
  ['sample data', ISSUER, true],
])('is not offered for %s', async (_, issuer, isDemo) => {
  await withVault(issuer, async (out, ids) => expect(await out.places(ids)).toEqual([]), { isDemo });
});

it('is found for 2,000 accounts without comparing each with each, and lists at most 100 of them', async () => {
  let reads = 0;
  const accounts = Array.from({ length: 2_000 }, (_, number) => ({
    get id() {
      reads += 1;
      return `a${number}`;
    },
    kind: 'user' as const,
    home_account_id: `user-${number}.72f988bf-0000-4000-8000-2d7cd011db47`,
    environment: 'login.microsoftonline.com',
  }));
  expect(pageOffers([...accounts, ...accounts])).toMatchObject([{ id: PAGE, accounts: 2_000 }]);
  expect(reads).toBeLessThan(5 * accounts.length);
  await withVault(ISSUER, async (out, ids) => {
    const listed = async (length: number) => {
      const [offer] = await out.places(Array.from({ length }, (_, at) => ids[at] ?? `none-${at}`));
      return [offer?.accounts, Object.keys(offer?.tokensOf ?? {})];
    };
    expect(await listed(100)).toEqual([1, ids]);
    expect(await listed(101)).toEqual([1, []]);
  });
});
