/** An argument before the parts if the build failed: steps that need the build are not run, and count as failed. */
export const buildFailed = '--build-failed';
/** An argument before the parts: the results of an earlier run, as JSON, to which those of this run are added. */
export const after = (totals) => `--after=${JSON.stringify(totals)}`;
/** An argument before the parts: a file for the results, which are not printed. */
export const totalsIn = (file) => `--totals=${file}`;

const usual = ['lint', 'unit', 'torture', 'e2e', 'packaged'];
const all = [...usual, 'check', 'attack', 'e2e-packaged', 'judges', 'judges-e2e'];

/** Whether one of the parts reads dist/ or out/. */
export const needsBuild = (parts) => parts.some((part) => !['check', 'lint', 'torture'].includes(part));

/**
 * Splits the command line into the parts of the tests to run and the arguments of their runners. Without a part, the usual ones run. attack
 * is the long form of the attack campaign, e2e-packaged (e2e once more, in the packaged app) is for releases, judges for large third
 * parties, and judges-e2e for what takes long in a real Electron.
 *
 * @param {string[]} args parts first
 */
export function chosen(args) {
  const [, name, value] = /^--(build-failed|after|totals)(?:=(.*))?$/s.exec(args[0] ?? '') ?? [];
  const rest = () => chosen(args.slice(1));
  if (name === 'build-failed') return { ...rest(), built: false };
  if (name === 'after') return { ...rest(), earlier: JSON.parse(value) };
  if (name === 'totals') return { ...rest(), totals: value };
  const end = args.findIndex((arg) => !all.includes(arg));
  const named = end < 0 ? args : args.slice(0, end);
  return { parts: named.length > 0 ? named : usual, words: args.slice(named.length), built: true };
}
