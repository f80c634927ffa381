/**
 * SIGKILL at the steps of a sign-out, in a process with a real vault file and a key on the disk; then the next start, in another process.
 * The provider is asked whether the refresh token still works.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SignOutReport } from '../../../app/contract.ts';
import { DESKTOP_APP } from '../../../examples/provider/clients.ts';
import { type RunningProvider, startProvider } from '../../../examples/provider/provider.ts';
import { trustingFetch } from '../../../examples/provider/trusting-fetch.ts';
import { cachedAccounts } from '../../../src-main/ipc/index.ts';
import { keyFile } from '../../../src-main/keychain/index.ts';
import { bundle } from '../../support/bundle.ts';
import { EVERYTHING } from '../../support/everything.ts';
import { removePatiently } from '../../support/remove.ts';
import { CACHES } from './sign-out-steps.ts';
import { stage } from './stage.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** `npm test` kills at every fourth step, `npm run judges` at each. */
const STRIDE = EVERYTHING ? 1 : 4;

let provider: RunningProvider;
let program: string;
let folder: string;

beforeAll(async () => {
  folder = temporaryFolder();
  [provider, program] = await Promise.all([startProvider(), bundle('test/app/sign-in/killed-program.ts')]);
}, 60_000);
afterAll(async () => {
  await provider.stop();
  for (const path of [folder, dirname(program)]) removePatiently(path);
});

interface Ended {
  readonly out: string;
  readonly how: NodeJS.Signals | number | null;
}

function run(home: string, step: string, accountId = ''): Promise<Ended> {
  const words = [program, home, provider.issuer, provider.ca, step, accountId];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ out, how: signal ?? code }));
  });
}

/** Whether the provider still takes the refresh token. */
async function isTaken(refreshToken: string): Promise<boolean> {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: DESKTOP_APP.client_id,
    refresh_token: refreshToken,
  });
  const answer = await trustingFetch(provider.ca)(`${provider.issuer}/token`, { method: 'POST', body });
  if (!answer.ok) expect(await answer.json()).toMatchObject({ error: 'invalid_grant' });
  return answer.ok;
}

interface Found {
  readonly accounts: number;
  readonly reports: readonly SignOutReport[];
  readonly faults: readonly string[];
}

/** Signs in here, signs out in a process that is killed at a step, and starts in another one. @param step 0: it is not killed */
async function killedAt(step: number) {
  const home = mkdtempSync(join(folder, 'home-'));
  mkdirSync(join(home, 'caches'));
  for (const id of CACHES) writeFileSync(join(home, 'caches', id), 'noor');
  const first = await stage(provider, {}, {}, home, keyFile(join(home, 'key')));
  const done = await first.go();
  if (done.step !== 'done' || done.accountId === null) throw new Error(JSON.stringify(done));
  const tokens = await first.vault.read((cache) =>
    [...cachedAccounts(cache).byId.values()].flatMap(({ refreshTokens }) =>
      refreshTokens.map(({ secret }) => secret),
    ),
  );
  await first.close();
  const { out, how } = await run(home, String(step), done.accountId);
  expect(how, out).toBe(step === 0 ? 0 : 'SIGKILL');

  const next = await run(home, 'start');
  expect(next.how, next.out).toBe(0);
  expect(tokens).toHaveLength(1);
  return {
    ...(JSON.parse(next.out) as Found),
    steps: out.trim().split('\n'),
    opened: existsSync(join(home, 'opened'))
      ? readFileSync(join(home, 'opened'), 'utf8').split('\n').length - 1
      : 0,
    left: readdirSync(join(home, 'caches')),
    isRefreshTokenTaken: await isTaken(tokens[0] ?? ''),
  };
}

it(
  'does all of a sign-out or nothing, and its receipt is true, at whatever step the app is killed',
  async () => {
    const whole = await killedAt(0);
    for (const name of [
      'the write of the vault (update)',
      'the removal from the first cache',
      'the removal from the second cache',
      'the write of the vault (erase)',
      'the call of /token/revocation',
      'the browser',
    ])
      expect(whole.steps).toEqual(expect.arrayContaining([`before ${name}`, `after ${name}`]));

    expect(whole).toMatchObject({ accounts: 0, isRefreshTokenTaken: false, opened: 1, left: [] });
    expect(whole.reports).toMatchObject([
      {
        revoked: { count: 1, pending: 0, problem: null },
        places: [{ result: 'signed-out' }, { result: 'signed-out' }],
        session: { opened: true, problem: null },
      },
    ]);

    const told: boolean[] = [];
    const check = async (step: number): Promise<void> => {
      const { accounts, reports, faults, steps, opened, left, isRefreshTokenTaken } = await killedAt(step);
      const at = `killed at step ${step}: ${steps.at(-1)}`;
      expect(faults, at).toEqual([]);
      const [report] = reports;
      told[step] = report !== undefined;
      if (report === undefined) {
        expect({ at, accounts, isRefreshTokenTaken, opened, left }).toEqual({
          ...{ at, accounts: 1, isRefreshTokenTaken: true, opened: 0, left: CACHES },
        });
        return;
      }
      expect({ at, reports: reports.length, accounts, isRefreshTokenTaken }).toEqual({
        ...{ at, reports: 1, accounts: 0, isRefreshTokenTaken: false },
      });
      expect(report.revoked, at).toEqual({ count: 1, pending: 0, problem: null });
      expect(report.receipts, at).toMatchObject([
        { account: 'noor@contoso.example', removed: { RefreshToken: 1 }, remaining: 0 },
      ]);
      expect(report.places.map(({ name }) => name).sort(), at).toEqual(CACHES);
      for (const { name, result, says } of report.places) {
        if (result === 'signed-out') expect(left, at).not.toContain(name);
        else expect(says, at).toMatch(/^Tokenkeep was closed before this was done/);
      }
      if (report.session?.problem === null) expect(opened, at).toBe(1);
      else
        expect(report.session, at).toMatchObject({
          opened: false,
          problem: { code: 'sign_out_interrupted' },
        });
    };
    // Three at a time. The order of steps at the provider and in the browser may differ between runs; their number doesn't.
    const waiting = whole.steps.map((_, index) => index + 1).filter((step) => step % STRIDE === 1 % STRIDE);
    const worker = async (): Promise<void> => {
      for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) await check(step);
    };
    const ended = await Promise.allSettled([worker(), worker(), worker()]);
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    // Until something was done, nothing is there; from then on, everything is.
    const [, ...isTold] = told;
    expect(isTold[0]).toBe(false);
    expect(isTold.lastIndexOf(false)).toBeLessThan(isTold.indexOf(true));
  },
  EVERYTHING ? 600_000 : 120_000,
);
