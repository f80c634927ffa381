import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { DeadlineQueue, systemTimers } from '../../src-main/keychain/keychain.ts';

const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-late-'));
afterAll(() => rmSync(folder, { recursive: true }));

function stop(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

test('a program that was stopped beyond the deadline gets the answer that has come meanwhile', async () => {
  const place = join(folder, 'answer');
  const call = new DeadlineQueue(2_000).run(async () => {
    await mkdir(place); // on another thread, as a keychain’s call
    return 'answered';
  });
  await Promise.resolve();
  const begun = performance.now();
  while (!existsSync(place) || performance.now() - begun < 2_500) stop(100);
  await expect(call).resolves.toBe('answered');
});

test('a timer that is cleared when it has fired does not call', async () => {
  const calls: string[] = [];
  const timer = systemTimers.setTimeout(() => calls.push('late'), 1);
  setTimeout(() => systemTimers.clearTimeout(timer), 1); // fires right after the other, in the same turn
  stop(50);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(calls).toEqual([]);
});
