/** A process that left its memory out of core dumps: the kernel says so, and so it is for those that it starts. */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { leaveMemoryOutOfCoreDumps } from '../../app/core-dumps.ts';

const WRITE = `require('node:fs').writeFileSync('/proc/self/coredump_filter', '0');`;
const READ = `process.stdout.write(require('node:fs').readFileSync('/proc/self/coredump_filter', 'utf8'));`;

it.runIf(process.platform === 'linux')('is for the process and those that it starts', () => {
  const run = (code: string) => execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' });
  expect(parseInt(run(READ), 16)).not.toBe(0);
  expect(run(WRITE + READ).trim()).toMatch(/^0+$/);
  const child = `require('node:child_process').execFileSync(process.execPath, ['-e', ${JSON.stringify(READ)}], { stdio: 'inherit' });`;
  expect(run(WRITE + child).trim()).toMatch(/^0+$/);
});

it('changes nothing elsewhere, and does not keep the app from starting', () => {
  expect(leaveMemoryOutOfCoreDumps('darwin', '/nowhere')).toBe(false);
  expect(leaveMemoryOutOfCoreDumps('win32', '/nowhere')).toBe(false);
  expect(leaveMemoryOutOfCoreDumps('linux', '/proc/self/nowhere/coredump_filter')).toBe(false);
});
