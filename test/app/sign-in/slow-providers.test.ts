// Not in npm run check: it waits for providers that do not answer.
/** A sign-out waits only a short time for providers; unanswered requests are pending, and completed later. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SignOutReport } from '../../../app/contract.ts';
import { type SignIn, signIn } from '../../../app/sign-in/sign-in.ts';
import { memoryKeychain, openVault, type Vault } from '../../../src-main/index.ts';
import { cachedAccounts } from '../../../src-main/ipc/index.ts';
import { draftOf, json, metadataOf, quietEmit, quietPorts, signInOf } from './fake-issuer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** The app's milliseconds in one of the test's; the fewer, the longer a provider that answers may take on a busy machine. */
let faster: number;
/** How long the app waits for the user's answer to a question; in the test, three seconds. */
const ANSWERING = 60_000;
/** Milliseconds. */
const DAY = 86_400_000;
/** The longest that a sign-out may wait for all providers together. */
const BOUND = 8000;

let folder: string;
let keychain: ReturnType<typeof memoryKeychain>;
let vault: Vault;
let signing: SignIn<null>;
/** The paths of requests that are held, each with what lets it go. */
let held: Map<string, () => void>;
let isHeld: (url: string) => boolean;
let revoked: string[];
let opened: string[];
let confirm: (signal: AbortSignal | undefined) => Promise<boolean>;
/** How often it was told that a sign-out has come further. */
let told: number;
/** Milliseconds by which the app's clock is ahead. */
let ahead: number;
let faults: unknown[];
/** Those that have neither run nor been cancelled. */
let timers: Set<NodeJS.Timeout>;

/** The network fails when a token is revoked. */
function noAnswer(url: string): boolean {
  if (url.endsWith('/revoke')) throw new TypeError('fetch failed');
  return false;
}

async function answer(url: string, body: unknown): Promise<Response> {
  if (isHeld(url)) await new Promise<void>((resolve) => held.set(url, resolve));
  if (url.endsWith('/revoke')) {
    revoked.push(body instanceof URLSearchParams ? (body.get('token') ?? '') : '');
    return new Response(null, { status: 200 });
  }
  return json(metadataOf(url.replace('/.well-known/openid-configuration', '')));
}

async function start(): Promise<void> {
  vault = await openVault({ file: join(folder, 'vault'), keychain });
  signing = signIn<null>({
    ...quietPorts(folder, () => vault),
    openBrowser: (url) => Promise.resolve(void opened.push(url)),
    confirm: (_caller, _question, { signal }) => confirm(signal),
    now: () => Date.now() + ahead,
    after(milliseconds, work) {
      const run = (): void => {
        timers.delete(timer);
        work();
      };
      const timer = setTimeout(run, milliseconds === ANSWERING ? 3000 : milliseconds / faster);
      timers.add(timer);
      return () => {
        timers.delete(timer);
        clearTimeout(timer);
      };
    },
    emit: { ...quietEmit, signOuts: () => void (told += 1) },
    onUnexpected: (error) => void faults.push(error),
    fetch: (input, init) => answer(input instanceof Request ? input.url : String(input), init?.body),
  });
}

beforeEach(async () => {
  folder = temporaryFolder();
  keychain = memoryKeychain();
  [held, revoked, opened, told, ahead, faults] = [new Map(), [], [], 0, 0, []];
  [faster, timers] = [5, new Set()];
  isHeld = () => false;
  confirm = () => Promise.resolve(true);
  await start();
});
afterEach(async () => {
  signing.stop();
  await vault.close();
  expect(faults).toEqual([]);
});

/** Users `u0`, `u1` and so on, each at the issuer that the function names, which the user has allowed. */
async function addUsers(count: number, issuerOf: (index: number) => string, allowed = true): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const issuer = issuerOf(index);
    if (allowed) await signing.handlers.saveProfile(null, draftOf(issuer), null);
    await vault.update((cache) => cache.add(signInOf(issuer, `u${index}`, `u${index}`)));
  }
  ahead += 11 * 60_000; // what is known of the providers is too old to be used
}

const ONE = 'https://one.example';
const each = (index: number): string => `https://sso${index}.example`;

/** Signs everyone out; fails where that takes longer than the bound and what the vault needs. */
async function signOutAll(endSession = false): Promise<SignOutReport> {
  const began = performance.now();
  const report = await signing.handlers.signOut(null, null, {
    vault: true,
    revoke: true,
    endSession,
    places: [],
  });
  expect(performance.now() - began).toBeLessThan(BOUND / faster + 5000);
  expect(await vault.read((cache) => cache.accounts())).toEqual([]);
  return report;
}
const kept = async (): Promise<SignOutReport[]> => [...(await signing.handlers.signOuts(null))];
const PENDING = { code: 'provider_unreachable', message: expect.stringContaining('tries again') as string };

describe('a provider that never answers', () => {
  it.each(['/revoke', '/openid-configuration'])(
    'at %s: the receipt comes in time and tells what is pending, and the next start completes it',
    async (path) => {
      await addUsers(1, () => ONE);
      isHeld = (url) => url.endsWith(path);
      const report = await signOutAll();
      expect(report).toMatchObject({
        receipts: [{ remaining: 0 }],
        revoked: { count: 0, pending: 1, problem: PENDING },
      });
      expect(await kept()).toEqual([report]);
      signing.stop();
      await vault.close();

      isHeld = () => false;
      await start();
      await signing.start();
      await expect.poll(() => revoked).toEqual(['refresh of u0']);
      await signing.idle();
      expect(await kept()).toMatchObject([
        { id: report.id, revoked: { count: 1, pending: 0, problem: null } },
      ]);
    },
  );

  it('is given up after 90 days and seven more tries on days of their own: the clock may be wrong once', async () => {
    await addUsers(1, () => ONE);
    isHeld = noAnswer;
    await signOutAll();
    /** Starts twice a day, and returns what was pending after each day. */
    const days = async (count: number): Promise<unknown[]> => {
      const pending: unknown[] = [];
      for (let day = 0; day < count; day += 1) {
        ahead += DAY;
        for (let again = 0; again < 2; again += 1) {
          signing.stop();
          await vault.close();
          await start();
          await signing.start();
          await signing.idle();
        }
        pending.push((await kept())[0]?.revoked?.pending);
      }
      return pending;
    };
    expect(await days(7)).toEqual([1, 1, 1, 1, 1, 1, 1]); // offline for a week
    ahead += 100 * DAY;
    expect(await days(1)).toEqual([1]); // the clock is wrong
    ahead -= 100 * DAY;
    expect(await days(1)).toEqual([1]);
    ahead += 100 * DAY;
    expect(await days(6)).toEqual([1, 1, 1, 1, 1, undefined]); // a receipt that old is not kept for itself
  });

  it('does not keep the app from quitting', async () => {
    await addUsers(1, () => ONE);
    isHeld = (url) => url.endsWith('/revoke');
    await signOutAll();
    signing.stop();
    const began = performance.now();
    await signing.idle(); // although the provider has still not answered
    expect(performance.now() - began).toBeLessThan(BOUND / faster + 5000);
    expect([held.size, timers.size]).toEqual([1, 0]);
  });

  it('is not tried again when the app quits', async () => {
    await addUsers(1, () => ONE);
    isHeld = noAnswer;
    await signOutAll();
    expect(timers.size).toBe(1); // until the next try
    signing.stop();
    expect(timers.size).toBe(0);
  });

  it('has no sign-out page opened after the receipt', async () => {
    await addUsers(1, () => ONE);
    isHeld = () => true;
    const { session } = await signOutAll(true);
    expect(session).toMatchObject({ opened: false, problem: { code: 'provider_unreachable' } });
    isHeld = () => false;
    for (const release of held.values()) release();
    await expect.poll(() => revoked).toEqual(['refresh of u0']);
    expect(opened).toEqual([]);
  });
});

describe('nine users', () => {
  it('of nine providers are revoked in parallel, and the receipt names those that answered', async () => {
    faster = 3;
    await addUsers(9, each);
    isHeld = (url) => !url.startsWith(each(8));
    expect((await signOutAll()).revoked).toMatchObject({ count: 1, pending: 8, problem: PENDING });
    expect(revoked).toEqual(['refresh of u8']);
  });

  it('of one provider that never answers are waited for once', async () => {
    await addUsers(9, () => ONE);
    let asked = 0;
    isHeld = (url) => {
      asked += 1;
      return url.endsWith('/revoke');
    };
    expect((await signOutAll()).revoked).toMatchObject({ count: 0, pending: 9 });
    expect(asked).toBe(2);
  });

  it('are all revoked if their provider answers', async () => {
    faster = 1;
    await addUsers(9, () => ONE);
    expect((await signOutAll()).revoked).toMatchObject({ count: 9, pending: 0, problem: null });
    expect(new Set(revoked).size).toBe(9);
  });
});

it('keeps an answer that comes after the receipt, tells the window, and sends nothing twice', async () => {
  faster = 3;
  await addUsers(2, each);
  isHeld = (url) => url === `${each(0)}/revoke`;
  expect((await signOutAll()).revoked).toMatchObject({ count: 1, pending: 1 });
  signing.wake(); // the computer is online again while the answer is still awaited
  await vault.read(() => undefined);
  held.get(`${each(0)}/revoke`)?.();
  await expect.poll(() => told).toBeGreaterThan(0);
  expect(await kept()).toMatchObject([{ revoked: { count: 2, pending: 0, problem: null } }]);
  expect(revoked.toSorted()).toEqual(['refresh of u0', 'refresh of u1']);
});

it('does not hurry the user who is asked about a provider, and asks one question at a time', async () => {
  faster = 3;
  await addUsers(3, each, false);
  let open = 0;
  let most = 0;
  confirm = async () => {
    open += 1;
    most = Math.max(most, open);
    await new Promise((resolve) => setTimeout(resolve, (BOUND / 2 / faster) * 1.2));
    open -= 1;
    return true;
  };
  const report = await signing.handlers.signOut(null, null, {
    vault: true,
    revoke: true,
    endSession: false,
    places: [],
  });
  expect(most).toBe(1);
  expect(report.revoked).toMatchObject({ count: 3, pending: 0, problem: null });
});

it('goes on without a user who does not answer: the accounts are removed, and the dialog is closed', async () => {
  await addUsers(2, each, false);
  const closed: boolean[] = [];
  confirm = (signal) =>
    new Promise((resolve) => {
      signal?.addEventListener('abort', () => {
        closed.push(true);
        resolve(false);
      });
    });
  const report = await signing.handlers.signOut(null, null, {
    vault: true,
    revoke: true,
    endSession: false,
    places: [],
  });
  expect(closed).toEqual([true]); // one question, not one after the other
  expect(await vault.read((cache) => cache.accounts())).toEqual([]);
  expect(report.revoked).toMatchObject({ count: 0, problem: { code: 'consent_unanswered' } });
  expect(revoked).toEqual([]);
});

it('does not change an account in the vault or at its provider if that was not chosen', async () => {
  await addUsers(3, (index) => `https://id${index}.example`);
  const ids = await vault.read((cache) => [...cachedAccounts(cache).byId.values()].map(({ id }) => id));
  const report = await signing.handlers.signOut(null, ids, {
    vault: true,
    revoke: true,
    endSession: false,
    places: [],
    except: [
      { accountId: ids[0]!, place: 'vault' },
      { accountId: ids[1]!, place: 'provider' },
    ],
  });
  expect(report.receipts).toHaveLength(2);
  expect(report.revoked).toMatchObject({ count: 1, problem: null });
  expect(revoked).toHaveLength(1);
  expect(report.places).toMatchObject([
    { name: 'This vault', result: 'still', says: expect.stringContaining('Not chosen') as string },
  ]);
  expect(await vault.read((cache) => [...cachedAccounts(cache).byId.keys()])).toEqual([ids[0]]);
});
