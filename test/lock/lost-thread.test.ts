import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as threads from 'node:worker_threads';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { acquire, type LockFile, release } from '../../src-main/lock/lock-thread.ts';

const workers = vi.hoisted((): threads.Worker[] => []);
const next = vi.hoisted((): { script?: string } => ({}));
vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof threads>();
  class Seen extends real.Worker {
    constructor(...[script, options]: ConstructorParameters<typeof real.Worker>) {
      super(next.script ?? script, options);
      workers.push(this);
    }
  }
  return { ...real, Worker: Seen };
});

const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-lost-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  delete next.script;
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});
const lockFile = (name: string): LockFile => ({ path: join(folder, name), fd: null, localUntil: 0 });

test('a lock on a drive that is not local is released if its thread has ended', async () => {
  const path = join(folder, 'lock');
  const held: LockFile = { path, fd: null, localUntil: 0 };
  expect(await acquire([{ file: held, pause: 5 }], 2_000)).toEqual({ kind: 'held' });
  held.localUntil = 0; // As it would be there.
  await Promise.all(workers.map((worker) => worker.terminate()));
  const other: LockFile = { path, fd: null, localUntil: 0 };
  expect(await acquire([{ file: other, pause: 5 }], 2_000)).toEqual({ kind: 'busy' });
  await Promise.all(workers.map((worker) => worker.terminate()));

  await release(held);
  expect(await acquire([{ file: other, pause: 5 }], 5_000)).toEqual({ kind: 'held' });
  await release(other);
});

test('a thread that is slow to start because the machine is busy: said so, and no fault of the program’s', async () => {
  next.script = 'setInterval(() => undefined, 1000)';
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const taken = acquire([{ file: lockFile('slow'), pause: 5 }], 2_000).catch((error: unknown) => error);
  await vi.waitUntil(() => vi.getTimerCount() > 0, { interval: 10, timeout: 10_000 });
  vi.advanceTimersByTime(60_000);
  vi.useRealTimers();
  expect(await taken).toMatchObject({
    code: 'storage_failed',
    message: expect.stringMatching(/did not start in time.*too much to do.*Nothing was written.*try again/),
  });
});

test('a thread that the system has no room for: said so, and the next call has another one', async () => {
  next.script = `throw Object.assign(new Error('Worker initialization failure: EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' })`;
  const file = lockFile('room');
  const refused = await acquire([{ file, pause: 5 }], 2_000).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: 'storage_failed',
    message: expect.stringMatching(/can’t run.*too little memory.*Nothing was written.*EAGAIN/),
  });
  delete next.script;
  expect(await acquire([{ file, pause: 5 }], 5_000)).toEqual({ kind: 'held' });
  await release(file);
});

test('a program that was stopped beyond the deadline: the lock that it has got meanwhile is its own', async () => {
  const [first, file] = [lockFile('first'), lockFile('stopped')];
  await acquire([{ file: first, pause: 5 }], 5_000);
  const taken = acquire([{ file, pause: 5 }], 2_000);
  await new Promise((resolve) => setImmediate(resolve)); // It is asked for.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_500);
  expect(await taken).toEqual({ kind: 'held' });
  await release(file);
  await release(first);
});
