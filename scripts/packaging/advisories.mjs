/**
 * @typedef {object} Finding
 * @property {string} id GHSA-…
 * @property {string} name of the package
 * @property {string} title
 *
 * @typedef {object} Exception
 * @property {string} id
 * @property {string} reason why it can't be reached in Tokenkeep
 * @property {string} until a date such as 2026-12-31, after which the exception has to be reviewed
 */

/**
 * @param {string} text what `npm audit --json` printed
 * @returns {Finding[] | undefined} undefined if the text is not a report
 */
export function findings(text) {
  let report;
  try {
    report = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof report?.vulnerabilities !== 'object' || report.vulnerabilities === null) return undefined;
  // A package that only depends on a vulnerable one names it by a string.
  const found = Object.values(report.vulnerabilities).flatMap(({ name, via }) =>
    via
      .filter((each) => typeof each === 'object')
      .map(({ url, title }) => ({ id: String(url).split('/').at(-1), name, title })),
  );
  return [...new Map(found.map((each) => [`${each.id} ${each.name}`, each])).values()];
}

/**
 * @param {Finding[]} found
 * @param {Exception[]} exceptions
 * @param {Date} today
 */
export function unexplained(found, exceptions, today) {
  const valid = exceptions.filter(({ reason, until }) => reason.trim() !== '' && today <= new Date(until));
  return {
    open: found.filter(({ id }) => !valid.some((exception) => exception.id === id)),
    stale: exceptions
      .filter((each) => !valid.includes(each) || !found.some(({ id }) => id === each.id))
      .map(({ id }) => id),
  };
}
