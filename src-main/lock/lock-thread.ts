/**
 * [Note: a thread for locks]
 * Locks are tried on a separate thread. `tryLock` is one system call, which returns at once on a local disk. On a file system that
 * hangs it never returns, and on the main thread that would block the program forever.
 *
 * The thread has no state: descriptors belong to the process, and the main thread knows which file each of them is. A thread
 * that hangs in a system call can therefore be abandoned, and another thread takes over its locks.
 */
import { type BigIntStats, close, fstat, fstatSync, lstat, lstatSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type * as native from 'fs-native-extensions';
import { codeOf } from '../error-code.ts';
import { LockError, type LockErrorCode, StorageError } from '../errors.ts';
import { isSameNode, LOCAL_FILE_SYSTEMS, openFilesMessage } from '../folders.ts';
import { loadedBinaries, NativeModuleFailure, nativeModule, RESTART_IF_UPDATED } from '../native-module.ts';
import { systemTimers } from '../waiting.ts';

/** A lock file: its path, and its descriptor once it is open. */
export interface LockFile {
  readonly path: string;
  fd: number | null;
  /**
   * Until when it is known to be on a local file system of Linux, where calls don't block; by `performance.now()`. 0: it was on another one
   * when it was locked. A network drive may be mounted over its folder at any time.
   */
  localUntil: number;
}

/** The outcome of an attempt: the lock is held, another program held it until the deadline, or the system refused. */
export type LockOutcome =
  | { readonly kind: 'held' }
  | { readonly kind: 'busy' }
  | {
      readonly kind: 'refused';
      readonly path: string;
      readonly during: 'open' | 'lock';
      readonly error: SystemError;
    }
  | { readonly kind: 'not-a-file'; readonly path: string; readonly error?: SystemError };

/** An error of the system, in a form that can be passed between threads. */
export interface SystemError {
  readonly message: string;
  readonly code: string;
}

/** Milliseconds between two checks of a thread with open requests. If it is in the same system call at both, it hangs. */
const LOOK = 750;
/** The largest number of hanging threads. Each takes some memory until its system call returns. */
const MOST_HUNG = 4;
/** Milliseconds that a request gets in addition to its deadline. */
const GRACE = 250;
/** Milliseconds that a thread gets to start. It takes 20; only a machine that has far too much to do needs seconds. */
const START = 30_000;
/** How long it is remembered that a file system is local, in milliseconds. */
const BELIEVED = 5_000;
/** How often a path may lead to another file than the one that was just opened there. Some file systems have no lasting numbers. */
const MOST_OTHERS = 100;

/**
 * The script of the thread. It is a string, so that bundlers need no second file.
 *
 * A request lists lock files to lock in order. When the last one is held, the others are released. `at[0]` is the request whose
 * system call the thread is in (0: none), `at[1]` counts the calls, and `at[2]` is the request in which the thread was abandoned.
 */
const SCRIPT = `
const { parentPort, workerData } = require('node:worker_threads');
const { openSync, closeSync, fstatSync, lstatSync, statfsSync, constants } = require('node:fs');
const { dirname } = require('node:path');
const { binary, at, local } = workerData;
const native = binary === null ? systemCalls() : addonIn(binary);
const FLAGS = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

function addonIn(path) {
  const addon = { exports: {} };
  process.dlopen(addon, path);
  return addon.exports;
}

// [Note: locks under Bun] The same locks (fcntl(2), "Open file description locks"), without the addon.
function systemCalls() {
  const { dlopen, read } = require('bun:ffi');
  const { errno } = require('node:os').constants;
  const shape = { fcntl: { args: ['i32', 'i32', 'ptr'], returns: 'i32' }, __errno_location: { args: [], returns: 'ptr' } };
  const names = ['libc.so.6', 'libc.musl-' + (process.arch === 'arm64' ? 'aarch64' : 'x86_64') + '.so.1'];
  let libc;
  for (const name of names) {
    try {
      libc ??= dlopen(name, shape).symbols;
    } catch (error) {
      if (name === names.at(-1)) throw error;
    }
  }
  const [SETLK, WRITE, UNLOCK] = [37, 1, 2];
  const set = (fd, type) => {
    const lock = new Uint8Array(32); // struct flock of 64-bit systems; all zeros: the whole file
    lock[0] = type;
    if (libc.fcntl(fd, SETLK, lock) === 0) return;
    const number = read.i32(libc.__errno_location(), 0);
    const code = Object.keys(errno).find((name) => errno[name] === number) ?? 'EAGAIN';
    throw Object.assign(new Error(code + ': fcntl'), { code });
  };
  return { tryLock: (fd) => set(fd, WRITE), unlock: (fd) => set(fd, UNLOCK) };
}

function attempt(file, id) {
  let others = 0;
  for (;;) {
    let during = 'open';
    try {
      if (file.fd === null) {
        file.fd = openSync(file.path, FLAGS, 0o600);
        parentPort.postMessage({ id, opened: file.path, fd: file.fd });
        if (!fstatSync(file.fd).isFile()) {
          shut(file);
          return { kind: 'not-a-file', path: file.path };
        }
      }
      during = 'lock';
      native.tryLock(file.fd, 0, 0, true);
      during = 'look';
      if (isNamed(file)) return null;
      // The file was deleted, renamed or replaced, or its folder was: other programs lock another one.
      shut(file);
      if ((others += 1) === ${MOST_OTHERS}) {
        const message = 'it finds another file under the same name each time';
        return { kind: 'refused', path: file.path, during: 'lock', error: { message, code: '' } };
      }
    } catch (error) {
      if (during === 'look') {
        shut(file);
        during = 'open';
      }
      if (during === 'lock' && (error.code === 'EAGAIN' || error.code === 'EWOULDBLOCK' || error.code === 'EBUSY')) return 'busy';
      if (error.code === 'EINTR') continue;
      if (during === 'open' && ['ELOOP', 'EMLINK', 'EISDIR', 'ENXIO', 'EFTYPE'].includes(error.code)) {
        return { kind: 'not-a-file', path: file.path, error: plain(error) };
      }
      return { kind: 'refused', path: file.path, during, error: plain(error) };
    }
  }
}

// Returns whether the path leads to the open file. Numbers of files may be larger than a double can hold.
function isNamed({ fd, path }) {
  const own = fstatSync(fd, { bigint: true });
  const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return there !== undefined && isSameNode(there, own);
}

// The same as in folders.ts.
function isSameNode(a, b) {
  const volume = (dev) => (process.platform === 'win32' ? BigInt.asUintN(32, dev) : dev);
  return a.ino === b.ino && volume(a.dev) === volume(b.dev);
}

// Returns the fields of an error: its code would be lost between threads.
function plain({ message, code = '' }) {
  return { message, code };
}

function shut(file) {
  closeSync(file.fd);
  file.fd = null;
}

// Waiting requests: false once they are cancelled.
const wanted = new Map();

async function acquire({ id, files, deadline }) {
  wanted.set(id, true);
  const until = performance.now() + deadline;
  const held = [];
  let outcome = { kind: 'held' };
  for (const { file, pause: longest } of files) {
    for (let pause = 1; ; pause = Math.min(pause * 1.6, longest)) {
      // Another thread has taken over this request, because this one was abandoned in a hanging call.
      if (![0, id].includes(Atomics.load(at, 2))) return;
      if (!wanted.get(id)) {
        outcome = { kind: 'busy' };
        break;
      }
      Atomics.store(at, 0, id);
      Atomics.add(at, 1, 1);
      const problem = attempt(file, id);
      Atomics.store(at, 0, 0);
      if (problem === null) held.push(file);
      else if (problem !== 'busy') outcome = problem;
      else if (performance.now() > until) outcome = { kind: 'busy' };
      else {
        await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
        continue;
      }
      break;
    }
    if (outcome.kind !== 'held') break;
  }
  wanted.delete(id);
  const keep = outcome.kind === 'held' ? held.at(-1) : undefined;
  // The main thread can use the last lock while this thread releases the ones before it.
  const fds = files.map(({ file }) => file.fd);
  if (keep === undefined) release(held);
  parentPort.postMessage({ id, outcome, fds, isLocal: keep !== undefined && isLocal(keep.path) });
  if (keep !== undefined) release(held.filter((file) => file !== keep));
}

function isLocal(path) {
  try {
    return local.includes(statfsSync(dirname(path)).type);
  } catch {
    return false;
  }
}

function release(files) {
  for (const { fd } of files) {
    try {
      native.unlock(fd, 0, 0);
    } catch {
      // The file was closed, which released the lock.
    }
  }
}

parentPort.on('message', (message) => {
  if (message.files) void acquire(message);
  else if (message.release !== undefined) release([{ fd: message.release }]);
  else if (message.end) parentPort.close();
  else if (message.callOff !== undefined) {
    if (wanted.has(message.callOff)) wanted.set(message.callOff, false);
  }
  else {
    for (const fd of message.close) {
      try {
        closeSync(fd);
      } catch {
        // Already closed.
      }
    }
    parentPort.postMessage({ id: message.id });
  }
});
parentPort.postMessage({ id: 0 });
`;

interface Answer {
  /** 0: the thread is running. */
  readonly id: number;
  readonly outcome?: LockOutcome;
  /** The descriptors of the request's files. */
  readonly fds?: readonly (number | null)[];
  readonly isLocal?: boolean;
  /** The path of a file of the request that was opened, with `fd`. The answer itself follows. */
  readonly opened?: string;
  readonly fd?: number;
}

interface Request {
  readonly message: { readonly id: number };
  readonly opened?: (path: string, fd: number) => void;
  /** @param thread the thread that answers, which may no longer be the one in use */
  readonly answered: (answer: Answer, thread: Thread) => void;
  readonly failed: (error: unknown) => void;
}

/** A running thread and its open requests. */
class Thread {
  /** Rejects if the thread can't start. */
  readonly started: Promise<void>;
  readonly requests = new Map<number, Request>();
  readonly #givenUp = new Set<number>();
  /** Shared with the thread, see `SCRIPT`. */
  readonly #at = new Int32Array(new SharedArrayBuffer(12));
  readonly #worker: Worker;
  #seen = { state: '', since: 0 };

  /** @param binary `null` under Bun */
  constructor(binary: string | null) {
    this.#worker = new Worker(SCRIPT, {
      eval: true,
      env: {},
      execArgv: [],
      // Descriptors outlive their thread: the locks of one that hung are still held.
      trackUnmanagedFds: false,
      workerData: { binary, at: this.#at, local: binary === null ? [] : LOCAL_FILE_SYSTEMS },
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
    });
    this.started = new Promise((resolve, reject) => {
      this.requests.set(0, { message: { id: 0 }, answered: () => resolve(), failed: reject });
    });
    this.started.catch(() => undefined); // Reported to callers that ask for a lock.
    this.#worker.on('message', (answer: Answer) => {
      const request = this.requests.get(answer.id);
      if (answer.opened !== undefined) {
        request?.opened?.(answer.opened, answer.fd ?? -1);
        return;
      }
      this.requests.delete(answer.id);
      this.giveUp(answer.id);
      request?.answered(answer, this);
    });
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new ThreadEnded('The thread for locks has ended.')));
  }

  /** Sends a request. The process does not exit while it waits for the answer. */
  ask(request: Request): void {
    this.requests.set(request.message.id, request);
    this.#worker.ref();
    this.#worker.postMessage(request.message);
  }

  /** Lets the process exit, unless a caller waits for another answer. */
  giveUp(id: number): void {
    if (this.requests.has(id)) this.#givenUp.add(id);
    else this.#givenUp.delete(id);
    if (this.requests.size === this.#givenUp.size) this.#worker.unref();
  }

  tell(message: object): void {
    this.#worker.postMessage(message);
  }

  /** Returns the request in whose system call the thread has been for longer than `LOOK`; `null` if there is none. */
  stuckIn(): number | null {
    const [id, calls] = [Atomics.load(this.#at, 0), Atomics.load(this.#at, 1)];
    const [state, now] = [`${id} ${calls}`, performance.now()];
    if (id === 0 || this.#seen.state !== state) this.#seen = { state, since: now };
    return now - this.#seen.since > LOOK ? id : null;
  }

  get isStuck(): boolean {
    return Atomics.load(this.#at, 0) !== 0;
  }

  /** Takes over the requests of a hanging thread that callers still wait for, except the one that it hangs in. */
  leaveBehind(except: number): Request[] {
    Atomics.store(this.#at, 2, except);
    const taken = [...this.requests.values()].filter(
      ({ message: { id } }) => id !== except && !this.#givenUp.has(id),
    );
    for (const { message } of taken) this.requests.delete(message.id);
    return taken;
  }

  /** Ends the thread once it has released the queue locks, which it does after its answer. */
  stop(): void {
    this.tell({ end: true });
  }

  #end(error: unknown): void {
    threads.delete(this);
    if (threads.size === 0) process.off('exit', endAnyway);
    if (working === this) working = null;
    for (const [id, { failed }] of this.requests) {
      this.requests.delete(id);
      failed(error);
    }
  }
}

/** The thread in use. Hanging threads are abandoned, and end when their system call returns. */
let working: Thread | null = null;
const threads = new Set<Thread>();
/** Paths on which locking hangs. Another attempt would block another thread. */
const hanging = new Set<string>();
let lastId = 0;

/**
 * Takes the locks in order, waiting for each, and resolves with the outcome. All but the last are released again.
 *
 * @param files each with the longest pause between two tries, in milliseconds
 * @param deadline milliseconds
 * @param signal ends the wait, as the deadline does: with `busy`, if the locks are not held yet
 * @throws LockError `lock_timeout`, `lock_module_missing` or `lock_module_failed`; StorageError if too many files are open, or the machine
 *   has no room or no time for the thread
 */
export async function acquire(
  files: readonly { readonly file: LockFile; readonly pause: number }[],
  deadline: number,
  signal?: AbortSignal,
): Promise<LockOutcome> {
  const last = files.at(-1)?.file;
  const path = last?.path ?? '';
  const hung = files.find(({ file }) => hanging.has(file.path));
  if (hung !== undefined) throw timeout(path, 0);
  const binary = await binaryPath().catch((error: unknown) => {
    throw moduleError(error, path);
  });
  working ??= startThread(binary);
  await within(START, working.started).catch((error: unknown) => {
    throw threadError(error, path);
  });
  const id = (lastId += 1);
  const callOff = (): void => {
    for (const thread of threads) thread.tell({ callOff: id });
  };
  return new Promise((resolve, reject) => {
    const until = performance.now() + deadline + GRACE;
    let timedOut = false;
    let isSettled = false;
    const giveUp = (): void => {
      if (isSettled) return;
      timedOut = true;
      clearInterval(look);
      signal?.removeEventListener('abort', callOff);
      for (const { file } of files) hanging.add(file.path);
      for (const thread of threads) thread.giveUp(id);
      reject(timeout(path, deadline));
    };
    const look = setInterval(
      () => {
        if (performance.now() > until) setImmediate(giveUp); // [Note: late timers]
        leaveBehindIfStuck(binary);
      },
      Math.min(LOOK, deadline + GRACE + 1),
    );
    const settle = (): void => {
      isSettled = true;
      clearInterval(look);
      signal?.removeEventListener('abort', callOff);
      for (const { file } of files) hanging.delete(file.path);
    };
    working?.ask({
      message: { id, files, deadline } as { id: number },
      opened: (opened, fd) => {
        for (const { file } of files) if (file.path === opened) file.fd = fd;
      },
      answered: ({ outcome = { kind: 'busy' }, fds = [], isLocal = false }, thread) => {
        settle();
        files.forEach(({ file }, index) => {
          file.fd = fds[index] ?? null;
          file.localUntil = isLocal ? performance.now() + BELIEVED : 0;
        });
        // The lock was taken after its caller had timed out, so release it here.
        if (timedOut && outcome.kind === 'held' && last !== undefined) void release(last, thread);
        resolve(outcome);
      },
      failed: (error) => {
        settle();
        reject(threadError(error, path));
      },
    });
    // The thread processes messages in order, so it knows the request by then.
    if (signal?.aborted === true) callOff();
    else signal?.addEventListener('abort', callOff);
  });
}

/**
 * Tries to take the locks on this thread, if that can't block it: all files are open and local. Takes a tenth of the time of the lock
 * thread. Resolves with `false` if a lock is held or a file is not suitable; use the lock thread then.
 */
export async function acquireAtOnce(files: readonly LockFile[]): Promise<boolean> {
  if (!files.every(({ localUntil, fd }) => localUntil > performance.now() && fd !== null)) return false;
  const { tryLock, unlock } = await load();
  const held: number[] = [];
  let all = false;
  try {
    all = files.every(({ fd, path }) => {
      if (fd === null || !tryLock(fd)) return false;
      held.push(fd);
      const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      return isSame(there, fstatSync(fd, { bigint: true }));
    });
  } catch {
    // The lock thread will encounter and report the same error.
  }
  for (const fd of all ? held.slice(0, -1) : held) unlock(fd);
  return all;
}

/**
 * Returns whether the path of a held lock leads to the locked file. If not, other programs lock another file. Waits for as long as the
 * file system does.
 */
export async function isInPlace({ path, fd, localUntil }: LockFile): Promise<boolean> {
  if (fd === null) return false;
  try {
    if (localUntil > performance.now())
      return isSame(lstatSync(path, { bigint: true }), fstatSync(fd, { bigint: true }));
    return isSame(
      await numbers((done) => lstat(path, { bigint: true }, done)),
      await numbers((done) => fstat(fd, { bigint: true }, done)),
    );
  } catch {
    return false;
  }
}

function numbers(
  call: (done: (error: Error | null, found: BigIntStats) => void) => void,
): Promise<BigIntStats> {
  return new Promise((resolve, reject) => {
    call((error, found) => (error === null ? resolve(found) : reject(error)));
  });
}

function isSame(a: BigIntStats | undefined, b: BigIntStats): boolean {
  return a !== undefined && isSameNode(a, b);
}

/** Releases a lock. Does not wait if the lock thread has to do it: that thread processes messages in order. */
export async function release(file: LockFile, thread = working): Promise<void> {
  const { localUntil, fd } = file;
  if (fd === null) return;
  if (localUntil > 0) {
    (await load()).unlock(fd);
    return;
  }
  if (thread !== null && threads.has(thread)) {
    thread.tell({ release: fd });
    return;
  }
  // Its thread has ended, and a lock ends with its descriptor. Closing may take long on a network drive; nobody waits for it.
  file.fd = null;
  close(fd, () => undefined);
}

/** Closes the files. Resolves when that is done, or when the thread hangs. */
export async function closeFiles(files: readonly LockFile[]): Promise<void> {
  const fds = files.flatMap(({ fd }) => fd ?? []);
  for (const file of files) file.fd = null;
  const thread = working;
  if (fds.length === 0 || thread === null) return;
  const id = (lastId += 1);
  const closed = new Promise<void>((resolve) => {
    thread.ask({
      message: { id, close: fds } as { id: number },
      answered: () => resolve(),
      failed: () => resolve(),
    });
  });
  await within(LOOK, closed).catch(() => undefined);
  thread.giveUp(id);
}

/** Hands the requests of a hanging thread to a new one. */
function leaveBehindIfStuck(binary: string | null): void {
  const thread = working;
  const stuck = thread?.stuckIn() ?? null;
  if (thread === null || stuck === null) return;
  if (!process.listeners('exit').includes(endAnyway)) process.on('exit', endAnyway);
  if (threads.size > MOST_HUNG) return;
  const request = thread.requests.get(stuck);
  const others = thread.leaveBehind(stuck);
  if (request !== undefined) {
    thread.requests.set(stuck, {
      ...request,
      answered: (answer) => {
        request.answered(answer, thread);
        thread.stop();
      },
    });
  }
  working = startThread(binary);
  for (const other of others) working.ask(other);
}

function startThread(binary: string | null): Thread {
  const thread = new Thread(binary);
  threads.add(thread);
  return thread;
}

/** A process waits for its threads to end, so a hanging thread would keep it running forever. */
function endAnyway(): void {
  if ([...threads].some((thread) => thread.isStuck)) process.kill(process.pid, 'SIGKILL');
}

/** The thread did not answer in time. */
class NoAnswer extends Error {}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const late = (): void => reject(new NoAnswer(`No answer in ${milliseconds} ms.`));
    timer = systemTimers.setTimeout(late, milliseconds);
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    systemTimers.clearTimeout(timer);
  }
}

/**
 * [Note: locks under Bun] When a lock is held by another program, the native module asks libuv to translate the system's error
 * (`uv_translate_sys_error`). Bun 1.4 does not have that function, and ends the process. Where the system call can be made without
 * the module, the thread makes it itself; all locks are then taken on the thread.
 */
const IS_BUN = 'bun' in process.versions;

const NAME = 'fs-native-extensions';
const load = nativeModule<typeof native>(NAME, () => import('fs-native-extensions'));

/**
 * Loads the native module on the main thread, where a program may check it first, and so early that an upgrade of the
 * program in place finds it loaded. Failing here is no error yet: it is loaded again when a lock is needed.
 */
export function preload(): void {
  if (IS_BUN) return;
  setTimeout(() => void load().catch(() => undefined), 1000).unref();
}

/** Set once the native module is loaded. */
let loadedPath: string | undefined;

/**
 * Returns the binary that the main thread has loaded. The thread gets the same one, even if the file was replaced since. `null`: see
 * IS_BUN.
 */
async function binaryPath(): Promise<string | null> {
  if (loadedPath !== undefined) return loadedPath;
  if (IS_BUN && process.platform === 'linux') return null;
  if (IS_BUN) throw new NativeModuleFailure('runtime', new Error(`Bun ends the process in ${NAME}.`));
  await load();
  const loaded = loadedBinaries().find((path) => path.includes(NAME));
  if (loaded === undefined) throw new Error(`The binary of ${NAME} was loaded in a way that is not known.`);
  // Electron's main thread maps paths in an archive to the unpacked files; other threads don't.
  return (loadedPath = loaded.replace(/\.asar([\\/])/, '.asar.unpacked$1'));
}

/** The error for a thread that has ended, or that did not start: because of the native module, or of the machine for now. */
function threadError(error: unknown, path: string): LockError | StorageError {
  const isOfNow = error instanceof NoAnswer || error instanceof ThreadEnded || isOfWorker(error);
  if (!isOfNow || openFilesMessage(error, '') !== undefined) return moduleError(error, path);
  return new StorageError(
    'storage_failed',
    `The thread that locks “${path}” ${error instanceof NoAnswer ? 'did not start in time' : 'can’t run'}, because this computer has too much to do, or too little memory. Nothing was written. Close other programs, then try again. The system says: “${wordsOf(error)}”`,
    { cause: error },
  );
}

/** Returns whether an error is about the thread itself, which Node could not start or has ended, and not about what it ran. */
function isOfWorker(error: unknown): boolean {
  return codeOf(error).startsWith('ERR_WORKER_');
}

class ThreadEnded extends Error {}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message.replaceAll(/\s+/g, ' ').slice(0, 300) : String(error);
}

function moduleError(error: unknown, path: string): LockError | StorageError {
  const reason = error instanceof NativeModuleFailure ? error.reason : 'not-loaded';
  const cause = error instanceof NativeModuleFailure ? error.cause : error;
  const tooMany = openFilesMessage(cause, 'Nothing was written.');
  if (tooMany !== undefined) return new StorageError('storage_failed', tooMany, { cause });
  const [code, what, remedy]: [LockErrorCode, string, string] =
    reason === 'runtime'
      ? [
          'lock_module_failed',
          IS_BUN
            ? 'Vaults can’t be written under Bun on this system: it would end the process when another program writes.'
            : 'Vaults can’t be written under Deno, which ends the process when it loads native modules of this kind.',
          'Run the program with Node.js.',
        ]
      : reason === 'not-found'
        ? [
            'lock_module_missing',
            `The native module for file locks (${NAME}) is not part of this program, so the vault can’t be written safely.`,
            'Install the app again. Developers: mark fs-native-extensions and keytar as external in your bundler, and ship both packages in node_modules (docs/embedding.md).',
          ]
        : [
            'lock_module_failed',
            `The native module for file locks (${NAME}) can’t be loaded, so the vault can’t be written safely.`,
            `${RESTART_IF_UPDATED} Otherwise install the app for this platform.`,
          ];
  return new LockError(
    code,
    path,
    `${what} Nothing was written. ${remedy} The system says: “${wordsOf(cause)}”`,
    {
      cause,
    },
  );
}

function timeout(path: string, deadline: number): LockError {
  const since = deadline === 0 ? 'still does not answer' : `did not answer within ${deadline / 1000} s`;
  return new LockError(
    'lock_timeout',
    path,
    `The file system ${since} when the vault’s lock file “${path}” was to be locked. Nothing was written. Check the network drive that it is on, then try again, or move the vault to a local disk.`,
  );
}
