/** Revocations of a sign-out: a provider that refuses one token gets the others, and rows of the receipt are kept meanwhile. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SignOutReport } from '../../../app/contract.ts';
import { type SignIn, signIn } from '../../../app/sign-in/sign-in.ts';
import { memoryKeychain, openVault, type Vault } from '../../../src-main/index.ts';
import { appData, cachedAccounts } from '../../../src-main/ipc/index.ts';
import { draftOf, json, metadataOf, quietPorts, signInOf } from './fake-issuer.ts';
import { otherPrograms } from './sign-out-steps.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const LOCKED = 'The vault is locked.';
const ISSUER = 'https://one.example';
// Two items of one keychain have one name and file.
const ROW = { id: 'first', name: 'Shared cache', file: '/msal.cache' } as const;
const LEFT = { ...ROW, id: 'second', result: 'signed-out', says: 'Left: none.' } as const;
const PART = { ...ROW, id: 'third', result: 'signed-out', says: 'Left: none.' } as const;
let vault: Vault;
let signing: SignIn<null>;
/** The provider's answer for a refresh token. */
let answer: (token: string) => Response | Promise<Response>;
let sent: string[];
let isDemo: boolean;
/** What the sign-in gets in place of the vault. */
let shown: () => Promise<Vault>;
let own: () => Promise<Vault>;
/** Is called when the other programs' caches are signed out of. */
let elsewhere: () => void;
let openBrowser: () => Promise<void>;
let metadata: (issuer: string) => Response;
/** Milliseconds. */
let ahead: number;
/** What is to be done later, by the milliseconds until then. */
let later: { milliseconds: number; work: () => void }[];

beforeEach(async () => {
  const folder = temporaryFolder();
  vault = await openVault({ file: join(folder, 'vault'), keychain: memoryKeychain() });
  [sent, isDemo, later, ahead] = [[], false, [], 0];
  elsewhere = () => undefined;
  openBrowser = () => Promise.resolve();
  metadata = (issuer) => json(metadataOf(issuer));
  shown = own = () => Promise.resolve(vault);
  answer = () => new Response(null, { status: 200 });
  signing = signIn<null>({
    ...quietPorts(folder, () => vault),
    vault: () => shown(),
    ownVault: () => own(),
    isDemo: () => isDemo,
    openBrowser: () => openBrowser(),
    now: () => Date.now() + ahead,
    confirm: () => Promise.resolve(true),
    onUnexpected(error) {
      if (!(error instanceof Error && error.message === LOCKED)) throw error;
    },
    after(milliseconds, work) {
      later.push({ milliseconds, work });
      const timer = setTimeout(work, milliseconds / 2);
      return () => clearTimeout(timer);
    },
    sources: {
      ...otherPrograms(new Set(['first']), { around: async (_name, work) => work() }),
      signOut() {
        elsewhere();
        return Promise.resolve([{ ...ROW, result: 'still', says: 'The file is in use.' }, LEFT, PART]);
      },
      undo: () => Promise.reject(new Error('The first one is in use.')),
      undone: () => [
        { ...ROW, id: LEFT.id, isWhole: true },
        { ...ROW, id: PART.id, isWhole: false },
      ],
      check: () => Promise.resolve([{ ...ROW, result: 'signed-out', says: 'Left: none.' }]),
    },
    fetch: async (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      if (!url.endsWith('/revoke')) return metadata(new URL(url).origin);
      const token = init?.body instanceof URLSearchParams ? (init.body.get('token') ?? '') : '';
      sent.push(token);
      return answer(token);
    },
  });
  await signing.handlers.saveProfile(null, draftOf(ISSUER), null);
  for (const user of ['u0', 'u1', 'u2'])
    await vault.update((cache) => cache.add(signInOf(ISSUER, user, user)));
});
afterEach(async () => {
  signing.stop();
  await vault.close();
});

const ids = (): Promise<string[]> => vault.read((cache) => [...cachedAccounts(cache).byId.keys()]);
const WISHES = { vault: true, revoke: true, endSession: false, places: [] as string[] };
const signOut = async (): Promise<SignOutReport> => signing.handlers.signOut(null, await ids(), WISHES);

describe('a provider that', () => {
  it.each<[string, () => Response]>([
    ['refuses the first token', () => json({ error: 'invalid_grant' }, 400)],
    ['refuses it without a code', () => new Response('No.', { status: 400 })],
  ])('%s gets the others', async (_what, refusal) => {
    answer = (token) => (token === 'refresh of u0' ? refusal() : new Response(null, { status: 200 }));
    const { revoked } = await signOut();
    expect(sent.toSorted()).toEqual(['refresh of u0', 'refresh of u1', 'refresh of u2']);
    expect(revoked).toMatchObject({ count: 2, pending: 0 });
    expect(revoked?.problem).not.toBeNull();
  });

  it.each<[string, () => Response | Promise<Response>]>([
    ['is in trouble', () => json({ error: 'temporarily_unavailable' }, 503)],
    ['can’t be reached', () => Promise.reject(new TypeError('fetch failed'))],
    ['does not know the app', () => json({ error: 'invalid_client' }, 401)],
    [
      'redirects',
      () => new Response(null, { status: 302, headers: { location: 'https://elsewhere.example' } }),
    ],
  ])('%s is not asked for each token', async (_what, failure) => {
    answer = failure;
    const { revoked } = await signOut();
    expect(sent).toHaveLength(1);
    expect(revoked?.count).toBe(0);
    expect(revoked?.problem).not.toBeNull();
  });
});

it('a row that is checked again while revocations are pending stays so, and they are counted', async () => {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  answer = async () => {
    await released;
    return new Response(null, { status: 200 });
  };
  const report = await signing.handlers.signOut(null, await ids(), { ...WISHES, places: ['first'] });
  expect(report).toMatchObject({ places: [{ result: 'still' }, LEFT, PART], revoked: { pending: 3 } });
  await signing.handlers.checkSignOut(null, report.id);
  const checked = { places: [{ result: 'signed-out', says: 'Left: none.' }, LEFT, PART] };
  expect(await signing.handlers.signOuts(null)).toMatchObject([{ ...checked, revoked: { pending: 3 } }]);
  release();
  await signing.idle();
  expect(await signing.handlers.signOuts(null)).toMatchObject([
    { ...checked, revoked: { count: 3, pending: 0, problem: null } },
  ]);
});

it('says of a place that an undo has put back that it is, although another failed', async () => {
  const report = await signing.handlers.signOut(null, await ids(), { ...WISHES, places: ['first'] });
  await expect(signing.handlers.undoSignOut(null, report.id)).rejects.toThrow('The first one is in use.');
  const [kept] = await signing.handlers.signOuts(null);
  expect(kept?.places.map(({ result, says }) => `${result}: ${says}`)).toEqual([
    'still: The file is in use.',
    'still: Undone: what was removed is back.',
    'still: The undo failed, and some of what was removed may not be back. Check again, or undo again.',
  ]);
});

/** Has the vault refuse changes from the sign-out of the other programs on. Returns what ends that. */
function full(): () => void {
  let isFull = false;
  const refusing = new Proxy(vault, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name);
      if (typeof found !== 'function') return found;
      return (...args: unknown[]): unknown =>
        isFull && (name === 'update' || name === 'erase')
          ? Promise.reject(new Error(LOCKED))
          : Reflect.apply(found, target, args);
    },
  });
  shown = own = () => Promise.resolve(refusing);
  elsewhere = () => (isFull = true);
  return () => (isFull = false);
}

it('a sign-out that failed is not carried out later, although the vault could not be told so', async () => {
  const before = await ids();
  const free = full();
  const wishes = { vault: true, revoke: false, endSession: false, places: ['first'] };
  await expect(
    (async () => signing.handlers.signOut(null, before.slice(0, 1), wishes))(),
  ).rejects.toMatchObject({
    code: 'sign_out_unsaved',
  });
  const wished = () =>
    vault.read((cache) => JSON.stringify(appData(cache, 'sign-outs')).includes('"wish":{'));
  expect(await wished()).toBe(true);
  free();
  signing.wake();
  await expect.poll(wished).toBe(false);
  expect(await ids()).toEqual(before);
  expect(await signing.handlers.signOuts(null)).toMatchObject([
    { receipts: [], places: [{ id: 'vault', result: 'still' }, { id: 'first' }, LEFT, PART] },
  ]);
});

it('nor by a run that is at another sign-out meanwhile', async () => {
  const [first = '', second = ''] = await ids();
  answer = () => json({ error: 'temporarily_unavailable' }, 503);
  await signing.handlers.signOut(null, [first], WISHES);
  let isAsked = false;
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  answer = async () => {
    isAsked = true;
    await released;
    return new Response(null, { status: 200 });
  };
  signing.wake();
  await expect.poll(() => isAsked).toBe(true);
  const free = full();
  const wishes = { vault: true, revoke: false, endSession: false, places: ['first'] };
  await expect((async () => signing.handlers.signOut(null, [second], wishes))()).rejects.toMatchObject({
    code: 'sign_out_unsaved',
  });
  free();
  release();
  await expect
    .poll(async () => (await signing.handlers.signOuts(null)).map(({ revoked }) => revoked?.count))
    .toContain(1);
  await signing.idle();
  expect(await ids()).toContain(second);
});

it('a sign-out of other programs alone is not said to be cut short, once the vault can be written again', async () => {
  const free = full();
  const [first = ''] = await ids();
  const wishes = { vault: false, revoke: false, endSession: false, places: ['first'] };
  const report = await signing.handlers.signOut(null, [first], wishes);
  expect(report.places).toMatchObject([{ result: 'still', says: 'The file is in use.' }, LEFT, PART]);
  const checked = await signing.handlers.checkSignOut(null, report.id);
  expect(checked.places).toMatchObject([{ result: 'signed-out' }, LEFT, PART]);
  const stored = async () => (await signing.handlers.signOuts(null))[0]?.places;
  expect(await stored()).toMatchObject([{ says: expect.stringContaining('closed before') as string }]);
  free();
  signing.wake();
  await expect.poll(stored).toEqual(checked.places);
});

it.each<[string, string, () => void]>([
  ['no browser opens', 'No browser', () => (openBrowser = () => Promise.reject(new Error(LOCKED)))],
  ['the provider is another one', 'not as', () => (metadata = () => new Response('<html></html>'))],
  ['it has a fault', 'status 500', () => (metadata = () => new Response('', { status: 500 }))],
])('what follows the removal does not say that nothing was changed: %s', async (_when, why, change) => {
  ahead = 11 * 60_000; // what is known of the provider is too old to be used
  change();
  const [first = ''] = await ids();
  const wishes = { ...WISHES, endSession: true };
  const { revoked, session } = await signing.handlers.signOut(null, [first], wishes);
  expect(session).toMatchObject({ opened: false });
  expect(session?.problem?.message).toContain(why);
  expect(session?.problem?.message).toContain('so its sign-out page is not open');
  for (const problem of [session?.problem, revoked?.problem])
    expect(problem?.message ?? '').not.toMatch(/Nothing was changed|unchanged|nothing was taken/);
});

it('nobody is signed in to the sample data, and none of its tokens is sent', async () => {
  const [{ id } = { id: '' }] = await signing.handlers.profiles(null);
  const [account = ''] = await ids();
  isDemo = true;
  expect(() => signing.handlers.signIn(null, id, 'browser', null)).toThrow('sample data');
  expect(await signing.handlers.signInProgress(null)).toEqual({ step: 'none' });
  const { refreshNow, refreshUnasked, setAutoRefresh, userInfo } = signing.handlers;
  for (const act of [
    () => refreshNow(null, account, null),
    () => refreshUnasked(null, account),
    () => setAutoRefresh(null, account, true),
    () => userInfo(null, account),
  ])
    await expect((async () => act())()).rejects.toThrow('sample data');
});

it('what could not be revoked is tried again, whatever the window shows then, and after a vault that could not be read', async () => {
  answer = () => json({ error: 'temporarily_unavailable' }, 503);
  expect((await signOut()).revoked).toMatchObject({ count: 0, pending: 3 });
  const longest = () => later.toSorted((a, b) => b.milliseconds - a.milliseconds)[0]!;
  shown = () => Promise.reject(new Error('The sample data is shown.'));
  own = () => Promise.reject(new Error(LOCKED));
  const { work } = longest();
  later = [];
  work();
  await expect.poll(() => later).toHaveLength(1); // the next try
  own = () => Promise.resolve(vault);
  answer = () => new Response(null, { status: 200 });
  later[0]!.work();
  shown = own;
  await expect
    .poll(async () => (await signing.handlers.signOuts(null)).at(0)?.revoked)
    .toMatchObject({
      count: 3,
      pending: 0,
    });
});

it('the work of the start is done at the next call if the vault could not be opened', async () => {
  own = () => Promise.reject(new Error(LOCKED));
  await expect(signing.start()).rejects.toThrow(LOCKED);
  const listens = vi.spyOn(vault, 'on');
  own = () => Promise.resolve(vault);
  await signing.start();
  expect(listens).toHaveBeenCalledTimes(1);
});

it('the consent to an issuer ends with the last profile that names it, also if that is changed', async () => {
  const [profile] = await signing.handlers.profiles(null);
  await signing.handlers.saveProfile(null, draftOf('https://two.example'), profile!.id);
  const account = (await ids())[0]!;
  await vault.update((cache) => cache.add(signInOf(ISSUER, 'u0', 'again')));
  const { problem } = await signing.handlers.refreshUnasked(null, account);
  expect(problem?.code).toBe('consent_unanswered');
});

it('a refresh that asks nobody does not say that it was not allowed', async () => {
  await vault.update((cache) => cache.add(signInOf('https://two.example', 'noor', 'noor')));
  const id = (await ids()).at(-1)!;
  const { problem } = await signing.handlers.refreshUnasked(null, id);
  expect(problem?.code).toBe('consent_unanswered');
  expect(sent).toEqual([]);
});
