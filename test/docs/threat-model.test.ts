/**
 * docs/threat-model.md names, for each attacker, the tests that attack. They have to be there, belong to a run of `npm test`, and not be
 * skipped. That they ran and passed, `npm test` itself asserts at its end, from its runners' reports.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { attacksIn, attacksNotRun } from '../../scripts/checks/attackers.mjs';

const HAS_TESTS = /^\s*(?:it|test|describe)(?:\.\w+)*[(<]/m;
/** Skipped without a condition, and so on every system. */
const LEFT_OUT =
  /\b(?:it|test|describe)(?:\.\w+)*\.(?:skip|only|todo|fails|fixme)\(\s*(?:['"`]|\))|\bx(?:it|describe)\(/;

const page = readFileSync('docs/threat-model.md', 'utf8');
const rows: { attacker: string; named: string[] }[] = attacksIn(page);

/** Whether a runner of `npm test` runs the file: vitest.config.ts, and the projects `app` and `packaged` of playwright.config.ts. */
const isRun = (file: string): boolean =>
  /^test\/(?:e2e|packaged)\/.*\.spec\.ts$/.test(file) ||
  (/^test\/.*\.test\.tsx?$/.test(file) && !/^test\/(?:e2e|judges)\//.test(file));

it('has rows', () => {
  expect(rows.length).toBeGreaterThan(20);
});

it.each(rows)('$attacker: is attacked by tests that exist and are run', ({ named }) => {
  expect(named.length).toBeGreaterThan(0);
  for (const file of named) {
    // A folder would not tell the reader which of its tests attack.
    expect([isRun(file), existsSync(file)], file).toEqual([true, true]);
    const text = readFileSync(file, 'utf8');
    expect(text, file).toMatch(HAS_TESTS);
    expect(LEFT_OUT.exec(text)?.[0], file).toBe(undefined);
  }
});

/**
 * The sentences of the README's section on security, with the tests that would fail if the sentence were false. An admitted limitation has
 * none.
 */
const CLAIMS: Record<string, readonly string[]> = {
  'The vault is encrypted with AES-256 and authenticated by GCM.': [
    'test/vault/format.test.ts',
    'test/vault/damage.test.ts',
  ],
  'Its key is in the macOS Keychain, the Windows Credential Manager or the Secret Service': [
    'test/keychain/system-keychain.test.ts',
    'test/keychain/system-keychain.real.test.ts',
  ],
  'Someone who gets only the file, a backup of it or the disk can’t read it.': [
    'test/vault/updates.test.ts',
    'test/vault/backup-with-keychain.test.ts',
    'test/e2e/sign-ins.spec.ts',
  ],
  'On Linux and Windows, other processes of the same user can read the key.': [],
  'macOS prompts first.': [],
  'The window has no network access.': ['test/e2e/network.spec.ts'],
  'The app contacts Microsoft’s sign-in hosts, the update server that its build names,': [
    'test/app/sign-in/issuers.test.ts',
    'test/app/updates.test.ts',
  ],
};

it('has a test for each sentence on security in the README', () => {
  const readme = readFileSync('README.md', 'utf8');
  const [, section = ''] = /\n## Security\n\n([^]*?)\n\n/.exec(readme) ?? [];
  const sentences = section
    .replaceAll('\n', ' ')
    .replaceAll("'", '’')
    .split(/(?<=\.) /);
  expect(sentences.length).toBe(Object.keys(CLAIMS).length);
  for (const sentence of sentences) {
    const [known] = Object.entries(CLAIMS).filter(([start]) => sentence.startsWith(start));
    expect(known, sentence).not.toBe(undefined);
    for (const file of known?.[1] ?? []) expect([isRun(file), existsSync(file)], file).toEqual([true, true]);
  }
});

describe('after a run', () => {
  const small =
    '| attacker | outcome | attacked by |\n| --- | --- | --- |\n| reads | nothing | `test/a.test.ts`, `test/b/c.spec.ts` |\n';
  const vitest = (...tests: [string, string][]) => ({
    testResults: tests.map(([name, status]) => ({
      name: `/clone/${name}`,
      assertionResults: [{ fullName: 'attacks', status }],
    })),
  });
  const playwright = (file: string, status: string) => ({
    suites: [{ suites: [{ specs: [{ file, title: 'attacks', tests: [{ status }] }] }] }],
  });
  const missing = (...reports: object[]): unknown => attacksNotRun(small, reports, '/clone');

  const elsewhere = playwright('test/b/c.spec.ts', 'expected');
  const told = [expect.stringContaining('no test of test/a.test.ts passed (reads)')];

  it('is content with attacks that passed, whichever runner ran them', () => {
    const ran = vitest(['test/a.test.ts', 'passed'], ['test/a.test.ts', 'skipped']);
    expect(missing(ran, elsewhere)).toEqual({ missing: [], skipped: [] });
  });

  it.each([
    ['did not run', []],
    ['failed', [vitest(['test/a.test.ts', 'failed'], ['test/a.test.ts', 'skipped'])]],
    ['is another', [vitest(['test/a.test.tsx', 'passed'])]],
  ])('names an attack that %s', (_how, reports) => {
    expect(missing(...reports, elsewhere)).toEqual({ missing: told, skipped: [] });
  });

  it('names an attack that was skipped', () => {
    expect(missing(vitest(['test/a.test.ts', 'pending']), elsewhere)).toEqual({ missing: [], skipped: told });
  });
});
