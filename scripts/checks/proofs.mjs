import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const begin = '<!-- judges: written by `npm run judges` -->';
const end = '<!-- end of judges -->';

/**
 * Writes the last run of the judges into docs/proofs.md: commit, date, and a row for each judge.
 *
 * @param {string} root the clone
 */
export function recordJudges(root) {
  const read = (name) => JSON.parse(readFileSync(join(root, 'artifacts', name), 'utf8'));
  const reports = { vitest: read('judges.json'), playwright: read('judges-e2e.json') };
  const page = join(root, 'docs/proofs.md');
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const isClean = git('status', '--porcelain', '--untracked-files=no') === '';
  const commit = `${git('rev-parse', '--short', 'HEAD')}${isClean ? '' : ', with changes that are not committed'}`;
  const text = readFileSync(page, 'utf8');
  writeFileSync(page, withResults(text, judgesTable(reports, { commit, root })));
}

/** Returns the page with these results in place of the previous ones. */
export function withResults(page, table) {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/proofs.md has no place for the judges: ${begin} … ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${table}\n\n${page.slice(to)}`;
}

/** Returns the judges' results, the reports of both runners, as Markdown. */
export function judgesTable({ vitest, playwright }, { commit, root }) {
  const ofVitest = vitest.testResults.map(({ name, assertionResults, startTime, endTime, message }) => {
    const count = (status) => assertionResults.filter((test) => test.status === status).length;
    const failed = count('failed') || (message && assertionResults.length === 0 ? 1 : 0);
    const skipped = assertionResults.length - count('passed') - count('failed');
    return row(relative(root, name), count('passed'), failed, skipped, endTime - startTime);
  });
  const ofPlaywright = playwright.suites.map((suite) => {
    const tests = testsOf(suite);
    const count = (status) => tests.filter((test) => test.status === status).length;
    const took = tests.flatMap(({ results }) => results).reduce((sum, { duration }) => sum + duration, 0);
    const [passed, skipped] = [count('expected'), count('skipped')];
    return row(`test/${suite.file}`, passed, tests.length - passed - skipped, skipped, took);
  });
  const on = new Date(vitest.startTime).toISOString().slice(0, 10);
  return [
    `Last run: ${on}, at commit ${commit}.`,
    '',
    '| judge | passed | failed | skipped | time |',
    '| --- | --- | --- | --- | --- |',
    ...[...ofVitest, ...ofPlaywright].sort(),
  ].join('\n');
}

function row(file, passed, failed, skipped, milliseconds) {
  return `| \`${file}\` | ${passed} | ${failed} | ${skipped} | ${Math.round(milliseconds / 1000)} s |`;
}

/** Returns the tests of a suite of Playwright's report, and of those in it. */
function testsOf({ specs = [], suites = [] }) {
  return [...specs.flatMap(({ tests }) => tests), ...suites.flatMap(testsOf)];
}
