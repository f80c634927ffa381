/** The first word where the build failed: what needs the build is then not run, and has failed. */
export const buildFailed = '--build-failed';

const usual = ['lint', 'unit', 'torture', 'e2e', 'packaged'];
const all = [...usual, 'e2e-packaged'];

/**
 * Which parts of the tests the command line asks for, and what is meant for the runners. Without a part, the usual are:
 * e2e-packaged, which is e2e once more in the packaged app, is for releases.
 *
 * @param {string[]} args parts first
 */
export function chosen(args) {
  if (args[0] === buildFailed) return { ...chosen(args.slice(1)), built: false };
  const end = args.findIndex((arg) => !all.includes(arg));
  const named = end < 0 ? args : args.slice(0, end);
  return { parts: named.length > 0 ? named : usual, words: args.slice(named.length), built: true };
}
