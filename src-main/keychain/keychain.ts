import { traced } from '../diagnostics.ts';
import { KeychainError, type KeychainErrorCode, KeychainTimeoutError } from '../errors.ts';
import { KeyedQueue, systemTimers } from '../waiting.ts';

/**
 * A store for small secrets, one per service and account: the keychain of the operating system, or anything that fulfills this contract.
 * `keychainConformance` checks an implementation.
 *
 * A call has one of four outcomes:
 *
 * - **key**: `get` resolves with the secret.
 * - **absent**: `get` resolves with `null`. The secret is not there, and the keychain is unlocked.
 * - **locked**: the call rejects with a `KeychainError` whose `outcome` is `locked`. The user can unlock the keychain.
 * - **unavailable**: the call rejects with a `KeychainError` whose `outcome` is `unavailable`. Its `code` says why.
 *
 * A call that waits for the user rejects with `KeychainTimeoutError` after about ten seconds; the error's `answer` settles later with what
 * the user decides. A `set` or `delete` that has timed out must not start writing afterwards, because another program may have stored its
 * own key by then.
 *
 * @example
 * import type { Keychain } from 'tokenkeep';
 *
 * const secrets = new Map<string, string>(); // your own service
 * const keychain: Keychain = {
 *   label: 'My secrets service',
 *   get: async (service, account) => secrets.get(`${service}/${account}`) ?? null,
 *   set: async (service, account, secret) => void secrets.set(`${service}/${account}`, secret),
 *   delete: async (service, account) => void secrets.delete(`${service}/${account}`),
 * };
 */
export interface Keychain {
  /** The name that users know it by, for status texts: "macOS Keychain". Default: "keychain". */
  readonly label?: string;

  /**
   * Resolves with the secret, or with `null` if there is none. Must not return `null` unless the secret is known to be absent: the caller
   * then creates a new key or reports the vault as unreadable. A store that gives the same answer for "locked" and "absent"
   * has to distinguish the two.
   */
  get(service: string, account: string, options?: KeychainGetOptions): Promise<string | null>;

  /** Stores the secret and reads it back. `secret` is printable ASCII of at most 2,560 bytes (the limit of Windows). */
  set(service: string, account: string, secret: string): Promise<void>;

  /** Overwrites the secret, reads it back and deletes it. Also resolves if there is nothing to delete. */
  delete(service: string, account: string): Promise<void>;
}

/** Options for `Keychain.get`. */
export interface KeychainGetOptions {
  /**
   * `false`: the caller decides nothing on `null`, which may then also mean "locked". Saves a keychain that can't tell
   * the two apart from writing to find out. Default: true.
   */
  readonly certain?: boolean;
  /**
   * `true`: the caller knows that the secret was stored. A keychain that consists of several then rejects instead of answering `null` while
   * one of them can't be asked. Default: false.
   */
  readonly stored?: boolean;
}

/**
 * Returns a keychain that lasts as long as the process, for tests and demos. It protects nothing.
 *
 * @example
 * import { memoryKeychain, openVault } from 'tokenkeep';
 *
 * const vault = await openVault({ file: '/tmp/test.vault', keychain: memoryKeychain() });
 */
export function memoryKeychain(): Keychain {
  const secrets = new Map<string, string>();
  const keyOf = (service: string, account: string): string => JSON.stringify([service, account]);
  return {
    label: 'Memory',
    get: (service, account) => Promise.resolve(secrets.get(keyOf(service, account)) ?? null),
    set: (service, account, secret) => {
      secrets.set(keyOf(service, account), secret);
      return Promise.resolve();
    },
    delete: (service, account) => {
      secrets.delete(keyOf(service, account));
      return Promise.resolve();
    },
  };
}

/**
 * Returns the keychain with its contract enforced: anything it throws or returns in breach of the contract becomes a `KeychainError` with
 * code `keychain_failed`. An error in a third-party keychain, such as a SyntaxError, is then never taken for a failure of the file system.
 *
 * @example
 * import { checkedKeychain, type Keychain } from 'tokenkeep/keychain';
 *
 * const hasKey = async (theirs: Keychain) => (await checkedKeychain(theirs).get('My App', 'key')) !== null;
 */
export function checkedKeychain(keychain: Keychain): Keychain {
  const checked = async <T>(method: 'get' | 'set' | 'delete', call: () => Promise<T>): Promise<T> => {
    try {
      return await traced(`keychain.${method}`, { keychain: labelOf(keychain) }, call);
    } catch (cause) {
      throw isKeychainError(cause)
        ? cause
        : keychainFailed(`${nameOf(keychain)} failed in ${method}.`, cause);
    }
  };
  return {
    get label() {
      return labelOf(keychain);
    },
    get: (service, account, options) =>
      checked('get', async () => {
        const secret: unknown = await inTime(async () => keychain.get(service, account, options));
        if (secret === null || typeof secret === 'string') return secret;
        const type = Array.isArray(secret) ? 'array' : typeof secret;
        throw keychainFailed(
          `${nameOf(keychain)} returned ${secret === undefined ? type : `a value of type ${type}`} from get, where a string or null was expected.`,
        );
      }),
    set: (service, account, secret) =>
      checked('set', async () => {
        await keychain.set(service, account, secret);
      }),
    delete: (service, account) =>
      checked('delete', async () => {
        await keychain.delete(service, account);
      }),
  };
}

/** Checks the code as well as the class, because the keychain may come with another copy of this library. */
function isKeychainError(error: unknown): error is KeychainError {
  if (error instanceof KeychainError) return true;
  return (
    error instanceof Error && 'outcome' in error && 'code' in error && /^keychain_/.test(String(error.code))
  );
}

function labelOf({ label }: Keychain): string {
  return typeof label === 'string' && label !== '' ? label : 'keychain';
}

/** Names the keychain at the beginning of a sentence. */
function nameOf(keychain: Keychain): string {
  return keychain.label === undefined ? 'The keychain' : labelOf(keychain);
}

/** The consequence of every keychain failure for the data. */
export const NOTHING_CHANGED = 'Nothing was changed, and nothing is saved until this is solved.';

function keychainFailed(what: string, cause?: unknown): KeychainError {
  return keychainError('keychain_failed', what, 'Report this to the developer of the app.', cause);
}

/** Makes the error with the three parts that its message needs: what happened, what it means for the data, what to do. */
export function keychainError(
  code: KeychainErrorCode,
  what: string,
  remedy: string,
  cause?: unknown,
): KeychainError {
  const words = cause === undefined ? '' : ` ${quoted(cause)}`;
  const message = `${what} ${NOTHING_CHANGED} ${remedy}${words}`;
  return new KeychainError(code, message, cause === undefined ? undefined : { cause });
}

const LONGEST_QUOTE = 300;

/** Quotes a system error for display: one line, without invisible characters or ones that change the text direction. */
function quoted(cause: unknown): string {
  const text = cause instanceof Error ? cause.message || cause.name : String(cause);
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const characters = Array.from(line);
  const shown = characters.length > LONGEST_QUOTE ? `${characters.slice(0, LONGEST_QUOTE).join('')}…` : line;
  return shown === '' ? '' : `The system says: “${shown}”`;
}

/**
 * The two timer functions, so that a test can control the clock.
 *
 * @example
 * import type { Timers } from 'tokenkeep/keychain';
 *
 * const timers: Timers = { setTimeout: (callback, ms) => setTimeout(callback, ms), clearTimeout: () => undefined };
 */
export interface Timers {
  /** Returns a handle for `clearTimeout`. */
  setTimeout(callback: () => void, milliseconds: number): unknown;
  /** Clearing a timer that has fired is no error. */
  clearTimeout(timer: unknown): void;
}

/** A function passed to a task. Throws once the caller has been told that the call timed out, because the caller may have acted on that. */
export type AssertWanted = () => void;

/**
 * [Note: one call at a time]
 * A queue with a deadline for each caller. A task that hangs keeps its place, so that no other call starts: each call into the keychain
 * blocks one of libuv's four threads, and four calls that wait for a prompt would block all file operations of the process. Simultaneous
 * calls have also crashed libsecret.
 */
export class DeadlineQueue {
  readonly #queue = new KeyedQueue();
  readonly #deadline: number;
  readonly #timers: Timers;

  /** @param deadline milliseconds that a caller waits, including its time in the queue */
  constructor(deadline: number, timers: Timers = systemTimers) {
    this.#deadline = deadline;
    this.#timers = timers;
  }

  /** @throws KeychainTimeoutError, whose `answer` settles as the task does */
  run<T>(task: (assertWanted: AssertWanted) => Promise<T>): Promise<T> {
    let timedOut = false;
    const assertWanted = (): void => {
      if (timedOut) throw timeout(answer);
    };
    const answer: Promise<T> = this.#queue.run('', () => task(assertWanted));
    return new Promise((resolve, reject) => {
      const timer = this.#timers.setTimeout(() => {
        timedOut = true;
        reject(timeout(answer));
      }, this.#deadline);
      answer.then(resolve, reject).finally(() => {
        this.#timers.clearTimeout(timer);
      });
    });
  }
}

/** Milliseconds that a read may take, of whichever keychain. A write is waited for: a late one must not replace what came after it. */
const READ_DEADLINE = 10_000;

/** Rejects with a KeychainTimeoutError after the deadline. */
function inTime<T>(call: () => Promise<T>): Promise<T> {
  return new DeadlineQueue(READ_DEADLINE).run(call);
}

function timeout(answer: Promise<unknown>): KeychainTimeoutError {
  return new KeychainTimeoutError(
    'The keychain has not answered yet. It may be waiting for you in a window of its own. Nothing was changed. Answer its prompt, or unlock it and try again.',
    answer,
  );
}
