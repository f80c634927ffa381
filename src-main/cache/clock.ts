/** Returns the current time in whole seconds since the epoch. */
export type Clock = () => number;

/** The default clock. */
// eslint-disable-next-line no-restricted-properties -- a default for callers; everything else takes `now` as an argument.
export const systemClock: Clock = () => Math.floor(Date.now() / 1000);
