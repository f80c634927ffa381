import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countAttack, countPlaywright, countTorture, countVitest } from '../../scripts/checks/counts.mjs';
import { after, buildFailed, chosen, totalsIn } from '../../scripts/checks/parts.mjs';
import { judgesTable } from '../../scripts/checks/proofs.mjs';
import { nextStep, steps } from '../../scripts/checks/steps.mjs';
import { verdict } from '../../scripts/checks/verdict.mjs';
import { temporaryFolder } from '../support/temporary-folder.ts';

const file = (status: string, tests: [string, string][], message = '') => ({
  name: 'a.test.ts',
  status,
  message,
  assertionResults: tests.map(([fullName, result]) => ({ fullName, status: result })),
});

const runner = { name: 'unit tests', count: countVitest };
const lenient = { strict: false };
const report = (...files: unknown[]) => ({ testResults: files });
const good = report(file('passed', [['adds', 'passed']]));

describe("vitest's report", () => {
  it('is counted by test', () => {
    const mixed = report(
      file('failed', [
        ['adds', 'passed'],
        ['finds', 'failed'],
        ['waits', 'pending'],
        ['plans', 'todo'],
      ]),
    );
    expect(countVitest(mixed)).toEqual({ passed: 1, failed: ['finds'], skipped: ['waits', 'plans'] });
  });

  it('has one failure for a file that could not be run', () => {
    const broken = report(file('failed', [], 'no such module'));
    expect(countVitest(broken).failed).toEqual(['a.test.ts: no such module']);
  });
});

it("Playwright's report is counted by test, and what passed at the second try has failed", () => {
  const spec = (title: string, status: string) => ({ title, tests: [{ status }] });
  const suites = [
    {
      title: 'app.spec.ts',
      specs: [spec('starts', 'expected')],
      suites: [
        {
          title: 'sign-out',
          specs: [spec('asks', 'unexpected'), spec('ends', 'flaky'), spec('later', 'skipped')],
        },
      ],
    },
  ];
  expect(countPlaywright({ suites, errors: [{ message: 'no tests found' }] })).toEqual({
    passed: 1,
    failed: ['app.spec.ts › sign-out › asks', 'app.spec.ts › sign-out › ends', 'no tests found'],
    skipped: ['app.spec.ts › sign-out › later'],
  });
});

it('a failed test of the app is shown with what its window showed', () => {
  const results = [
    {
      error: { message: 'Expected a dialog' },
      stdout: [{ text: 'The window shows:\n' }, { text: '- main\n' }],
    },
  ];
  const suites = [
    { title: 'app.spec.ts', specs: [{ title: 'asks', tests: [{ status: 'unexpected', results }] }] },
  ];
  expect(countPlaywright({ suites, errors: [] }).failed).toEqual([
    'app.spec.ts › asks\n    Expected a dialog\n    The window shows:\n    - main',
  ]);
});

it("the fault campaign's report is counted by kind of fault", () => {
  const rows = [
    { name: 'kill', tried: 60, lost: [] },
    { name: 'race', tried: 8, lost: ['one', 'two'] },
    { name: 'keyring', tried: 0, lost: [] },
  ];
  expect(countTorture({ rows })).toEqual({
    passed: 1,
    failed: ['race: 2 of 8 lost\n    one\n    two'],
    skipped: ['keyring'],
  });
});

it("the attack campaign's report is counted by kind of attack", () => {
  const rows = [
    { name: 'frames', tried: 5, through: [] },
    { name: 'navigation', tried: 2, through: ['one'] },
  ];
  expect(countAttack({ rows })).toEqual({
    passed: 1,
    failed: ['navigation: 1 of 2 got through\n    one'],
    skipped: [],
  });
});

it('the results of the judges have a row for each file of both runners', () => {
  const vitest = {
    startTime: Date.UTC(2026, 0, 2),
    testResults: [
      {
        ...file('failed', [
          ['a', 'passed'],
          ['b', 'failed'],
          ['c', 'skipped'],
        ]),
        name: '/clone/test/judges/b.test.ts',
        startTime: 0,
        endTime: 2_400,
      },
      {
        ...file('failed', [], 'it does not load'),
        name: '/clone/test/judges/c.test.ts',
        startTime: 0,
        endTime: 100,
      },
    ],
  };
  const specs = (...all: [string, number][]) =>
    all.map(([status, duration]) => ({ tests: [{ status, results: [{ duration }] }] }));
  const inner = { specs: specs(['skipped', 0], ['flaky', 4_000]) };
  const playwright = {
    suites: [{ file: 'judges/a.spec.ts', specs: specs(['expected', 3_000]), suites: [inner] }],
  };
  expect(judgesTable({ vitest, playwright }, { commit: 'abc', root: '/clone' }).split('\n')).toEqual([
    'Last run: 2026-01-02, at commit abc.',
    '',
    '| judge | passed | failed | skipped | time |',
    '| --- | --- | --- | --- | --- |',
    '| `test/judges/a.spec.ts` | 1 | 1 | 1 | 7 s |',
    '| `test/judges/b.test.ts` | 1 | 1 | 1 | 2 s |',
    '| `test/judges/c.test.ts` | 0 | 1 | 0 | 0 s |',
  ]);
});

it('words for the fault campaign are not those for the runners', () => {
  const argsOf = (parts: string[]): string[] =>
    steps('artifacts', ['--seed', '7'], parts).find(({ part }: { part: string }) => part === 'torture')?.args;
  expect(argsOf(['torture'])).toContain('--seed');
  expect(argsOf(['unit', 'torture'])).not.toContain('--seed');
});

it('a test of both apps runs in the packaged one alone if both are tested', () => {
  const argsOf = (parts: string[]): string[] =>
    steps('artifacts', [], parts).find(({ part }: { part: string }) => part === 'e2e')?.args;
  expect(argsOf(['e2e', 'packaged'])).toContain('--grep-invert=@packaged');
  expect(argsOf(['e2e'])).not.toContain('--grep-invert=@packaged');
});

it('a lane that has ended takes the last step of the other, if it may run in any lane', () => {
  const [e2e, packaged, torture] = [
    { name: 'e2e' },
    { name: 'packaged' },
    { name: 'torture', anyLane: true },
  ];
  const other = [e2e, packaged, torture];
  expect(nextStep([{ name: 'lint' }], other)).toEqual({ name: 'lint' });
  expect(nextStep([], other)).toBe(torture);
  expect(nextStep([], other)).toBeUndefined();
  expect(nextStep(other, [])).toBe(e2e);
});

describe('a step', () => {
  it.each([
    ['a check that passes', { name: 'lint' }, 0, undefined, 1, []],
    ['a check that fails', { name: 'lint' }, 1, undefined, 0, ['lint']],
    ['tests that pass', runner, 0, good, 1, []],
    ['a runner without a report', runner, 0, undefined, 0, ['unit tests: it ended without a report']],
    ['a report that is none', runner, 0, { testResults: 7 }, 0, ['unit tests: it ended without a report']],
    ['no tests at all', runner, 0, report(), 0, ['unit tests: not one test was run']],
    ['a bad end', runner, 1, good, 1, ['unit tests: it ended with 1, though no test failed']],
  ])('%s', (_, step, status, seen, passed, failed) => {
    expect(verdict(step, status, seen, lenient)).toMatchObject({ passed, failed });
  });

  it('with a skipped test fails where that is asked, and names it', () => {
    const skipping = report(
      file('passed', [
        ['adds', 'passed'],
        ['waits', 'skipped'],
      ]),
    );
    expect(verdict(runner, 0, skipping, lenient)).toMatchObject({ failed: [], skipped: ['waits'] });
    expect(verdict(runner, 0, skipping, { strict: true })).toMatchObject({ failed: ['skipped: waits'] });
  });
});

it('parts are the first words, and all of them without any', () => {
  expect(chosen([])).toMatchObject({ parts: ['lint', 'unit', 'torture', 'e2e', 'packaged'], words: [] });
  expect(chosen(['unit', 'test/cache'])).toMatchObject({ parts: ['unit'], words: ['test/cache'] });
  expect(chosen(['unit', 'e2e'])).toMatchObject({ parts: ['unit', 'e2e'], words: [] });
  expect(chosen(['-t', 'unit'])).toMatchObject({
    parts: ['lint', 'unit', 'torture', 'e2e', 'packaged'],
    words: ['-t', 'unit'],
  });
});

it('a failed build is a failure, fails what needs it, and ends with the counts', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['scripts/checks/run.mjs', '--build-failed', 'e2e'],
    { encoding: 'utf8' },
  );
  expect(status).toBe(1);
  expect(stdout).toContain('FAILED  build');
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('0 passed, 2 failed');
});

describe('the checks that ran beside the build', () => {
  const run = (...words: string[]) =>
    spawnSync(process.execPath, ['scripts/checks/run.mjs', ...words], { encoding: 'utf8' });

  it('leave their results in a file, and print no counts', () => {
    const file = join(temporaryFolder(), 'totals.json');
    const { status, stdout } = run(totalsIn(file), buildFailed, 'e2e');
    expect(status).toBe(0);
    expect(stdout).not.toMatch(/\d passed/);
    const failed = ['build', 'end-to-end tests: there is no build to test'];
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ passed: 0, failed, skipped: [] });
  });

  it('count among the others, and fail the whole run', () => {
    const earlier = { passed: 3, failed: ['format'], skipped: [] };
    const { status, stdout } = run(after(earlier), buildFailed, 'e2e');
    expect(status).toBe(1);
    expect(stdout).toContain('FAILED  format\nFAILED  build\n');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('3 passed, 3 failed');
  });
});
