/** MSAL Python's applications over Tokenkeep's cache do what they do over their own, at every kind of authority. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../support/bundle.ts';
import { MSAL_PYTHON, withoutPython } from './judges.ts';

type Steps = Record<string, unknown>;

const folder = join(import.meta.dirname, 'python-client');
const KINDS = [
  'tenant',
  'common',
  'organizations',
  'family',
  'alias',
  'government',
  'adfs',
  'b2c',
  'ciam',
  'generic',
];

describe.skipIf(withoutPython)('MSAL Python over Tokenkeep', () => {
  let said: Record<string, { own: Steps; tokenkeep: Steps }>;
  let program: string;

  beforeAll(async () => {
    program = await bundle(join(folder, 'cache-server.ts'));
    const { stdout, stderr, status } = spawnSync(
      MSAL_PYTHON.command[0],
      [join(folder, 'client.py'), process.execPath, program],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`MSAL Python failed: ${stderr}`);
    said = JSON.parse(stdout) as typeof said;
  }, 60_000);
  afterAll(() => rmSync(dirname(program), { recursive: true, force: true }));

  it.each(KINDS)('%s: signs in, lists, gets a token silently, refreshes, starts again, signs out', (kind) => {
    const { own, tokenkeep } = said[kind]!;
    expect(own['error']).toBeUndefined();
    // Its own cache keeps the token whose scopes are more, and finds it first; Tokenkeep replaces it. See docs/msal.md.
    expect(own['silent after']).toBe('token 1');
    expect(tokenkeep).toEqual({ ...own, 'silent after': 'token 2' });
    expect(own['list']).toHaveLength(1);
    expect(own['left']).toEqual([0, 0, 0]);
    expect(own['list after']).toBe(0);
  });
});
