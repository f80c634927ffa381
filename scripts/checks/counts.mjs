import { stripVTControlCharacters } from 'node:util';

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {string[]} failed names, each with the beginning of its message
 * @property {string[]} skipped names
 */

/**
 * Counts vitest's JSON report. A file that could not be run contains no tests, and counts as one failure.
 *
 * @returns {Counts}
 */
export function countVitest(report) {
  const counts = { passed: 0, failed: [], skipped: [] };
  for (const file of report.testResults) {
    for (const test of file.assertionResults)
      add(counts, test.status, test.fullName, test.failureMessages?.join('\n'));
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) {
      counts.failed.push(`${file.name}: ${file.message}`);
    }
  }
  return counts;
}

/**
 * Counts Playwright's JSON report. A test that passed only on a retry counts as failed.
 *
 * @returns {Counts}
 */
export function countPlaywright(report) {
  const counts = { passed: 0, failed: [], skipped: [] };
  const statuses = { expected: 'passed', unexpected: 'failed', flaky: 'failed', skipped: 'skipped' };
  const visit = (suite, names) => {
    const path = [...names, suite.title];
    for (const spec of suite.specs ?? []) {
      for (const test of spec.tests) {
        const bad = test.results?.find(({ error }) => error?.message);
        // Among it is what the window showed, without which a failure that does not come again can't be understood.
        const said = bad?.stdout?.map(({ text = '' }) => text).join('');
        add(
          counts,
          statuses[test.status] ?? 'failed',
          [...path, spec.title].join(' › '),
          bad?.error.message,
          said,
        );
      }
    }
    for (const inner of suite.suites ?? []) visit(inner, path);
  };
  for (const suite of report.suites) visit(suite, []);
  for (const error of report.errors) counts.failed.push(error.message);
  return counts;
}

/**
 * Counts the fault campaign's report: one for each kind of fault, failed if data was lost in any run of that kind.
 *
 * @returns {Counts}
 */
export function countTorture(report) {
  return countCampaign(report.rows, 'lost');
}

/**
 * Counts the attack campaign's report: one for each kind of attack, failed if any attack of that kind succeeded.
 *
 * @returns {Counts}
 */
export function countAttack(report) {
  return countCampaign(
    report.rows.map(({ through, ...row }) => ({ ...row, lost: through })),
    'got through',
  );
}

function countCampaign(rows, verb) {
  const counts = { passed: 0, failed: [], skipped: [] };
  for (const { name, tried, lost } of rows) {
    if (tried === 0) counts.skipped.push(name);
    else {
      const status = lost.length === 0 ? 'passed' : 'failed';
      add(counts, status, `${name}: ${lost.length} of ${tried} ${verb}`, lost.join('\n'));
    }
  }
  return counts;
}

/** Number of lines of a failure's message, and of what the test printed, that are shown beside its name. The runner has printed the rest. */
const LINES = 12;
const PRINTED = 80;

function add(counts, status, name, why = '', said = '') {
  if (status === 'passed') counts.passed++;
  else if (status === 'failed')
    counts.failed.push([name, ...beginningOf(why, LINES), ...beginningOf(said, PRINTED)].join('\n    '));
  else counts.skipped.push(name); // pending, skipped, todo, disabled
}

function beginningOf(message, lines) {
  return stripVTControlCharacters(message).split('\n').filter(Boolean).slice(0, lines);
}
