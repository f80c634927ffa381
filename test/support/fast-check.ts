import fc from 'fast-check';

/**
 * fast-check with the same inputs at every run, so that a run says something about the commit and not about the day.
 * `SEED=n` gives other inputs; the long campaigns go over many seeds.
 */
fc.configureGlobal({ seed: Number(process.env['SEED'] ?? 1) });

export default fc;
