/** A process excludes its memory from core dumps: the kernel confirms it, and its child processes inherit it. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  leaveChildrenOutOfCoreDumps,
  leaveMemoryOutOfCoreDumps,
  listedDescendants,
  scannedDescendants,
} from '../../app/core-dumps.ts';

const WRITE = `require('node:fs').writeFileSync('/proc/self/coredump_filter', '0');`;
const READ = `process.stdout.write(require('node:fs').readFileSync('/proc/self/coredump_filter', 'utf8'));`;

it.runIf(process.platform === 'linux')('is for the process and those that it starts', () => {
  const run = (code: string) => execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' });
  expect(parseInt(run(READ), 16)).not.toBe(0);
  expect(run(WRITE + READ).trim()).toMatch(/^0+$/);
  const child = `require('node:child_process').execFileSync(process.execPath, ['-e', ${JSON.stringify(READ)}], { stdio: 'inherit' });`;
  expect(run(WRITE + child).trim()).toMatch(/^0+$/);
});

it.runIf(process.platform === 'linux')(
  'is also for those that were started before, and what they have started',
  async () => {
    const start = `require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6); console.log(process.pid)'], { stdio: 'inherit' });`;
    const parent = spawn(process.execPath, ['-e', `${start} setInterval(() => {}, 1e6)`]);
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const child = Number(printed.toString());
    const filterOf = (pid: number | undefined) =>
      parseInt(readFileSync(`/proc/${pid}/coredump_filter`, 'utf8'), 16);
    try {
      expect(listedDescendants(parent.pid ?? 0) ?? [child]).toEqual([child]);
      expect(scannedDescendants(parent.pid ?? 0)).toEqual([child]);
      leaveChildrenOutOfCoreDumps('linux', child);
      expect([filterOf(parent.pid) !== 0, filterOf(child) !== 0]).toEqual([true, true]);
      leaveChildrenOutOfCoreDumps('linux', parent.pid);
      expect([filterOf(parent.pid) !== 0, filterOf(child)]).toEqual([true, 0]);
      leaveChildrenOutOfCoreDumps('linux');
      expect(filterOf(parent.pid)).toBe(0);
    } finally {
      process.kill(child);
      parent.kill();
    }
  },
);

it('changes nothing elsewhere, and does not keep the app from starting', () => {
  expect(leaveMemoryOutOfCoreDumps('darwin', '/nowhere')).toBe(false);
  expect(leaveMemoryOutOfCoreDumps('win32', '/nowhere')).toBe(false);
  expect(leaveMemoryOutOfCoreDumps('linux', '/proc/self/nowhere/coredump_filter')).toBe(false);
});
