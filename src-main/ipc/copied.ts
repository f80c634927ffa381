/** A token on the clipboard: how long it stays there, and how it leaves without taking anything else with it. */
import { createHash } from 'node:crypto';

/** The system's clipboard. Electron's is synchronous before version 44 and asynchronous since. */
export interface ClipboardDoor {
  readText(): string | Promise<string>;
  writeText(text: string): void | Promise<void>;
  clear(): void | Promise<void>;
}

export interface CopiedOptions {
  clipboard: ClipboardDoor;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Runs `work` after so many milliseconds, and gives what calls it off. */
  after: (milliseconds: number, work: () => void) => () => void;
  /** A copied token has left the clipboard, by itself or because it was cleared. */
  onCleared: () => void;
}

export interface Copied {
  /** Puts a secret on the clipboard, in place of one from before; gives the time at which it is cleared. */
  copy(secret: string): Promise<{ clearsAt: number }>;
  /** Clears the clipboard now if it still holds the secret; anything else on it stays. Rejects as the clipboard does. */
  clear(): Promise<void>;
  /** A secret may still be on the clipboard. */
  readonly holding: boolean;
}

const CLEARED_AFTER_MS = 30_000;

export function copiedSecrets({ clipboard, now, after, onCleared }: CopiedOptions): Copied {
  /** Only a hash is kept, so that the secret is not in this process for longer than it takes to copy it. */
  let held: { hash: string; callOff: () => void } | undefined;

  async function clear(): Promise<void> {
    const leaving = held;
    if (leaving === undefined) return;
    leaving.callOff();
    held = undefined; // one that is copied meanwhile has a time of its own
    if (hashOf(await clipboard.readText()) === leaving.hash) await clipboard.clear();
    onCleared();
  }

  return {
    async copy(secret) {
      held?.callOff();
      held = undefined;
      await clipboard.writeText(secret);
      // A clipboard that can't be read can't be cleared without risk to what else is on it: left as it is.
      const callOff = after(CLEARED_AFTER_MS, () => void clear().catch(() => undefined));
      held = { hash: hashOf(secret), callOff };
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
