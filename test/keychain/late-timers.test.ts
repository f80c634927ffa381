import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { DeadlineQueue } from '../../src-main/keychain/keychain.ts';
import { Bus } from '../../src-main/sources/dbus.ts';
import { systemTimers } from '../../src-main/waiting.ts';

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

test('a message bus that has answered meanwhile is not said to be silent', async () => {
  const path = join(folder, 'bus');
  const shared = new Int32Array(new SharedArrayBuffer(4));
  // Answers on a thread of its own, once this one is about to be blocked, and then closes the connection.
  const bus = new Worker(
    `const { parentPort, workerData: { path, shared } } = require('node:worker_threads');
    require('node:net').createServer((socket) => {
      socket.once('data', () => {
        parentPort.postMessage('asked');
        Atomics.wait(shared, 0, 0);
        socket.end('OK 1234\\r\\n');
      });
    }).listen(path, () => parentPort.postMessage('listening'));`,
    { eval: true, workerData: { path, shared } },
  );
  onTestFinished(() => void bus.terminate());
  await once(bus, 'message');
  const connecting = Bus.connect(path, 2_000).catch(String);
  await once(bus, 'message');
  Atomics.store(shared, 0, 1);
  Atomics.notify(shared, 0);
  stop(2_500);
  expect(await connecting).not.toContain('The message bus did not answer');
});
