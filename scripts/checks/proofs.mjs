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
  const report = JSON.parse(readFileSync(join(root, 'artifacts/judges.json'), 'utf8'));
  const page = join(root, 'docs/proofs.md');
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const isClean = git('status', '--porcelain', '--untracked-files=no') === '';
  const commit = `${git('rev-parse', '--short', 'HEAD')}${isClean ? '' : ', with changes that are not committed'}`;
  const text = readFileSync(page, 'utf8');
  writeFileSync(page, withResults(text, judgesTable(report, { commit, root, date: new Date() })));
}

/** Returns the page with these results in place of the previous ones. */
export function withResults(page, table) {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/proofs.md has no place for the judges: ${begin} … ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${table}\n\n${page.slice(to)}`;
}

/** Returns the judges' results as Markdown. */
export function judgesTable({ startTime, testResults }, { commit, date, root }) {
  const rows = testResults
    .map(({ name, assertionResults, startTime: begun, endTime, message }) => {
      const count = (status) => assertionResults.filter((test) => test.status === status).length;
      const failed = count('failed') || (message && assertionResults.length === 0 ? 1 : 0);
      const skipped = assertionResults.length - count('passed') - count('failed');
      const seconds = Math.round((endTime - begun) / 1000);
      return `| \`${relative(root, name)}\` | ${count('passed')} | ${failed} | ${skipped} | ${seconds} s |`;
    })
    .sort();
  const on = new Date(startTime ?? date).toISOString().slice(0, 10);
  return [
    `Last run: ${on}, at commit ${commit}.`,
    '',
    '| judge | passed | failed | skipped | time |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
