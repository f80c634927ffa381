/** Conformance cases 19 and 20: a document goes through a vault into another process, and to the real libraries there. */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { openVault } from '../../src-main/index.ts';
import { merge } from '../../src-main/cache/index.ts';
import { bundle } from '../support/bundle.ts';
import { FolderKeychain } from '../torture/folder-keychain.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { APPS } from '../vectors/make/stage.mjs';
import { type Case, cacheOf, home, judged, type Dialect, READ_USER, served, trial, vector } from './cases.ts';
import type { Judge } from './judges.ts';

const { desk } = APPS;
const TENANT = home.split('.')[1]!;

/** What another process finds in a vault in which this one has saved a document; undefined: none was saved. */
async function inAnotherProcess(text?: string): Promise<Record<Dialect, string>> {
  const file = join(temporaryFolder(), 'cache.vault');
  const keys = temporaryFolder();
  if (text !== undefined) {
    const vault = await openVault({ file, keychain: new FolderKeychain(keys) });
    await vault.update((cache) => merge(cache, cacheOf(text)));
    await vault.close();
  }
  const { stdout } = await promisify(execFile)(process.execPath, [program, file, keys]);
  const said: Record<Dialect, string> = JSON.parse(stdout);
  return said;
}

const program = await bundle(join(import.meta.dirname, 'program.ts'));
afterAll(() => rmSync(dirname(program), { recursive: true, force: true }));

const saved = await Promise.all(
  ['msal-python', 'msal-python-1.32', 'msal-node-2', 'msal-node-5', 'msal-node-7'].map(async (source) => {
    const text = vector(`${source}-kitchen-sink`);
    return { source, text, there: await inAnotherProcess(text) };
  }),
);

describe('19: saved, then loaded in another process', () => {
  it.each(saved)('$source: all of it is there', ({ text, there }) => {
    const own = cacheOf(text);
    for (const dialect of ['msal-python', 'msal-node', 'msal-node-3'] as const) {
      const [here, other]: object[] = [own.serialize({ dialect }), there[dialect]].map((one) =>
        JSON.parse(one),
      );
      expect(isDeepStrictEqual(other, here), `the same in the dialect ${dialect}`).toBe(true);
    }
  });

  it('before anything was saved: an empty cache', async () => {
    const there = await inAnotherProcess();
    const roots: Record<string, object> = JSON.parse(there['msal-node']);
    expect(Object.values(roots).flatMap((root) => Object.keys(root))).toEqual([]);
  });
});

function case20(judge: Judge): Case[] {
  return saved.map(({ source, text, there }) => {
    const query = { home_account_id: home, realm: TENANT, client_id: desk.client_id };
    const before = cacheOf(text);
    const [access] = before.find('AccessToken', { target: [READ_USER], query });
    // Of an app that MSAL Node has not described, MSAL Python tries the family's refresh token first.
    const refresh = before
      .find('RefreshToken', { query: { home_account_id: home } })
      .filter(({ client_id, family_id }) => client_id === desk.client_id || family_id === '1');
    return {
      name: `20: a second app with the vault uses the token that ${source} got`,
      trial: trial(there[judge.dialect]),
      comesTo: (verdict) => {
        served(verdict, { cached: access!.secret });
        expect(refresh.some(({ secret }) => secret === verdict.redeemed)).toBe(true);
      },
    };
  });
}

judged([case20]);
