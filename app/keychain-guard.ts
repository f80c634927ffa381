/**
 * The system's keychain is reached through native code that can end the whole process, or never come back. A marker
 * file stands while it is being asked. A start that finds one knows how the last one ended: it says so, and asks
 * again only when the user does, instead of ending in the same place for ever.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Keychain, KeychainError } from 'tokenkeep';
import { KeychainTimeoutError } from 'tokenkeep/errors';

export interface GuardedKeychain extends Keychain {
  /** The last start ended while the keychain was asked, and the user has not asked for another try yet. */
  readonly crashed: boolean;
  /** A call is under way, or timed out and has not come back since. */
  readonly asking: boolean;
  /** The user wants it asked again. */
  allow(): void;
  /** The app ends in good order: whatever is still unanswered is no crash. */
  end(): void;
}

const HELD =
  'Tokenkeep ended unexpectedly the last time it asked the system’s keychain, so it has not asked again. ' +
  'Your saved sign-ins are untouched. Choose Retry to ask the keychain.';

export function guardKeychain(keychain: Keychain, marker: string): GuardedKeychain {
  let crashed = existsSync(marker);
  let asking = 0;

  const answered = (): void => {
    asking -= 1;
    if (asking === 0) unmark(marker);
  };

  async function guarded<T>(ask: () => Promise<T>): Promise<T> {
    if (crashed) throw new KeychainError('keychain_unavailable', HELD);
    if (asking === 0) mark(marker);
    asking += 1;
    try {
      const answer = await ask();
      answered();
      return answer;
    } catch (error) {
      // After a timeout the native call is still under way, and can still bring the process down.
      if (error instanceof KeychainTimeoutError) error.answer.then(answered, answered);
      else answered();
      throw error;
    }
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
      if (!crashed) unmark(marker);
    },
  };
}

function mark(marker: string): void {
  try {
    mkdirSync(dirname(marker), { recursive: true, mode: 0o700 });
    writeFileSync(marker, '', { mode: 0o600 });
  } catch {
    // No marker on a full or read-only disk: a crash would go untold, and nothing else is lost.
  }
}

function unmark(marker: string): void {
  rmSync(marker, { force: true });
}
