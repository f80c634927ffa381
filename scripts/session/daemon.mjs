import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Starts a program that must not outlive its parent: the kernel ends it when the parent has ended, for whatever reason. It gets a process
 * group of its own, so that Ctrl-C reaches only the parent, which ends its children in order.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
export function startDaemon(program, args, options) {
  return spawn('setpriv', ['--pdeathsig', 'TERM', '--', program, ...args], { detached: true, ...options });
}

/** Ends a program and waits for its exit. Kills it after the timeout, in milliseconds. */
export async function endDaemon(child, timeout = 2000) {
  if (hasEnded(child)) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), timeout);
  await gone;
  clearTimeout(insist);
}

export function hasEnded(child) {
  return child.exitCode !== null || child.signalCode !== null;
}

/**
 * Polls until the answer is true.
 *
 * @param {() => Promise<boolean> | boolean} answer
 * @param {import('node:child_process').ChildProcess} child the process that is waited for; if it ends, so does the waiting, with an error
 * @param {string} what for the error, such as `the keyring is unlocked`
 */
export async function until(answer, child, what, timeout = 10_000) {
  const deadline = performance.now() + timeout;
  while (!(await answer())) {
    if (hasEnded(child)) {
      const how = child.signalCode ?? `exit code ${child.exitCode}`;
      throw new Error(
        `${child.spawnargs.slice(4).join(' ')} ended before ${what}: ${how}. ${child.complaint ?? ''}`,
      );
    }
    if (performance.now() > deadline)
      throw new Error(`waited ${timeout / 1000} seconds in vain until ${what}`);
    await delay(25);
  }
}
