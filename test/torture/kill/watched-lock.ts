import { readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { say } from '../say.ts';

interface Native {
  tryLock: (fd: number) => boolean;
  unlock: (fd: number) => void;
}

/** A try that was in vain, and when the next one is due. Nanoseconds. */
interface Refusal {
  first: bigint;
  due: bigint;
}

/**
 * Says when this process gets a lock and lets it go, seen where the vault asks the system for it: `lock NAME SINCE DUE
 * TIME`, `unlock NAME`. SINCE is the first try that was in vain, 0 where there was none. DUE is when the try that
 * succeeded was to be made: what lies between DUE and TIME, the process was not let run, for which no lock is to blame.
 */
export function watchLocks(): void {
  const native: Native = createRequire(import.meta.url)('fs-native-extensions');
  const { tryLock, unlock } = native;
  const { setTimeout } = globalThis;
  const refused = new Map<number, Refusal>();
  let asking: Refusal | undefined;
  const later = (callback: () => void, milliseconds = 0): NodeJS.Timeout => {
    if (asking !== undefined) asking.due = now() + BigInt(Math.round(milliseconds * 1e6));
    asking = undefined;
    return setTimeout(callback, milliseconds);
  };
  globalThis.setTimeout = Object.assign(later, setTimeout);
  native.tryLock = (fd) => {
    const before = refused.get(fd);
    if (!tryLock(fd)) {
      // The pause that is asked for next is the one until the next try.
      asking = before ?? { first: now(), due: now() };
      refused.set(fd, asking);
      return false;
    }
    refused.delete(fd);
    say('lock', nameOf(fd), before?.first ?? 0, before?.due ?? 0, now());
    return true;
  };
  native.unlock = (fd) => {
    say('unlock', nameOf(fd));
    unlock(fd);
  };
}

function now(): bigint {
  return process.hrtime.bigint();
}

function nameOf(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`).replace(/^.*\./, '');
}
