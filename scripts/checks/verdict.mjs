/**
 * Returns the result of a step. A runner counts as a failure if it exits with an error although none of its tests failed, leaves no
 * report, or runs no test.
 *
 * @param {import('./steps.mjs').Step} step
 * @param {number | null} status its exit code
 * @param {any} report the runner's report; undefined when there is none
 * @param {{ strict: boolean }} options strict: a skipped test counts as failed
 * @returns {import('./counts.mjs').Counts}
 */
export function verdict(step, status, report, { strict }) {
  if (!step.count) return status === 0 ? one : failure(step.name);
  const counts = report && readable(step, report);
  if (!counts) return failure(`${step.name}: it ended without a report`);
  const failed = strict
    ? [...counts.failed, ...counts.skipped.map((name) => `skipped: ${name}`)]
    : counts.failed;
  if (failed.length === 0 && status !== 0)
    failed.push(`${step.name}: it ended with ${status}, though no test failed`);
  if (counts.passed + failed.length === 0) failed.push(`${step.name}: not one test was run`);
  return { ...counts, failed };
}

const one = { passed: 1, failed: [], skipped: [] };

function failure(name) {
  return { passed: 0, failed: [name], skipped: [] };
}

function readable(step, report) {
  try {
    return step.count(report);
  } catch {
    return undefined; // a report of another shape counts as missing
  }
}
