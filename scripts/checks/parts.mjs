/** The first argument if the build failed: steps that need the build are not run, and count as failed. */
export const buildFailed = '--build-failed';

const usual = ['lint', 'unit', 'torture', 'e2e', 'packaged'];
const all = [...usual, 'check', 'attack', 'e2e-packaged', 'judges'];

/** Whether one of the parts reads dist/ or out/. */
export const needsBuild = (parts) => parts.some((part) => !['check', 'lint', 'torture'].includes(part));

/**
 * Splits the command line into the parts of the tests to run and the arguments of their runners. Without a part, the usual ones run. attack
 * is the long form of the attack campaign, e2e-packaged (e2e once more, in the packaged app) is for releases, judges for large third
 * parties.
 *
 * @param {string[]} args parts first
 */
export function chosen(args) {
  if (args[0] === buildFailed) return { ...chosen(args.slice(1)), built: false };
  const end = args.findIndex((arg) => !all.includes(arg));
  const named = end < 0 ? args : args.slice(0, end);
  return { parts: named.length > 0 ? named : usual, words: args.slice(named.length), built: true };
}
