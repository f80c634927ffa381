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

export function copiedSecrets({ clipboard, now, after, onCleared }: CopiedSecretsOptions): CopiedSecrets {
  /** Only a hash, so that this process does not retain the secret after copying. */
  let held: { hash: string; cancel: () => void } | undefined;

  async function clear(): Promise<void> {
    const leaving = held;
    if (leaving === undefined) return;
    // It is held until it is cleared: where the clipboard fails, whoever locks the screen or quits tries again.
    if (hashOf(await clipboard.readText()) === leaving.hash) await clipboard.clear();
    if (held !== leaving) return; // cleared by another call, or another secret was copied meanwhile, which has its own deadline
    leaving.cancel();
    held = undefined;
    onCleared();
  }

  return {
    async copy(secret) {
      const earlier = held;
      // If the clipboard can't be read, it is left unchanged, because its content may be something else.
      const cancel = after(CLEARED_AFTER_MS, () => void clear().catch(() => undefined));
      const own = { hash: hashOf(secret), cancel };
      held = own; // before it is written: the app may quit meanwhile
      try {
        await clipboard.writeText(secret);
      } catch (error) {
        cancel();
        if (held === own) held = earlier; // which may still be on the clipboard
        throw error;
      }
      earlier?.cancel();
      return { clearsAt: now() + CLEARED_AFTER_MS };
    },
    clear,
    get holding() {
      return held !== undefined;
    },
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
