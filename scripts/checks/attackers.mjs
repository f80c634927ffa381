import { isAbsolute, relative } from 'node:path';

/**
 * Returns the tests that docs/threat-model.md names, by attacker.
 *
 * @param {string} page
 * @returns {{ attacker: string, named: string[] }[]} named: files
 */
export function attacksIn(page) {
  return page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, attacker = '', , tests = '']) => ({
      attacker,
      named: [...tests.matchAll(/`([^`]+)`/g)].map(([, path]) => path),
    }))
    .filter(({ attacker }) => attacker !== 'attacker' && !/^-*$/.test(attacker));
}

/**
 * Returns the test files that the page names as attacks and of which no test passed. A test that was skipped beside one that passed is
 * reported by its runner, as skipped, which fails in CI.
 *
 * @param {string} page docs/threat-model.md
 * @param {object[]} reports of vitest and Playwright
 * @param {string} root
 * @returns {{ missing: string[], skipped: string[] }} skipped: files whose tests were all skipped, such as on another system
 */
export function attacksNotRun(page, reports, root) {
  const ran = reports.flatMap((report) =>
    report.testResults ? filesOfVitest(report, root) : filesOfPlaywright(report),
  );
  const found = { missing: [], skipped: [] };
  for (const { attacker, named } of attacksIn(page)) {
    for (const path of named) {
      const results = ran.filter(({ file }) => file === path);
      if (results.some(({ status }) => status === 'passed')) continue;
      const isSkipped = results.length > 0 && results.every(({ status }) => status === 'skipped');
      found[isSkipped ? 'skipped' : 'missing'].push(`threat model: no test of ${path} passed (${attacker})`);
    }
  }
  return found;
}

function filesOfVitest(report, root) {
  return report.testResults.flatMap(({ name, assertionResults }) => {
    const file = (isAbsolute(name) ? relative(root, name) : name).replaceAll('\\', '/');
    return assertionResults.map(({ status }) => ({
      file,
      status: status === 'passed' || status === 'failed' ? status : 'skipped',
    }));
  });
}

function filesOfPlaywright(report) {
  const visit = (suite) => [
    ...(suite.specs ?? []).flatMap(({ file, tests }) =>
      tests.map(({ status }) => ({
        file: file.replaceAll('\\', '/'),
        status: { expected: 'passed', skipped: 'skipped' }[status] ?? 'failed',
      })),
    ),
    ...(suite.suites ?? []).flatMap(visit),
  ];
  return report.suites.flatMap(visit);
}
