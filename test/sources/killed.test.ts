/** SIGKILL at each step of a sign-out at a source. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { findSources } from '../../src-main/sources/find.ts';
import { removeLeftovers } from '../../src-main/sources/program-lock.ts';
import { readSource } from '../../src-main/sources/read.ts';
import { signOutAtSource } from '../../src-main/sources/sign-out.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';
import { bundle } from '../support/bundle.ts';

const [ADA, BEN] = ['ada@example.org', 'ben@example.org'];
let program: string;
let folder: string;

beforeAll(async () => {
  program = await bundle('test/sources/killed-program.ts');
  folder = mkdtempSync(join(tmpdir(), 'tokenkeep-killed-'));
}, 60_000);
afterAll(() => {
  for (const path of [folder, dirname(program)]) rmSync(path, { recursive: true, force: true });
});

const documentOf = (...names: string[]): string => {
  const cache = new SerializableTokenCache();
  for (const username of names) cache.add(tokenResponse({ username }));
  return cache.serialize({ dialect: 'msal-python' });
};
const profileOf = (...names: string[]): string =>
  JSON.stringify({
    subscriptions: names.map((name) => ({ id: name, user: { name }, isDefault: name === names[0] })),
  });
/** The entries of one account in a document, as it has them. */
const entriesOf = (text: string, name: string): unknown => {
  const all = JSON.parse(text) as Record<string, Record<string, { home_account_id: string }>>;
  const id = Object.values(all['Account'] ?? {}).find((one) =>
    JSON.stringify(one).includes(name),
  )?.home_account_id;
  return Object.values(all).flatMap((root) =>
    Object.entries(root).filter(([, one]) => one.home_account_id === id),
  );
};

interface Killed {
  readonly home: string;
  readonly steps: string[];
  readonly signal: NodeJS.Signals | null;
}

/** @param step 0: to its end */
async function killedAt(step: number): Promise<Killed> {
  const home = mkdtempSync(join(folder, 'home-'));
  mkdirSync(join(home, '.azure'));
  writeFileSync(join(home, '.azure/msal_token_cache.json'), documentOf(ADA, BEN), { mode: 0o600 });
  writeFileSync(join(home, '.azure/azureProfile.json'), profileOf(ADA, BEN));
  const child = spawn(process.execPath, [program, home, ADA, String(step)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const signal = await new Promise<NodeJS.Signals | null>((resolve) =>
    child.on('close', (_, by) => resolve(by)),
  );
  return { home, steps: out.trim().split('\n'), signal };
}

it('loses nothing of anyone, keeps the document whole, and is completed by the next run', async () => {
  const whole = await killedAt(0);
  expect(whole.signal).toBeNull();
  // Creation, mode, contents, flush, lock, name, link, list of subscriptions, time, rename, removal of the lock.
  for (const name of [
    'create',
    'chmod',
    'write document',
    'sync',
    'flock',
    'write lock',
    'link',
    'utimes',
    'rename',
    'unlink',
  ])
    expect(whole.steps).toContain(name);
  // A running program checks the time, which is set before the document is replaced.
  for (const [index, name] of whole.steps.entries())
    if (name === 'rename') expect(whole.steps[index - 1]).toBe('utimes');
  const before = documentOf(ADA, BEN);
  const left = { document: 0, account: 0 };
  const check = async (step: number): Promise<void> => {
    const { home, signal, steps } = await killedAt(step);
    const at = `killed at step ${step}: ${steps.at(-1)}`;
    expect(signal, at).toBe('SIGKILL');
    const file = join(home, '.azure/msal_token_cache.json');
    const text = readFileSync(file, 'utf8');
    expect(entriesOf(text, BEN), at).toHaveLength(4);
    expect(statSync(file).mode & 0o777, at).toBe(0o600);
    const isOut = !text.includes(ADA);
    if (isOut) {
      left.account += 1;
    } else {
      left.document += 1;
      expect(Object.keys(JSON.parse(text) as object), at).toEqual(Object.keys(JSON.parse(before) as object));
      expect(entriesOf(text, ADA), at).toHaveLength(4);
    }
    const profile = readFileSync(join(home, '.azure/azureProfile.json'), 'utf8');
    expect(profile, at).toContain(BEN);
    // If the account was removed, it was removed from the list as well, because later sign-outs would not look for it there.
    if (isOut) expect(profile, at).not.toContain(ADA);

    const found = await findSources({ home, platform: 'linux', env: {} });
    await removeLeftovers(found);
    const source = found.find(({ program: id }) => id === 'azure-cli')!;
    const { accounts, state } = await readSource(source);
    expect(state, at).toBe('accounts');
    const ada = accounts.find(({ username }) => username === ADA);
    expect(ada === undefined, at).toBe(isOut);
    // A leftover lock is not waited for.
    if (ada !== undefined)
      expect((await signOutAtSource(source, ada, { deadline: 5000 })).remaining, at).toBe(0);
    expect(readdirSync(join(home, '.azure')).sort(), at).toEqual([
      'azureProfile.json',
      'msal_token_cache.json',
    ]);
    expect(readFileSync(file, 'utf8'), at).not.toContain(ADA);
    expect(entriesOf(readFileSync(file, 'utf8'), BEN), at).toHaveLength(4);
    expect(readFileSync(join(home, '.azure/azureProfile.json'), 'utf8'), at).toBe(profileOf(BEN));
    rmSync(home, { recursive: true });
  };
  for (let step = 1; step <= whole.steps.length; step += 2)
    await Promise.all([step, step + 1].filter((one) => one <= whole.steps.length).map(check));
  expect(left.document).toBeGreaterThan(5);
  expect(left.account).toBeGreaterThan(1);
}, 120_000);
