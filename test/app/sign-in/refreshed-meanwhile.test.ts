/** What a refresh stores of an account to which something else happened while the provider was asked, or which it renewed in part. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type SignIn, type SignInPorts, signIn } from '../../../app/sign-in/sign-in.ts';
import { mergeAsImport } from '../../../src-main/accounts/account-history.ts';
import { SerializableTokenCache } from '../../../src-main/cache/document/serializable-token-cache.ts';
import { memoryKeychain, openVault, type Vault } from '../../../src-main/index.ts';
import {
  cachedAccounts,
  changeHistory,
  findAccount,
  historyOf,
  tokenItems,
} from '../../../src-main/ipc/index.ts';
import { activityOf } from '../../../src-main/ipc/activity.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { draftOf, json, metadataOf, quietPorts, signInOf } from './fake-issuer.ts';

const ISSUER = 'https://sso.example';
let vault: Vault;
let signing: SignIn<null>;
let account: string;
let folder: string;
let faults: unknown[];
let asked: string[];
let requests: number;
/** The token endpoint. */
let answer: (form: URLSearchParams) => Response | Promise<Response>;

beforeEach(async () => {
  folder = temporaryFolder();
  [faults, asked, requests] = [[], [], 0];
  vault = await openVault({ file: join(folder, 'vault'), keychain: memoryKeychain() });
  signing = signIn<null>(ports());
  await signing.handlers.saveProfile(null, draftOf(ISSUER), null);
  await vault.update((cache) => cache.add(signInOf(ISSUER, 'ada', 'ada')));
  account = await vault.read((cache) => [...cachedAccounts(cache).byId.keys()][0]!);
});
afterEach(async () => {
  signing.stop();
  await vault.close();
});

const ports = (): SignInPorts<null> => ({
  ...quietPorts(folder, () => vault),
  openBrowser: () => Promise.resolve(),
  confirm: (_caller, { message }) => {
    asked.push(message);
    return Promise.resolve(true);
  },
  onUnexpected: (error) => void faults.push(error),
  fetch: async (input, init) => {
    requests += 1;
    const url = input instanceof Request ? input.url : String(input);
    if (!url.endsWith('/token')) return json(metadataOf(ISSUER));
    return answer(new URLSearchParams(init?.body as URLSearchParams));
  },
});
const kinds = async () =>
  (await vault.read((cache) => activityOf(cache, account, Date.now() / 1000))).events.map(({ kind }) => kind);
const renewed = (secret: string): Response =>
  json({ access_token: secret, token_type: 'Bearer', expires_in: 3600 });
const refused = (): Response => json({ error: 'invalid_grant' }, 400);
const history = () => vault.read((cache) => historyOf(cache, account));
const imports = (label: string) => {
  const document = new SerializableTokenCache();
  document.add(signInOf(ISSUER, 'ada', label));
  return vault.update((cache) => mergeAsImport(cache, document, `/home/ada/${label}.json`));
};

it.each([
  ['renewed', () => renewed('at')],
  ['refused', refused],
])('the marks of an import stay, if the tokens from before were %s', async (_what, result) => {
  await imports('one'); // the user agrees to refresh this one
  let came: Promise<unknown> = Promise.resolve();
  answer = async () => {
    await (came = imports('two'));
    return result();
  };
  await signing.handlers.refreshNow(null, account, null);
  await came;
  expect(await history()).toMatchObject({ shared: true, source: '/home/ada/two.json', refusal: null });
});

it('a sign-in that ends meanwhile is not marked as refused', async () => {
  answer = async () => {
    await vault.update((cache) => cache.add(signInOf(ISSUER, 'ada', 'new')));
    return refused();
  };
  await signing.handlers.refreshNow(null, account, null);
  expect((await history()).refusal).toBeNull();
});

it('what was learned of another app meanwhile stays', async () => {
  await imports('one');
  answer = async () => {
    await vault.update((cache) =>
      changeHistory(cache, account, { issuers: { other: 'https://other.example' } }),
    );
    return renewed('at');
  };
  await signing.handlers.refreshNow(null, account, null);
  expect(await history()).toMatchObject({
    shared: false,
    issuers: { app: ISSUER, other: 'https://other.example' },
  });
});

it('an account of which one token was renewed and another refused needs no sign-in', async () => {
  const more = { ...signInOf(ISSUER, 'ada', 'ada'), scope: ['orders'] };
  await vault.update((cache) => cache.add(more));
  answer = (form) =>
    form.get('scope') === 'orders' ? json({ error: 'interaction_required' }, 400) : renewed('at');
  const report = await signing.handlers.refreshNow(null, account, null);
  expect(report).toMatchObject({ refreshed: 1, problem: { code: 'sign_in_again' } });
  expect((await history()).refusal).toBeNull();
  expect(await kinds()).toEqual(['refresh']);
});

it('an account of which only one token was to be renewed needs none, if it is refused', async () => {
  await vault.update((cache) => cache.add({ ...signInOf(ISSUER, 'ada', 'ada'), scope: ['orders'] }));
  const [token] = await vault.read((cache) => tokenItems(findAccount(cache, account)));
  answer = () => json({ error: 'interaction_required' }, 400);
  const report = await signing.handlers.refreshNow(null, account, token!.id);
  expect(report).toMatchObject({ refreshed: 0, problem: { code: 'sign_in_again' } });
  expect((await history()).refusal).toBeNull();
  expect((await signing.handlers.refreshStatus(null, account)).problem).toBeNull();
});

it('an account of which nothing was renewed does', async () => {
  answer = refused;
  await signing.handlers.refreshNow(null, account, null);
  expect((await history()).refusal).toMatchObject({ code: 'invalid_grant' });
});

it('an account whose tokens were refused for their scopes alone needs none', async () => {
  answer = () => json({ error: 'invalid_grant', suberror: 'consent_required' }, 400);
  const report = await signing.handlers.refreshNow(null, account, null);
  expect(report).toMatchObject({ refreshed: 0, problem: { code: 'sign_in_again' } });
  expect(report.problem?.message).toContain('gives no new token without asking you (invalid_grant)');
  expect((await history()).refusal).toBeNull();
  expect(await kinds()).toEqual([]);
});

it('an account of which another app’s refresh token is left needs none', async () => {
  await vault.update((cache) => cache.add({ ...signInOf(ISSUER, 'ada', 'ada'), client_id: 'other' }));
  answer = (form) => (form.get('client_id') === 'other' ? renewed('at') : refused());
  for (const expected of ['first', 'again']) {
    await signing.handlers.refreshNow(null, account, null);
    expect((await history()).refusal, expected).toBeNull();
  }
  expect((await kinds()).filter((kind) => kind === 'refused')).toHaveLength(1);
  answer = refused;
  await signing.handlers.refreshNow(null, account, null);
  expect((await history()).refusal).toMatchObject({ code: 'invalid_grant' });
});

it('the refusal is told and kept, although a later token of the same app was then not asked for', async () => {
  await vault.update((cache) => cache.add({ ...signInOf(ISSUER, 'ada', 'ada'), scope: ['orders'] }));
  answer = refused;
  const report = await signing.handlers.refreshNow(null, account, null);
  expect(report).toMatchObject({ refreshed: 0, problem: { code: 'sign_in_again' } });
  expect((await history()).refusal).toMatchObject({ code: 'invalid_grant' });
});

it('a refused account is asked about no more, and nothing is sent for it', async () => {
  await imports('one');
  answer = refused;
  await signing.handlers.refreshNow(null, account, null);
  await vault.update((cache) => changeHistory(cache, account, { shared: true }));
  [asked, requests] = [[], 0];
  const report = await signing.handlers.refreshNow(null, account, null);
  expect(report).toMatchObject({ refreshed: 0, problem: { code: 'sign_in_required' } });
  expect({ asked, requests }).toEqual({ asked: [], requests: 0 });
});

it('auto-refresh tells after the next start of the app that a refused account needs a sign-in', async () => {
  await signing.handlers.setAutoRefresh(null, account, true);
  answer = refused;
  await signing.handlers.refreshNow(null, account, null);
  signing.stop();
  requests = 0;
  signing = signIn<null>(ports());
  await signing.start();
  const status = await signing.handlers.refreshStatus(null, account);
  expect(status).toMatchObject({ autoRefresh: true, nextTry: null, problem: { code: 'sign_in_required' } });
  expect(requests).toBe(0);
  await vault.update((cache) => cache.add(signInOf(ISSUER, 'ada', 'new')));
  await expect.poll(async () => (await signing.handlers.refreshStatus(null, account)).problem).toBeNull();
});

it('nobody is asked about a token of an imported account that was obtained here, or agreed to', async () => {
  await imports('one');
  const document = new SerializableTokenCache();
  document.add({ ...signInOf(ISSUER, 'ada', 'theirs'), client_id: 'other' });
  await vault.update((cache) => mergeAsImport(cache, document, '/home/ada/theirs.json'));
  await vault.update((cache) => changeHistory(cache, account, { ownClients: ['app'] }));
  answer = () => renewed('at');
  const tokens = await vault.read((cache) => tokenItems(findAccount(cache, account)));
  const idOf = (client_id: string) =>
    tokens.find((token) => token.type === 'AccessToken' && token.client_id === client_id)!.id;
  asked = [];
  expect(await signing.handlers.refreshNow(null, account, idOf('app'))).toMatchObject({ refreshed: 1 });
  expect(asked).toEqual([]);
  expect(await history()).toMatchObject({ shared: true, ownClients: ['app'] });
  expect(await signing.handlers.refreshNow(null, account, idOf('other'))).toMatchObject({ refreshed: 1 });
  expect(asked).toHaveLength(1);
  expect(await history()).toMatchObject({ shared: false, ownClients: [] });
});

it('a refresh by the user asks, although one that asks nobody runs', async () => {
  await imports('one');
  answer = () => renewed('at');
  const unasked = signing.handlers.refreshUnasked(null, account);
  const report = await signing.handlers.refreshNow(null, account, null);
  expect(await unasked).toMatchObject({ refreshed: 0 });
  expect(report).toEqual({ refreshed: 1, problem: null });
});

it('no further token is sent once the app ends', async () => {
  await vault.update((cache) => cache.add({ ...signInOf(ISSUER, 'ada', 'ada'), scope: ['orders'] }));
  let sent = 0;
  answer = () => {
    sent += 1;
    signing.stop();
    return renewed('at');
  };
  await signing.handlers.refreshNow(null, account, null);
  expect(sent).toBe(1);
});

it('auto-refresh goes on if the choice of accounts that are gone can’t be removed from its file', async () => {
  let sent = 0;
  answer = () => {
    sent += 1;
    return renewed('at');
  };
  await vault.update((cache) => cache.add(signInOf(ISSUER, 'noor', 'noor')));
  const all = await vault.read((cache) => [...cachedAccounts(cache).byId.keys()]);
  for (const id of all) await signing.handlers.setAutoRefresh(null, id, true);
  expect(sent).toBe(0);
  const file = join(folder, 'keep-fresh.json');
  rmSync(file);
  mkdirSync(join(file, 'in the way'), { recursive: true });
  const wishes = { vault: true, revoke: false, endSession: false, places: [] };
  await signing.handlers.signOut(
    null,
    all.filter((id) => id !== account),
    wishes,
  );
  const { response, ...rest } = signInOf(ISSUER, 'ada', 'ada');
  await vault.update((cache) => cache.add({ ...rest, response: { ...response, expires_in: 0 } }));
  await signing.start();
  expect(faults).not.toEqual([]);
  expect(sent).toBeGreaterThan(0);
});

it('auto-refresh goes on beside an account whose host, from an imported file, is none', async () => {
  let sent = 0;
  answer = () => {
    sent += 1;
    return renewed('at');
  };
  const odd = new SerializableTokenCache();
  odd.add(signInOf('https://odd.example', 'noor', 'noor'));
  const document = new SerializableTokenCache();
  document.deserialize(odd.serialize().replaceAll('"odd.example"', '"https://odd.example"'));
  const { response, ...rest } = signInOf(ISSUER, 'ada', 'ada');
  await vault.update((cache) => {
    mergeAsImport(cache, document, '/home/noor/odd.json');
    cache.add({ ...rest, response: { ...response, expires_in: 0 } });
    for (const id of cachedAccounts(cache).byId.keys()) changeHistory(cache, id, { shared: false });
  });
  const all = await vault.read((cache) => [...cachedAccounts(cache).byId.values()]);
  expect(all.map(({ environment }) => environment)).toContain('https://odd.example');
  for (const { id } of all) await signing.handlers.setAutoRefresh(null, id, true);
  await signing.start();
  await expect.poll(() => sent).toBeGreaterThan(0);
  const other = all.find(({ id }) => id !== account)!;
  const report = await signing.handlers.refreshNow(null, other.id, null);
  expect(report.refreshed).toBe(0);
});
