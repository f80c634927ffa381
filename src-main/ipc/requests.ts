/**
 * The shape of every conversation with a window: requests by name, their arguments checked before anything else
 * runs, their answers plain values. The token cache speaks it, and an app may use it for what it adds of its own.
 */
import { InvalidArgumentError } from '../errors.ts';

/** Plain signatures, as the window sees them once the answer has arrived: `interface R { info(): AppInfo }`. */
export type Requests<R> = { [Name in keyof R]: (...args: never[]) => unknown };

/** What answers them. `Caller` stands for the window that asks. A handler may throw: the error crosses as a value. */
export type Handlers<R extends Requests<R>, Caller> = {
  [Name in keyof R]: (
    caller: Caller,
    ...args: Parameters<R[Name]>
  ) => ReturnType<R[Name]> | Promise<ReturnType<R[Name]>>;
};

/** Gives the arguments of a request back, typed, or throws {@link InvalidArgumentError}. */
export type ArgumentCheck<Args extends readonly unknown[]> = (args: readonly unknown[]) => Args;

/** One check for each request of a contract. */
export type ArgumentChecks<R extends Requests<R>> = {
  [Name in keyof R]: ArgumentCheck<Parameters<R[Name]>>;
};

/** The names of a contract's parts, so that none is forgotten at either end; the compiler holds the list complete. */
export type Names<R> = Readonly<Record<keyof R, true>>;

/** The check of a request that takes nothing. */
export const noArguments: ArgumentCheck<[]> = (args) => {
  if (args.length > 0) throw new InvalidArgumentError('This request takes no arguments; some were sent.');
  return [];
};
