/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {string[]} failed names
 * @property {string[]} skipped names
 */

/**
 * Counts vitest's JSON report. A file that could not be run has no tests in it, and is one failure.
 *
 * @returns {Counts}
 */
export function countVitest(report) {
  const counts = { passed: 0, failed: [], skipped: [] };
  for (const file of report.testResults) {
    for (const test of file.assertionResults) add(counts, test.status, test.fullName);
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) {
      counts.failed.push(`${file.name}: ${file.message}`);
    }
  }
  return counts;
}

/**
 * Counts Playwright's JSON report. A test that passed only when it was tried again has failed.
 *
 * @returns {Counts}
 */
export function countPlaywright(report) {
  const counts = { passed: 0, failed: [], skipped: [] };
  const statuses = { expected: 'passed', unexpected: 'failed', flaky: 'failed', skipped: 'skipped' };
  const visit = (suite, names) => {
    const path = [...names, suite.title];
    for (const spec of suite.specs ?? []) {
      for (const test of spec.tests)
        add(counts, statuses[test.status] ?? 'failed', [...path, spec.title].join(' › '));
    }
    for (const inner of suite.suites ?? []) visit(inner, path);
  };
  for (const suite of report.suites) visit(suite, []);
  for (const error of report.errors) counts.failed.push(error.message);
  return counts;
}

/**
 * Counts the fault campaign's report: one for each kind of fault, failed when one of them was lost.
 *
 * @returns {Counts}
 */
export function countTorture(report) {
  const counts = { passed: 0, failed: [], skipped: [] };
  for (const { name, tried, lost } of report.rows) {
    if (tried === 0) counts.skipped.push(name);
    else add(counts, lost.length === 0 ? 'passed' : 'failed', `${name}: ${lost.length} of ${tried} lost`);
  }
  return counts;
}

function add(counts, status, name) {
  if (status === 'passed') counts.passed++;
  else if (status === 'failed') counts.failed.push(name);
  else counts.skipped.push(name); // pending, skipped, todo, disabled
}
