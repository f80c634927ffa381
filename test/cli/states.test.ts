// Not in npm run check: it opens a vault for each verb in each state.
/** Each verb in each state of the vault: its exit code, and a message with a remedy. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clock, moment } from '../../src-main/cli/text.ts';
import { exitCodeOf, verified } from '../../src-main/cli/vault.ts';
import { EXIT, type World } from '../../src-main/cli/world.ts';
import { StorageError, VaultError } from '../../src-main/errors.ts';
import { testVault, tokenResponse } from '../../src-main/testing/index.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import type { VaultReport, VaultState } from '../../src-main/vault/state.ts';
import { command } from './command.ts';

const { scope, client_id } = tokenResponse();
const VERBS: Readonly<Record<string, readonly string[]>> = {
  list: ['list'],
  show: ['show', 'ada@example.org'],
  get: ['get', '--account', 'ada@example.org', '--client', client_id, '--scope', String(scope)],
  credential: [
    'credential',
    'get',
    '--account',
    'ada@example.org',
    '--client',
    client_id,
    '--scope',
    String(scope),
  ],
  signout: ['signout', 'ada@example.org', '--yes'],
  doctor: ['doctor'],
  export: ['export', 'copy.age', '--passphrase-stdin'],
  verify: ['verify'],
  sources: ['sources'],
  decode: ['decode', 'opaque'],
};

const refused = (code: number): Readonly<Record<string, number>> => ({
  ...Object.fromEntries(Object.keys(VERBS).map((verb) => [verb, code])),
  sources: EXIT.ok, // shows the state in its table
  decode: EXIT.ok, // needs no vault
});
const EXPECTED: Partial<Record<VaultState, Readonly<Record<string, number>>>> = {
  ready: refused(EXIT.ok),
  locked: refused(EXIT.locked),
  'no-keychain': refused(EXIT.noKeychain),
  'key-missing': refused(EXIT.keyMissing),
  'wrong-key': refused(EXIT.wrongKey),
  newer: refused(EXIT.newer),
};

describe.each(Object.entries(EXPECTED))('a vault that is %s', (state, expected) => {
  it.each(Object.entries(VERBS))('%s', async (verb, words) => {
    const { file, keychain, clock, vault, dispose } = await testVault({ state: state as VaultState });
    try {
      await vault.close();
      const home = join(file, '..');
      const stdin =
        verb === 'export' ? 'seven-warm-lanterns-drift-north\n' : 'protocol=https\nhost=x.example\n';
      const own =
        verb === 'decode'
          ? words
          : [...words.map((word) => (word === 'copy.age' ? join(home, word) : word)), '--vault', file];
      const ran = await command({ home, keychain }, own, { stdin, now: () => clock.now() });
      expect(ran, ran.err).toMatchObject({ code: expected[verb] });
      if (expected[verb] !== EXIT.ok) {
        expect(ran.out).toBe('');
        expect(ran.err).toMatch(/^tokenkeep: \S.+\.\n/);
      }
    } finally {
      await dispose();
    }
  });
});

it.each(Object.entries(VERBS))('%s prints no secret to a terminal', async (verb, words) => {
  const secrets = ['at-secret', 'rt-secret'] as const;
  const { file, keychain, clock, vault, dispose } = await testVault({});
  try {
    await vault.update((cache) =>
      cache.add(
        tokenResponse({ username: 'ada@example.org', access_token: secrets[0], refresh_token: secrets[1] }),
      ),
    );
    await vault.close();
    const home = join(file, '..');
    let printed = '';
    const screen = { write: (text: string) => (printed += text), isTerminal: true, columns: 200 };
    const own = [...words.map((word) => (word === 'copy.age' ? join(home, word) : word))];
    const { code } = await command({ home, keychain }, verb === 'decode' ? own : [...own, '--vault', file], {
      stdin: 'seven-warm-lanterns-drift-north\n',
      now: () => clock.now(),
      out: screen,
      err: screen,
    });
    expect(code, printed).toBe(verb === 'get' || verb === 'credential' ? EXIT.notPrinted : EXIT.ok);
    for (const secret of secrets) expect(printed).not.toContain(secret);
  } finally {
    await dispose();
  }
});

describe('what can be read in part, or must not be changed', () => {
  it.each([
    ['damaged', EXIT.damaged, EXIT.damaged],
    ['older', EXIT.older, EXIT.older],
    ['copy', EXIT.copy, EXIT.copy],
  ] as const)('a vault that is %s is listed, and says so', async (state, listed, changed) => {
    const { file, keychain, clock, vault, dispose } = await testVault({
      state,
      users: ['ada@example.org', 'ben@example.org'],
    });
    try {
      await vault.close();
      const at = { home: join(file, '..'), keychain };
      const options = { now: () => clock.now() };
      const list = await command(at, ['list', '--vault', file], options);
      expect(list.code).toBe(listed);
      expect(list.out).toContain('@example.org');
      expect(list.err).toMatch(
        /^tokenkeep: \S.+ Make that choice in the app that uses the vault: this command can’t\.\n/,
      );
      // Scripts learn from the exit code that the list may be incomplete.
      const json = await command(at, ['list', '--json', '--vault', file], options);
      expect({ ...json, out: JSON.parse(json.out) as unknown }).toMatchObject({
        code: listed,
        out: expect.arrayContaining([expect.anything()]) as unknown,
      });
      const verify = await command(at, ['verify', '--vault', file], options);
      expect(verify.code).toBe(listed);
      expect(verify.out).toMatch(
        state === 'damaged' ? /^Verification failed\. .+damaged/ : /^Not verified\. /,
      );
      if (state !== 'damaged') expect(verify.out).not.toContain('damaged');
      // What a provider answered could not be kept, so nothing is asked of it.
      let sent = 0;
      const fetch = (): Promise<Response> => Promise.reject(new Error(`request ${(sent += 1)}`));
      for (const user of ['ada@example.org', 'ben@example.org']) {
        const words = ['get', '--account', user, '--scope', 'openid', '--refresh', '--vault', file];
        const { code, err } = await command(at, words, { ...options, fetch });
        expect([listed, EXIT.notFound], err).toContain(code);
      }
      expect(sent).toBe(0);
      const out = await command(at, ['signout', 'ada@example.org', '--yes', '--vault', file], options);
      // Where the vault refuses the change, the account is still signed in there.
      expect([changed, EXIT.stillSignedIn, EXIT.notFound]).toContain(out.code);
    } finally {
      await dispose();
    }
  });
});

it('says of damage that only verifying finds that the file is damaged', () => {
  const vault = { status: { state: 'ready', file: '/home/a.vault' } } as Vault;
  const report = { sound: false, state: 'damaged' } as VaultReport;
  // A home folder that is unknown doesn't matter where the vault was named.
  const world = {
    platform: 'linux',
    env: {},
    get home(): string {
      throw new Error('unknown');
    },
  } as World;
  expect(verified(vault, report, world)).toMatch(
    /^Verification failed\. .*damaged.* Make that choice in the app that uses the vault: this command can’t\.$/,
  );
});

it.each([
  [new VaultError('vault_busy', 'x'), EXIT.busy],
  [new VaultError('vault_unreadable', 'x'), EXIT.unreadable],
  [new VaultError('vault_read_only', 'x'), EXIT.readOnly],
  [new StorageError('read_only_disk', 'x'), EXIT.readOnly],
  [new StorageError('disk_full', 'x'), EXIT.failed],
  [new Error('x'), EXIT.failed],
])('%s has a number of its own', (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});

it('says of a time that is none that it is invalid', () => {
  expect([clock(1e20), moment(-1e20, 0)]).toEqual(['an invalid time', 'at an invalid time']);
});
