import fs, { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { Worker } from 'node:worker_threads';
import { say } from '../say.ts';

interface Native {
  tryLock: (fd: number) => boolean;
  unlock: (fd: number) => void;
}

/**
 * Says when this process gets a lock and lets it go, seen where the vault asks the system for it, on this thread, or the thread for
 * locks: `lock NAME SINCE TIME DELAYS CALLS`, `unlock NAME`. SINCE is when it began to wait, 0 where it did not. DELAYS is how long
 * its threads have been ready and not let run so far; see `delaysIn`. CALLS are the file system calls that kept the main thread.
 */
export function watchLocks(): void {
  watchThread();
  watchCalls();
  const native: Native = createRequire(import.meta.url)('fs-native-extensions');
  const { tryLock, unlock } = native;
  // This thread tries once, and asks the thread for locks if that fails. A lock that it gets, it has not waited for.
  native.tryLock = (fd) => {
    if (!tryLock(fd)) return false;
    say('lock', nameOf(fd), 0, now(), '-', '-');
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
  names: string[];
}

interface Spoken {
  postMessage: (this: Worker, message: Message) => void;
  emit: (this: Worker, event: string, ...values: unknown[]) => boolean;
}

/** The thread for locks acquires those that have to be waited for. */
function watchThread(): void {
  const { postMessage, emit } = Worker.prototype as unknown as Spoken;
  const asked = new Map<number, Asked>();
  Worker.prototype.postMessage = function (this: Worker, message: Message): void {
    if (message.files !== undefined) {
      const names = message.files.map(({ file }) => file.path.replace(/^.*\./, ''));
      asked.set(message.id, { since: now(), names });
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

/** Calls of the main thread into the file system that took longer than `LONG_CALL`; the last hundred. */
const calls: Call[] = [];
const LONG_CALL = 2_000_000n;

/** A call that blocked a thread, in nanoseconds of the monotonic clock. */
export interface Call {
  name: string;
  start: bigint;
  end: bigint;
}

/** Measures the calls that block the main thread: while one lasts, it can't hear that it has the lock. */
function watchCalls(): void {
  const all = fs as unknown as Record<string, unknown>;
  for (const name of Object.keys(all)) {
    const call = all[name];
    if (!name.endsWith('Sync') || typeof call !== 'function') continue;
    all[name] = (...given: unknown[]): unknown => {
      const start = now();
      try {
        return Reflect.apply(call, fs, given);
      } finally {
        const end = now();
        if (end - start > LONG_CALL) calls.push({ name, start, end });
        if (calls.length > 100) calls.shift();
      }
    };
  }
  syncBuiltinESMExports();
}

/** Returns the calls in a line of `watchLocks`. */
export function callsIn(text: string): Call[] {
  return Array.from(text.matchAll(/(\w+)=(\d+)-(\d+)/g), ([, name = '', start = '0', end = '0']) => ({
    name,
    start: BigInt(start),
    end: BigInt(end),
  }));
}

/** All locks except the last were needed only to get the last one. */
function tell({ since, names }: Asked): void {
  const at = now();
  const delays = delaysOf('self');
  const longest = calls
    .filter(({ end }) => end > since)
    .map((call) => `${call.name}=${call.start}-${call.end}`);
  for (const name of names) say('lock', name, since, at, delays, longest.join(',') || '-');
  for (const name of names.slice(0, -1)) say('unlock', name);
}

/**
 * Nanoseconds for which each thread of a process was ready and not let run, as `THREAD=NANOSECONDS,…`; see proc(5), `schedstat`.
 *
 * @param process its id, or `self`
 */
export function delaysOf(process: number | 'self'): string {
  const found: string[] = [];
  const tasks = `/proc/${process}/task`;
  try {
    for (const thread of readdirSync(tasks)) {
      const [, delay = '0'] = readFileSync(`${tasks}/${thread}/schedstat`, 'utf8').split(' ');
      found.push(`${thread}=${delay}`);
    }
  } catch {
    // It has ended, or one of its threads has.
  }
  return found.join(',') || '-';
}

/** By thread. */
export function delaysIn(text: string): Map<string, bigint> {
  return new Map(
    text === '-'
      ? []
      : text.split(',').map((one): [string, bigint] => {
          const [thread = '', delay = '0'] = one.split('=');
          return [thread, BigInt(delay)];
        }),
  );
}

function now(): bigint {
  return process.hrtime.bigint();
}

function nameOf(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`).replace(/^.*\./, '');
}
