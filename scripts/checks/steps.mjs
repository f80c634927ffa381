import { join } from 'node:path';
import { countPlaywright, countTorture, countVitest } from './counts.mjs';

/**
 * What `npm test` runs, in this order. A check passes or fails as one; a runner is counted by the tests in its report.
 *
 * @typedef {object} Step
 * @property {'lint' | 'unit' | 'torture' | 'e2e' | 'packaged' | 'e2e-packaged'} part
 * @property {string} name
 * @property {string} [package] whose command runs it
 * @property {string} [script] of ours that runs it
 * @property {string[]} args
 * @property {string} [report] a runner's JSON report
 * @property {(report: any) => import('./counts.mjs').Counts} [count]
 * @property {NodeJS.ProcessEnv} [env]
 *
 * @param {string} artifacts folder for the reports
 * @param {string[]} words handed to the runners: which tests, and how
 * @param {string[]} parts that are asked for. The fault campaign takes other words than the runners do
 * @returns {Step[]}
 */
export function steps(artifacts, words = [], parts = []) {
  const unit = join(artifacts, 'unit.json');
  const torture = join(artifacts, 'torture.json');
  const playwright = (part, name, project) => ({
    part,
    name,
    package: '@playwright/test',
    args: ['test', `--project=${project}`, '--reporter=list,json', ...words],
    env: { PLAYWRIGHT_JSON_OUTPUT_FILE: join(artifacts, `${part}.json`) },
    report: join(artifacts, `${part}.json`),
    count: countPlaywright,
  });
  return [
    { part: 'lint', name: 'format', package: '@biomejs/biome', args: ['format'] },
    { part: 'lint', name: 'lint', package: 'eslint', args: ['.'] },
    { part: 'lint', name: 'types', package: 'typescript', args: ['--noEmit'] },
    { part: 'lint', name: 'API reference', package: 'typedoc', args: ['--emit', 'none'] },
    { part: 'lint', name: 'unused code', package: 'knip', args: [] },
    {
      part: 'unit',
      name: 'unit tests',
      package: 'vitest',
      // The runner loads its configuration without writing beside it: the tests' user may not be the clone's owner.
      args: [
        'run',
        '--configLoader=runner',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${unit}`,
        ...words,
      ],
      report: unit,
      count: countVitest,
    },
    {
      part: 'torture',
      name: 'fault campaign',
      script: 'test/torture/main.mjs',
      args: [`--report=${torture}`, ...(parts.length === 1 ? words : [])],
      report: torture,
      count: countTorture,
    },
    playwright('e2e', 'end-to-end tests', 'app'),
    playwright('packaged', 'the packaged app', 'packaged'),
    playwright('e2e-packaged', 'end-to-end tests in the packaged app', 'e2e-packaged'),
  ];
}
