import fc from 'fast-check';

/**
 * fast-check with the same inputs in every run, so that results depend only on the commit. `SEED=n` gives other inputs; the long campaigns
 * use many seeds.
 */
fc.configureGlobal({ seed: Number(process.env['SEED'] ?? 1) });

export default fc;
