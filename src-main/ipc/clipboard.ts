/** Copied secrets: each is cleared from the clipboard after 30 seconds, unless something else is on it by then. */
import { createHash } from 'node:crypto';

/** The system's clipboard. Electron's is synchronous before version 44 and asynchronous since. */
export interface SystemClipboard {
  readText(): string | Promise<string>;
  writeText(text: string): void | Promise<void>;
  clear(): void | Promise<void>;
}

export interface CopiedSecretsOptions {
  clipboard: SystemClipboard;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Runs `work` after the given milliseconds; returns a function that cancels it. */
  after: (milliseconds: number, work: () => void) => () => void;
  /** Called when a copied token was cleared from the clipboard. */
  onCleared: () => void;
}

export interface CopiedSecrets {
  /** Puts a secret on the clipboard, in place of an earlier one; returns the time at which it is cleared. */
  copy(secret: string): Promise<{ clearsAt: number }>;
  /** Clears the clipboard if it still holds the secret; anything else on it stays. Rejects where the clipboard fails. */
  clear(): Promise<void>;
  /** A secret may still be on the clipboard. */
  readonly holding: boolean;
}

const CLEARED_AFTER_MS = 30_000;

/** A clipboard that does not answer holds up neither the next copy nor whoever quits. */
const LONGEST_TURN_MS = 2000;

export function copiedSecrets({ clipboard, now, after, onCleared }: CopiedSecretsOptions): CopiedSecrets {
  /** Only a hash, so that this process does not retain the secret after copying. */
  let held: { hash: string; cancel: () => void } | undefined;
  let copying = 0;
  /** The clipboard is asynchronous: a copy and a clear that overlap would undo each other, or leave a secret that nobody clears. */
  let last: Promise<unknown> = Promise.resolve();
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = last.then(() => limited(work));
    last = done.catch(() => undefined);
    return done;
  }

  function limited<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const tooLong = (): void => reject(new Error('The clipboard did not answer within 2 seconds.'));
      const cancel = after(LONGEST_TURN_MS, tooLong);
      work().finally(cancel).then(resolve, reject);
    });
  }

  async function clearNow(leaving: typeof held): Promise<void> {
    if (leaving === undefined || leaving !== held) return; // the next secret has its own deadline
    // It is held until it is cleared: where the clipboard fails, whoever locks the screen or quits tries again.
    const isThere = hashOf(await clipboard.readText()) === leaving.hash;
    if (leaving !== held) return; // The answer came after the end of this turn.
    if (isThere) await clipboard.clear();
    leaving.cancel();
    if (leaving === held) held = undefined;
    if (isThere) onCleared();
  }

  async function copyNow(secret: string): Promise<{ clearsAt: number }> {
    const earlier = held;
    // If the clipboard can't be read, it is left unchanged, because its content may be something else.
    const cancel = after(CLEARED_AFTER_MS, () => void inTurn(() => clearNow(own)).catch(() => undefined));
    const own = { hash: hashOf(secret), cancel };
    held = own;
    try {
      await clipboard.writeText(secret);
    } catch (error) {
      cancel();
      if (held === own) held = earlier; // which may still be on the clipboard
      throw error;
    }
    earlier?.cancel();
    return { clearsAt: now() + CLEARED_AFTER_MS };
  }

  return {
    copy(secret) {
      copying += 1; // before it is written: the app may quit meanwhile
      return inTurn(() => copyNow(secret)).finally(() => void (copying -= 1));
    },
    clear: () => inTurn(() => clearNow(held)),
    get holding() {
      return held !== undefined || copying > 0;
    },
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
