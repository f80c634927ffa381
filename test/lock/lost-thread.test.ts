import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as threads from 'node:worker_threads';
import { afterAll, expect, test, vi } from 'vitest';
import { acquire, type LockFile, release } from '../../src-main/lock/lock-thread.ts';

const workers = vi.hoisted((): threads.Worker[] => []);
vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof threads>();
  class Seen extends real.Worker {
    constructor(...options: ConstructorParameters<typeof real.Worker>) {
      super(...options);
      workers.push(this);
    }
  }
  return { ...real, Worker: Seen };
});

const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-lost-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a lock on a drive that is not local is released if its thread has ended', async () => {
  const path = join(folder, 'lock');
  const held: LockFile = { path, fd: null, isLocal: false };
  expect(await acquire([{ file: held, pause: 5 }], 2_000)).toEqual({ kind: 'held' });
  held.isLocal = false; // As it would be there.
  await Promise.all(workers.map((worker) => worker.terminate()));
  const other: LockFile = { path, fd: null, isLocal: false };
  expect(await acquire([{ file: other, pause: 5 }], 50)).toEqual({ kind: 'busy' });
  await Promise.all(workers.map((worker) => worker.terminate()));

  await release(held);
  expect(await acquire([{ file: other, pause: 5 }], 5_000)).toEqual({ kind: 'held' });
  await release(other);
});
