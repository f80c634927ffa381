import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { say } from '../say.ts';

interface Native {
  tryLock: (fd: number) => boolean;
  unlock: (fd: number) => void;
}

/**
 * Says when this process gets a lock and lets it go, seen where the vault asks the system for it, on this thread, or the thread for
 * locks: `lock NAME SINCE DUE TIME`, `unlock NAME`. SINCE is when it began to wait, 0 where it did not. DUE is when it would have had
 * the lock if it had been let run: what lies between DUE and TIME is the machine's load, for which no lock is to blame.
 */
export function watchLocks(): void {
  watchThread();
  const native: Native = createRequire(import.meta.url)('fs-native-extensions');
  const { tryLock, unlock } = native;
  // This thread tries once, and asks the thread for locks if it was in vain: what it gets, it has not waited for.
  native.tryLock = (fd) => {
    if (!tryLock(fd)) return false;
    say('lock', nameOf(fd), 0, 0, now());
    return true;
  };
  native.unlock = (fd) => {
    say('unlock', nameOf(fd));
    unlock(fd);
  };
}

/** A request to the thread for locks, and its answer. Other messages have other members. */
interface Message {
  id: number;
  files?: { file: { path: string } }[];
  outcome?: { kind: string };
}

interface Asked {
  since: bigint;
  /** By thread. */
  delays: ReadonlyMap<string, bigint>;
  names: string[];
}

interface Spoken {
  postMessage: (this: Worker, message: Message) => void;
  emit: (this: Worker, event: string, ...values: unknown[]) => boolean;
}

/** The thread for locks takes those that have to be waited for. */
function watchThread(): void {
  const { postMessage, emit } = Worker.prototype as unknown as Spoken;
  const asked = new Map<number, Asked>();
  Worker.prototype.postMessage = function (this: Worker, message: Message): void {
    if (message.files !== undefined) {
      const names = message.files.map(({ file }) => file.path.replace(/^.*\./, ''));
      asked.set(message.id, { since: now(), delays: delays(), names });
    }
    postMessage.call(this, message);
  };
  Worker.prototype.emit = function (this: Worker, event: string, ...values: unknown[]): boolean {
    const message = values[0] as Message;
    const request = event === 'message' ? asked.get(message.id) : undefined;
    if (request !== undefined && message.outcome !== undefined) {
      asked.delete(message.id);
      if (message.outcome.kind === 'held') tell(request);
    }
    return emit.call(this, event, ...values);
  };
}

/** All but the last lock were only the way to it. */
function tell({ since, delays: before, names }: Asked): void {
  const at = now();
  // The thread for locks has to run until it has the lock, and then this thread, to hear of it. Which of the others is the
  // thread for locks is not known: it is at most the one that waited longest.
  const own = String(process.pid);
  let [here, longest] = [0n, 0n];
  for (const [thread, delay] of delays()) {
    const waited = delay - (before.get(thread) ?? 0n);
    if (thread === own) here = waited;
    else if (waited > longest) longest = waited;
  }
  const due = at - here - longest;
  for (const name of names) say('lock', name, since, due < since ? since : due, at);
  for (const name of names.slice(0, -1)) say('unlock', name);
}

/** Nanoseconds for which each thread of this process was ready and not let run; see proc(5), `schedstat`. */
function delays(): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      const [, delay = '0'] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ');
      found.set(thread, BigInt(delay));
    } catch {
      // It has ended.
    }
  }
  return found;
}

function now(): bigint {
  return process.hrtime.bigint();
}

function nameOf(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`).replace(/^.*\./, '');
}
