import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { activityOf } from '../../../src-main/ipc/activity.ts';
import { findAccount } from '../../../src-main/accounts/cached-accounts.ts';
import { tokenItems } from '../../../src-main/ipc/token-views.ts';
import type { SignOutWishes } from '../../../app/contract.ts';
import { type RunningProvider, startProvider } from '../../../examples/provider/provider.ts';
import { trustingFetch } from '../../../examples/provider/trusting-fetch.ts';
import { browser } from '../../support/browser.ts';
import { type Stage, stage } from './stage.ts';

let provider: RunningProvider;
let here: Stage;
let account: string;

beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider.stop());
beforeEach(async () => {
  provider.outages.clear();
  here = await stage(provider);
  const done = await here.go();
  if (done.step !== 'done' || done.accountId === null) throw new Error(JSON.stringify(done));
  account = done.accountId;
  provider.events.clear();
});
afterEach(() => here.close());

const secrets = () =>
  here.vault.read((cache) => ({
    access: cache.find('AccessToken').map(({ secret }) => secret),
    refresh: cache.find('RefreshToken').map(({ secret }) => secret),
    id: cache.find('IdToken').length,
    accounts: cache.accounts().length,
  }));
/** As another program does, that uses the same vault. */
const signOutHere = async () => {
  const [found] = await here.vault.read((cache) => cache.accounts());
  await here.vault.signOut(found!.home_account_id);
};
const activity = async () =>
  (await here.vault.read((cache) => activityOf(cache, null, Math.floor(Date.now() / 1000)))).events;
const refreshNow = async () => here.signing.handlers.refreshNow(null, account, null);

describe('refreshing', () => {
  it('replaces the access token and the refresh token, which rotates, and never sends one twice', async () => {
    const before = await secrets();
    expect(await refreshNow()).toEqual({ refreshed: 1, problem: null });
    const after = await secrets();
    expect(after).toMatchObject({ id: 1, accounts: 1 });
    expect([after.access.length, after.refresh.length]).toEqual([1, 1]);
    expect(after.access).not.toEqual(before.access);
    expect(after.refresh).not.toEqual(before.refresh);
    expect(await refreshNow()).toEqual({ refreshed: 1, problem: null });
    expect(provider.events.count('reused')).toBe(0);
  });

  it('replaces only the token that was asked for', async () => {
    const items = async () => here.vault.read((cache) => tokenItems(findAccount(cache, account)));
    const [first] = await items();
    await here.vault.update((cache) => {
      const [token] = cache.find('AccessToken');
      const [{ secret: id_token } = { secret: '' }] = cache.find('IdToken');
      cache.add({
        client_id: token!.client_id,
        scope: ['profile'],
        token_endpoint: `${provider.issuer}/token`,
        issuer: provider.issuer,
        realm: '',
        authority_type: 'Generic',
        response: { token_type: 'Bearer', expires_in: 60, access_token: 'the second', id_token },
      });
    });
    const before = await secrets();
    expect(before.access).toHaveLength(2);
    const second = (await items()).find(({ type, id }) => type === 'AccessToken' && id !== first!.id);
    expect(await here.signing.handlers.refreshNow(null, account, second!.id)).toEqual({
      refreshed: 1,
      problem: null,
    });
    const after = await secrets();
    expect(after.access).toHaveLength(2);
    expect(after.access.filter((secret) => before.access.includes(secret))).toEqual(
      before.access.filter((secret) => secret !== 'the second'),
    );
    expect(provider.events.list.map(({ type }) => type)).toEqual(['refreshed']);
    expect(await here.signing.handlers.refreshNow(null, account, 'no.such')).toMatchObject({ refreshed: 0 });
  });

  it('user info comes from the provider itself, for a token that was granted with openid', async () => {
    const own = await startProvider({ api: false });
    onTestFinished(() => own.stop());
    const other = await stage(own);
    const done = await other.go();
    if (done.step !== 'done' || done.accountId === null) throw new Error(JSON.stringify(done));
    const info = await other.signing.handlers.userInfo(null, done.accountId);
    expect(info?.claims).toContainEqual({ name: 'name', json: '"Noor Haddad"' });
    await other.close();
    // This one is for an API.
    await expect(async () => here.signing.handlers.userInfo(null, account)).rejects.toMatchObject({
      code: 'no_user_token',
    });
  });

  it('refreshes once if it is requested many times at the same time', async () => {
    await Promise.all(Array.from({ length: 10 }, refreshNow));
    expect(provider.events.list.map(({ type }) => type)).toEqual(['refreshed']);
  });

  it('keeps the tokens if the provider can’t be reached, and says so', async () => {
    const before = await secrets();
    provider.outages.add('/token');
    const { refreshed, problem } = await refreshNow();
    expect([refreshed, problem?.code]).toEqual([0, 'provider_unreachable']);
    expect(await secrets()).toEqual(before);
  });

  it('asks for a new sign-in if the refresh token was revoked elsewhere', async () => {
    const [token = ''] = (await secrets()).refresh;
    await trustingFetch(provider.ca)(`${provider.issuer}/token/revocation`, {
      method: 'POST',
      body: new URLSearchParams({ token, client_id: 'desktop-app' }),
    });
    expect((await refreshNow()).problem?.code).toBe('sign_in_again');
    expect((await secrets()).accounts).toBe(1);
    expect(await activity()).toMatchObject([
      { kind: 'refused', code: 'invalid_grant', client_id: 'desktop-app', accounts: [{ id: account }] },
      { kind: 'sign-in' },
    ]);
  });

  it('is recorded, and so is the sign-in before', async () => {
    await refreshNow();
    const [refresh, signIn] = await activity();
    expect(refresh).toMatchObject({
      kind: 'refresh',
      client_ids: ['desktop-app'],
      tokens: 1,
      automatic: false,
      accounts: [{ id: account, name: 'Noor Haddad' }],
    });
    expect(signIn).toMatchObject({
      kind: 'sign-in',
      way: 'browser',
      client_id: 'desktop-app',
      provider: new URL(provider.issuer).host,
    });
  });

  it('does not bring back an account that was signed out meanwhile', async () => {
    const slow = trustingFetch(provider.ca);
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = (): void => {};
    const reached = new Promise<void>((resolve) => {
      asked = resolve;
    });
    await here.close();
    here = await stage(
      provider,
      {},
      {
        fetch: async (input, init) => {
          const answer = await slow(input, init);
          if (init?.body instanceof URLSearchParams && init.body.get('grant_type') === 'refresh_token') {
            asked();
            await held;
          }
          return answer;
        },
      },
    );
    await here.go();
    const refresh = refreshNow();
    await reached;
    await signOutHere();
    release();
    expect((await refresh).problem?.code).toBe('sign_in_required');
    expect(await secrets()).toEqual({ access: [], refresh: [], id: 0, accounts: 0 });
  });

  it('needs the user’s consent again once the provider’s profile is removed', async () => {
    await here.close();
    let agrees = true;
    here = await stage(provider, {}, { confirm: () => Promise.resolve(agrees) });
    const done = await here.go();
    account = done.step === 'done' ? (done.accountId ?? '') : '';
    expect((await here.signing.handlers.refreshStatus(null, account)).refreshable).toBe(true);
    await here.signing.handlers.removeProfile(null, here.profile.id);
    provider.events.clear();
    agrees = false;
    expect((await refreshNow()).problem?.code).toBe('host_refused');
    expect(provider.events.list).toEqual([]);
    agrees = true;
    expect(await refreshNow()).toEqual({ refreshed: 1, problem: null });
  });
});

describe('keeping fresh', () => {
  it('remembers the mark without naming anybody, and forgets it when the account is signed out', async () => {
    await here.signing.start();
    expect(await here.signing.handlers.setAutoRefresh(null, account, true)).toMatchObject({
      autoRefresh: true,
      problem: null,
    });
    const { nextTry } = await here.signing.handlers.refreshStatus(null, account);
    expect(nextTry! - Date.now() / 1000).toBeGreaterThan(3600 - 360 - 60);
    const isRenewed = (seconds: number) => here.signing.isRenewed(account, nextTry! + seconds);
    expect([isRenewed(0), isRenewed(1)]).toEqual([false, true]);
    const file = join(here.folder, 'keep-fresh.json');
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain(account);
    expect((JSON.parse(text) as { accounts: unknown[] }).accounts).toHaveLength(1);
    await signOutHere();
    await expect
      .poll(() => (JSON.parse(readFileSync(file, 'utf8')) as { accounts: unknown[] }).accounts)
      .toEqual([]);
  });

  it('refreshes automatically when the time has come', async () => {
    let ahead = 0;
    await here.close();
    here = await stage(provider, {}, { now: () => Date.now() + ahead });
    await here.go();
    provider.events.clear();
    await here.signing.handlers.setAutoRefresh(null, account, true);
    expect(provider.events.count('refreshed')).toBe(0);
    ahead = 3300_000; // five minutes before the end
    here.signing.wake();
    await expect.poll(() => provider.events.count('refreshed', 'noor')).toBe(1);
  });
});

describe('signing out', () => {
  const NOTHING: SignOutWishes = { vault: true, revoke: false, endSession: false, places: [] };
  const out = async (wishes: Partial<SignOutWishes>, ids: readonly string[] | null = [account]) =>
    here.signing.handlers.signOut(null, ids, { ...NOTHING, ...wishes });
  const secondPerson = async () => {
    here.person = { user: 'piet' };
    here.browser = browser(trustingFetch(provider.ca));
    await here.go();
    expect((await secrets()).accounts).toBe(2);
  };

  it('says what the provider offers', async () => {
    const { host } = new URL(provider.issuer);
    const offers = await here.signing.handlers.signOutOffers(null, [account]);
    expect(offers).toEqual({ revoke: 'offered', endSession: 'offered', provider: host });
  });

  it('removes the account and revokes its refresh token, in one request', async () => {
    const report = await out({ revoke: true });
    expect(report).toMatchObject({
      receipts: [{ account: 'noor@contoso.example', remaining: 0, oldKey: 'destroyed' }],
      revoked: { count: 1, pending: 0, problem: null },
      session: null,
    });
    expect(provider.events.count('revoked')).toBe(1);
    expect((await secrets()).accounts).toBe(0);
  });

  it('removes the account if the revocation fails, reports it, and revokes as soon as the provider answers', async () => {
    provider.outages.add('/token/revocation');
    const report = await out({ revoke: true });
    expect(report.revoked).toMatchObject({ count: 0, pending: 1, problem: { code: 'provider_unreachable' } });
    expect(await secrets()).toEqual({ access: [], refresh: [], id: 0, accounts: 0 });
    provider.outages.clear();
    here.signing.wake();
    await expect.poll(() => provider.events.count('revoked')).toBe(1);
    await here.signing.idle();
    expect(await here.signing.handlers.signOuts(null)).toMatchObject([
      { id: report.id, revoked: { count: 1, pending: 0, problem: null } },
    ]);
  });

  it('leaves a receipt that clearing the activity removes, but not what is left to do at the provider', async () => {
    provider.outages.add('/token/revocation');
    await here.signing.handlers.signOut(null, [account], {
      vault: true,
      revoke: true,
      endSession: false,
      places: [],
    });
    expect(await here.signing.handlers.clearActivity(null)).toBe(true);
    expect(await here.signing.handlers.signOuts(null)).toHaveLength(1);
    expect((await activity()).map(({ kind }) => kind)).toEqual(['cleared']);
    provider.outages.clear();
    here.signing.wake();
    await expect.poll(() => provider.events.count('revoked')).toBe(1);
    await here.signing.idle();
    await here.signing.handlers.clearActivity(null);
    expect(await here.signing.handlers.signOuts(null)).toEqual([]);
  });

  it('is completed by the next start if it was interrupted, from what is sealed in the vault', async () => {
    const [token = ''] = (await secrets()).refresh;
    let cut = (): void => undefined;
    const reached = new Promise<void>((resolve) => (cut = resolve));
    const trusting = trustingFetch(provider.ca);
    const folder = here.folder;
    await here.close();
    // The process ends while it talks to the provider: the answer never comes, and nothing after it runs.
    here = await stage(
      provider,
      {},
      {
        fetch: (input, init) => {
          if (!new Request(input).url.endsWith('/token/revocation')) return trusting(input, init);
          cut();
          return new Promise(() => undefined);
        },
      },
      folder,
    );
    void here.signing.handlers.signOut(null, [account], {
      vault: true,
      revoke: true,
      endSession: false,
      places: [],
    });
    await reached;
    expect(await secrets()).toEqual({ access: [], refresh: [], id: 0, accounts: 0 });
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
    expect(files.join('\n')).not.toContain(token);
    await here.vault.close();

    here = await stage(provider, {}, {}, folder);
    await here.signing.start();
    await expect.poll(() => provider.events.count('revoked')).toBe(1);
    await here.signing.idle();
    expect(await here.signing.handlers.signOuts(null)).toMatchObject([
      { receipts: [{ account: 'noor@contoso.example' }], revoked: { count: 1, pending: 0 } },
    ]);
  });

  it('opens the provider’s own sign-out in the browser, which ends its session', async () => {
    here.opened.splice(0);
    expect(await out({ endSession: true })).toMatchObject({
      revoked: null,
      session: { opened: true, problem: null },
    });
    expect(new URL(here.opened[0]!).searchParams.get('id_token_hint')).toMatch(/^eyJ/);
    await here.arrived.at(-1);
    expect(provider.events.count('session-ended')).toBe(1);
  });

  it('of everyone: each refresh token is revoked, and one session of the one provider is ended', async () => {
    await secondPerson();
    provider.events.clear();
    here.opened.splice(0);
    expect(await here.signing.handlers.signOutOffers(null, null)).toEqual({
      revoke: 'offered',
      endSession: 'offered',
      provider: new URL(provider.issuer).host,
    });
    const report = await out({ vault: true, revoke: true, endSession: true, places: [] }, null);
    expect(report).toMatchObject({
      revoked: { count: 2, pending: 0, problem: null },
      session: { opened: true, problem: null },
    });
    expect(report.receipts).toHaveLength(2);
    expect(provider.events.count('revoked')).toBe(2);
    expect(here.opened).toHaveLength(1);
    expect((await secrets()).refresh).toEqual([]);
  });

  it('of everyone: a provider that does not answer is asked once, and nobody is kept here', async () => {
    let asked = 0;
    const trusting = trustingFetch(provider.ca);
    await here.close();
    here = await stage(
      provider,
      {},
      {
        fetch: (input, init) => {
          if (new Request(input).url.endsWith('/token/revocation')) asked += 1;
          return trusting(input, init);
        },
      },
    );
    await here.go();
    await secondPerson();
    provider.outages.add('/token/revocation');
    const { revoked } = await out({ revoke: true }, null);
    expect(revoked).toMatchObject({ count: 0, pending: 2, problem: { code: 'provider_unreachable' } });
    expect(asked).toBe(1);
    expect((await secrets()).accounts).toBe(0);
  });

  it('is refused for an account that no longer exists, and nothing is done', async () => {
    await out({});
    provider.events.clear();
    await expect(out({ revoke: true })).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(provider.events.list).toEqual([]);
    expect(await here.signing.handlers.signOuts(null)).toHaveLength(1);
  });
});

it('writes no token, code or verifier into its files, nor tells them to the window', async () => {
  const { access, refresh } = await secrets();
  const verifierAndCode = [
    here.opened[0]!,
    ...(await Promise.all(here.arrived)).map(({ url }) => url),
  ].flatMap((url) => {
    const { searchParams } = new URL(url);
    return ['code', 'state', 'nonce', 'code_challenge'].flatMap((name) => searchParams.get(name) ?? []);
  });
  expect(verifierAndCode.length).toBeGreaterThan(3);
  const files = readdirSync(here.folder).map((name) => readFileSync(join(here.folder, name), 'latin1'));
  const all = [...files, JSON.stringify(here.told)].join('\n');
  for (const secret of [...access, ...refresh, ...verifierAndCode]) expect(all).not.toContain(secret);
});
