/** Seconds since the epoch, whole. */
export type Clock = () => number;

/** The clock of a cache that was given none: the one place in this folder that reads the time. */
// eslint-disable-next-line no-restricted-properties -- a default for callers; everything else takes `now` as an argument.
export const systemClock: Clock = () => Math.floor(Date.now() / 1000);
