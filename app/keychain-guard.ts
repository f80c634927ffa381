/**
 * The system's keychain is accessed through native code that can crash the process or never return. A marker
 * file exists during each call. If the app finds one at start, its last run crashed: it says so, and calls the keychain
 * again only at the user's request, to avoid a crash loop.
 */
import { lstatSync } from 'node:fs';
import { type Keychain, KeychainError } from 'tokenkeep';
import { KeychainTimeoutError } from 'tokenkeep/errors';
import { removeFile, replaceFile } from './data-folder.ts';

export interface GuardedKeychain extends Keychain {
  /** The last run ended during a keychain call, and the user has not retried yet. */
  readonly crashed: boolean;
  /** A call is in progress, or timed out and has not returned since. */
  readonly asking: boolean;
  /** Allows calls again, at the user's request. */
  allow(): void;
  /** Call it when the app begins to exit normally, so that neither a pending call nor one that the exit makes is taken for a crash. */
  end(): void;
}

const HELD =
  'Tokenkeep ended unexpectedly the last time it asked the system’s keychain, so it has not asked again. ' +
  'Your saved sign-ins are untouched. Choose Retry to ask the keychain.';

export function guardKeychain(keychain: Keychain, marker: string): GuardedKeychain {
  let crashed = isMarked(marker);
  let asking = 0;
  let ended = false;

  const answered = (): void => {
    asking -= 1;
    if (asking === 0) unmark(marker);
  };

  async function guarded<T>(ask: () => Promise<T>): Promise<T> {
    if (crashed) throw new KeychainError('keychain_unavailable', HELD);
    if (asking === 0 && !ended) mark(marker);
    asking += 1;
    let answer: T;
    try {
      answer = await ask();
    } catch (error) {
      // After a timeout, the native call is still running and can still crash the process.
      if (error instanceof KeychainTimeoutError) error.answer.then(answered, answered);
      else answered();
      throw error;
    }
    answered();
    return answer;
  }

  return {
    ...(keychain.label === undefined ? {} : { label: keychain.label }),
    get: (service, account) => guarded(() => keychain.get(service, account)),
    set: (service, account, secret) => guarded(() => keychain.set(service, account, secret)),
    delete: (service, account) => guarded(() => keychain.delete(service, account)),
    get crashed() {
      return crashed;
    },
    get asking() {
      return asking > 0;
    },
    allow() {
      crashed = false;
    },
    end() {
      ended = true;
      if (!crashed) unmark(marker);
    },
  };
}

function mark(marker: string): void {
  try {
    replaceFile(marker, '');
  } catch {
    // Without a marker, on a full or read-only disk, a crash is not reported. Nothing else is lost.
  }
}

function unmark(marker: string): void {
  try {
    removeFile(marker);
  } catch {
    // One that can't be removed says at the next start that the app crashed. The answer must not be lost for that.
  }
}

/** Whether the app left the marker. What is no file is not its own. */
function isMarked(marker: string): boolean {
  try {
    return lstatSync(marker).isFile();
  } catch {
    return false;
  }
}
