/**
 * Closes the vault while the user is away, if the user wants that. Until it is unlocked, every request of the window is refused, except for
 * those that show the locked screen.
 */
import { PublicError } from 'tokenkeep/errors';

/** A request was made while the vault is closed because the user is away. The message is shown to users. */
export class AwayError extends PublicError<'away'> {
  constructor() {
    super('away', 'Tokenkeep is locked. Unlock it in its window. Your saved sign-ins are unchanged.');
  }
}

export interface AwayLockPorts {
  /** Whether the user wants the vault to be closed. */
  isWanted: () => boolean;
  /** Shows the locked screen and closes the vault. Called when requests are refused already. */
  close: () => Promise<void>;
  /** Asks the system to authenticate the user. Resolves with false if that failed; the user may try again. */
  authenticate: () => Promise<boolean>;
  /** Opens the vault and shows it. */
  open: () => Promise<void>;
}

export interface AwayLock {
  readonly locked: boolean;
  /** Call it when the user has left. */
  leave(): Promise<void>;
  /** Resolves with whether the vault is open. Call it after a real input event only. */
  unlock(): Promise<boolean>;
  /** Aborted when the user leaves or, if given, when `signal` is: no question stays open over the locked screen. */
  whileHere(signal?: AbortSignal): AbortSignal;
  /** Passes on the answer of a dialog of the system, which can't be closed. @throws AwayError if the user has left meanwhile */
  ifHere<T>(answer: Promise<T>): Promise<T>;
  /** Wraps handlers so that they refuse while the vault is closed, except for those named. */
  guard<Handlers extends object>(handlers: Handlers, except: readonly (keyof Handlers)[]): Handlers;
}

export function awayLock(ports: AwayLockPorts): AwayLock {
  let locked = false;
  let here = new AbortController();
  let closing: Promise<void> = Promise.resolve();
  let unlocking: Promise<boolean> | undefined;

  async function unlockOnce(): Promise<boolean> {
    if (!(await ports.authenticate())) return false;
    await closing.catch(() => undefined); // The caller of `leave` got the error. The user can unlock all the same.
    locked = false;
    here = new AbortController();
    await ports.open();
    return !locked; // the user may have left again meanwhile
  }

  return {
    get locked() {
      return locked;
    },
    async leave() {
      if (locked || !ports.isWanted()) return;
      locked = true;
      here.abort();
      closing = ports.close();
      await closing;
    },
    async unlock() {
      if (!locked) return true;
      unlocking ??= unlockOnce().finally(() => (unlocking = undefined));
      return unlocking;
    },
    whileHere: (signal) => (signal === undefined ? here.signal : AbortSignal.any([here.signal, signal])),
    async ifHere(answer) {
      const { signal } = here;
      const answered = await answer;
      if (signal.aborted) throw new AwayError();
      return answered;
    },
    guard(handlers, except) {
      const guarded = Object.entries(handlers).map(([name, handler]: [string, unknown]) => {
        if (typeof handler !== 'function' || (except as readonly string[]).includes(name))
          return [name, handler];
        const refusing = (...args: unknown[]): unknown => {
          if (locked) throw new AwayError();
          return Reflect.apply(handler, handlers, args);
        };
        return [name, refusing];
      });
      return Object.fromEntries(guarded) as typeof handlers;
    },
  };
}
