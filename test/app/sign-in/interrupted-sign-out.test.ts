/**
 * [Note: a sign-out can't be cut in half] The app ends at every step of a sign-out: before and after each write to the vault, each removal
 * from another program's cache, each call to the provider and the browser. After the next start, the sign-out is complete, or the user is
 * told what is not.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SignOutReport, SignOutWishes } from '../../../app/contract.ts';
import { type RunningProvider, startProvider } from '../../../examples/provider/provider.ts';
import { trustingFetch } from '../../../examples/provider/trusting-fetch.ts';
import { CACHES, otherPrograms, stepping } from './sign-out-steps.ts';
import { stage } from './stage.ts';

let provider: RunningProvider;

beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider.stop());

/** Milliseconds; a sign-in for each step, on a machine that may be busy. */
const LONGEST = 120_000;
const NEVER = new Promise<never>(() => undefined);

/** Counts steps, and never continues after one of them. */
function ending(at: number) {
  const passed: string[] = [];
  let end = (): void => undefined;
  const ended = new Promise<'ended'>((resolve) => (end = () => resolve('ended')));
  let isOn = false;
  return {
    passed,
    ended,
    begin: () => (isOn = true),
    async around<T>(name: string, work: () => T | Promise<T>): Promise<T> {
      await this.step(`before ${name}`);
      const result = await work();
      await this.step(`after ${name}`);
      return result;
    },
    async step(name: string): Promise<void> {
      if (!isOn) return;
      passed.push(name);
      if (passed.length <= at) return;
      end();
      await NEVER;
    },
  };
}

interface Outcome {
  step: string;
  accounts: number;
  revoked: number;
  opened: number;
  left: readonly string[];
  reports: readonly SignOutReport[];
}

/** Signs in, signs out until the app ends at a step, and starts it again. undefined: the sign-out had no such step. */
async function endedAt(at: number, chosen: Partial<SignOutWishes>): Promise<Outcome | undefined> {
  const steps = ending(at);
  const trusting = trustingFetch(provider.ca);
  const left = new Set(CACHES);
  let [revoked, opened] = [0, 0];
  const fetch: typeof trusting = (input, init) => {
    const { pathname } = new URL(new Request(input).url);
    return steps.around(`the call of ${pathname}`, async () => {
      const answer = await trusting(input, init);
      if (pathname.endsWith('/revocation') && answer.ok) revoked++;
      return answer;
    });
  };
  const first = await stage(
    provider,
    {},
    {
      fetch,
      sources: otherPrograms(left, steps),
      vault: () => Promise.resolve(stepping(first.vault, steps)),
      openBrowser(url) {
        if (url.includes('id_token_hint')) return steps.around('the browser', () => void opened++);
        first.opened.push(url);
        first.arrived.push(first.browser.visit(url, { user: 'noor' }));
        return Promise.resolve();
      },
    },
  );
  const done = await first.go();
  if (done.step !== 'done' || done.accountId === null) throw new Error(JSON.stringify(done));
  steps.begin();
  const wishes = { vault: true, revoke: true, endSession: true, places: CACHES, ...chosen };
  const signedOut = first.signing.handlers.signOut(null, [done.accountId], wishes);
  const how = await Promise.race([steps.ended, Promise.resolve(signedOut).then(() => 'done')]);
  await first.close();
  if (how === 'done') return undefined;

  const second = await stage(
    provider,
    {},
    {
      fetch: async (input, init) => {
        const answer = await trusting(input, init);
        if (new Request(input).url.endsWith('/revocation') && answer.ok) revoked++;
        return answer;
      },
      openBrowser: () => Promise.reject(new Error('No page is opened at a start.')),
    },
    first.folder,
  );
  await second.signing.start();
  await second.signing.idle();
  const accounts = await second.vault.read((cache) => cache.accounts().length);
  const reports = await second.signing.handlers.signOuts(null);
  const faults = [...first.faults, ...second.faults];
  await second.close();
  expect(faults).toEqual([]);
  return { step: steps.passed[at] ?? '', accounts, revoked, opened, left: [...left], reports };
}

/** @param steps at least one more than it has: the last one must be undefined */
async function allOutcomes(chosen: Partial<SignOutWishes>, steps: number): Promise<Outcome[]> {
  const all = await Promise.all(Array.from({ length: steps }, (_, at) => endedAt(at, chosen)));
  expect(all.at(-1)).toBe(undefined);
  return all.filter((outcome) => outcome !== undefined);
}

it('completes what it began or reports it, at whatever step the app ends', { timeout: LONGEST }, async () => {
  const outcomes = await allOutcomes({}, 18);
  expect(outcomes.map(({ step }) => step)).toEqual(
    expect.arrayContaining([
      'before the write of the vault (update)',
      'before the removal from the first cache',
      'after the removal from the second cache',
      'before the write of the vault (erase)',
      'after the write of the vault (erase)',
      'before the call of /token/revocation',
      'after the call of /token/revocation',
      'before the browser',
      'after the browser',
    ]),
  );
  for (const { step, accounts, revoked, opened, left, reports } of outcomes) {
    const [report] = reports;
    if (report === undefined) {
      // Nothing was done, and nothing is half done.
      expect({ step, accounts, revoked, opened, left }).toEqual({
        ...{ step, accounts: 1, revoked: 0, opened: 0, left: CACHES },
      });
      continue;
    }
    expect({ step, reports: reports.length, accounts }).toEqual({ step, reports: 1, accounts: 0 });
    expect({ step, revoked: revoked > 0, told: report.revoked }).toEqual({
      ...{ step, revoked: true },
      told: { count: 1, pending: 0, problem: null },
    });
    expect({ step, receipts: report.receipts }).toMatchObject({
      receipts: [{ account: 'noor@contoso.example', removed: { RefreshToken: 1 }, remaining: 0 }],
    });
    // Signed out is said only where it is so; a page is said to be open only if it was opened.
    for (const { name, result, says } of report.places) {
      if (result === 'signed-out') expect(left, step).not.toContain(name);
      else expect(says, step).toMatch(/^Tokenkeep was closed before this was done/);
    }
    expect(report.places.map(({ name }) => name).sort(), step).toEqual(CACHES);
    if (report.session?.problem === null) expect(opened, step).toBe(1);
    else
      expect(report.session, step).toMatchObject({
        opened: false,
        problem: { code: 'sign_out_interrupted' },
      });
  }
  // Until something was done, nothing is there; from then on, everything is.
  const isTold = outcomes.map(({ reports }) => reports.length > 0);
  expect(isTold[0]).toBe(false);
  expect(isTold.lastIndexOf(false)).toBeLessThan(isTold.indexOf(true));
});

it('reports what it began at other programs if the vault was not chosen', {
  timeout: LONGEST,
}, async () => {
  const outcomes = await allOutcomes({ vault: false, revoke: false, endSession: false }, 10);
  expect(outcomes.length).toBeGreaterThan(5);
  for (const { step, accounts, left, reports } of outcomes) {
    expect({ step, accounts }).toEqual({ step, accounts: 1 });
    if (reports.length === 0) expect(left, step).toEqual(CACHES);
    for (const { name, result } of reports[0]?.places ?? [])
      if (result === 'signed-out') expect(left, step).not.toContain(name);
  }
  const told = outcomes.flatMap(({ reports }) => reports[0]?.places.map(({ result }) => result) ?? []);
  expect(told).toContain('signed-out');
});
