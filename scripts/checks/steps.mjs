import { join } from 'node:path';
import { countAttack, countPlaywright, countTorture, countVitest } from './counts.mjs';

/**
 * One step of `npm test`. A check counts as one test; a runner counts as the tests in its report.
 *
 * @typedef {object} Step
 * @property {'check' | 'lint' | 'unit' | 'torture' | 'attack' | 'e2e' | 'packaged' | 'e2e-packaged' | 'judges' | 'judges-e2e'} part
 * @property {0 | 1} lane steps of one lane run one after the other, the two lanes concurrently
 * @property {boolean} [anyLane] whether the other lane may run it when it has nothing left to do
 * @property {string} name
 * @property {string} [package] whose command runs it
 * @property {string} [script] of ours that runs it
 * @property {string[]} [node] options of Node itself
 * @property {string[]} args
 * @property {boolean} [onBuild] whether it tests dist/ or out/
 * @property {string} [report] a runner's JSON report
 * @property {(report: any) => import('./counts.mjs').Counts} [count]
 * @property {NodeJS.ProcessEnv} [env]
 */

/**
 * Returns the steps of the parts. Lane 0 has the steps that keep a processor busy, lane 1 those that wait for windows, servers and
 * processes, so that two processors suffice for both. The checks that need no build have run before, beside the build.
 *
 * @param {string} artifacts folder for the reports
 * @param {string[]} words arguments for the runners: which tests, and how
 * @param {string[]} the parts to run. The fault campaign takes other arguments than the runners
 * @returns {Step[]}
 */
export function steps(artifacts, words = [], parts = []) {
  const alone = parts.length === 1;
  const torture = join(artifacts, 'torture.json');
  const attack = join(artifacts, 'attack.json');
  const vitest = (part, lane, name, more) => ({
    part,
    lane,
    name,
    package: 'vitest',
    // Loads the configuration without writing beside it: the tests' user may not be the clone's owner.
    args: [
      'run',
      '--configLoader=runner',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${join(artifacts, `${part}.json`)}`,
      ...more,
      ...words,
    ],
    report: join(artifacts, `${part}.json`),
    count: countVitest,
  });
  /** Tests that run in the packaged app as well run there alone, unless only the app of the clone is tested. */
  const once = parts.includes('e2e') && parts.includes('packaged') ? ['--grep-invert=@packaged'] : [];
  const playwright = (part, name, project, more = []) => ({
    part,
    lane: 1,
    name,
    package: '@playwright/test',
    args: ['test', `--project=${project}`, '--reporter=list,json', ...more, ...words],
    env: {
      PLAYWRIGHT_JSON_OUTPUT_FILE: join(artifacts, `${part}.json`),
      // For `npm run screenshots`, all pictures are taken.
      ...(words.includes('screenshots') && { TOKENKEEP_PICTURES: 'all' }),
      ...(part === 'judges-e2e' && { TOKENKEEP_PICTURES: 'all', TOKENKEEP_EVERYTHING: '1' }),
    },
    onBuild: true,
    report: join(artifacts, `${part}.json`),
    count: countPlaywright,
  });
  // ESLint and TypeDoc make millions of short-lived objects. With the default semi-space, garbage collection takes a sixth of the time.
  const node = ['--max-semi-space-size=64'];
  const cached = ['--cache', '--cache-strategy=content', '--cache-location=node_modules/.cache/eslint/'];
  const types = {
    name: 'types and rules that need them',
    package: 'oxlint',
    args: [],
    // The compiler, which is written in Go, keeps nearly all that it makes: fewer collections take a sixth less time and no more memory.
    env: { GOGC: '400' },
  };
  const format = { name: 'format', package: '@biomejs/biome', args: ['format'] };
  return [
    // To save time, ESLint checks only the files changed since the last run; `npm test` checks all.
    { part: 'check', lane: 0, ...types },
    { part: 'check', lane: 0, ...format },
    { part: 'check', lane: 0, name: 'walls and habits', package: 'eslint', node, args: ['.', ...cached] },
    vitest('check', 1, 'pure tests', ['--config=vitest.pure.config.ts']),
    { part: 'lint', lane: 0, ...types },
    { part: 'lint', lane: 0, ...format },
    { part: 'lint', lane: 0, name: 'walls and habits', package: 'eslint', node, args: ['.'] },
    { part: 'lint', lane: 1, name: 'API reference', package: 'typedoc', node, args: ['--emit', 'none'] },
    { part: 'lint', lane: 1, name: 'unused code', package: 'knip', args: [] },
    vitest('unit', 0, 'unit tests', alone ? [] : ['--maxWorkers=3']),
    playwright('e2e', 'end-to-end tests', 'app', once),
    playwright('packaged', 'the packaged app', 'packaged'),
    playwright('e2e-packaged', 'end-to-end tests in the packaged app', 'e2e-packaged'),
    {
      part: 'torture',
      lane: 1,
      anyLane: true,
      name: 'fault campaign',
      script: 'test/torture/main.mjs',
      // What it kills and fills is on the disk, also where all other tests have their files in memory.
      ...(process.platform === 'linux' && { env: { TMPDIR: '/tmp' } }),
      args: [`--report=${torture}`, ...(alone ? words : [])],
      report: torture,
      count: countTorture,
    },
    {
      part: 'attack',
      lane: 1,
      name: 'attack campaign',
      script: 'test/attack/main.mjs',
      args: [`--report=${attack}`, ...(alone ? words : [])],
      onBuild: true,
      report: attack,
      count: countAttack,
    },
    vitest('judges', 1, 'judges', ['--config=vitest.judges.config.ts']),
    playwright('judges-e2e', 'judges in a real Electron', 'judges'),
  ];
}

/**
 * Takes the next step from a lane, or from the end of the other lane if this one is empty and that step may run in any lane.
 *
 * @param {Step[]} lane
 * @param {Step[]} other
 * @returns {Step | undefined}
 */
export function nextStep(lane, other) {
  return lane.shift() ?? (other.at(-1)?.anyLane ? other.pop() : undefined);
}
