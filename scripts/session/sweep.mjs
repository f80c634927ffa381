import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Ends the processes that a session's programs left behind: every process of this user whose environment names the session's directory,
 * except this process and its own children.
 *
 * @param {string} directory the XDG_RUNTIME_DIR of the session
 */
export async function sweep(directory) {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    for (let tries = 0; tries < 40; tries++) {
      const left = processesOf(directory);
      if (left.length === 0) return;
      if (tries === 0) left.forEach((pid) => end(pid, signal));
      await delay(50);
    }
  }
}

/** Returns the IDs of this user's processes in the session, except this process's own children. */
export function processesOf(directory) {
  const mark = `\0XDG_RUNTIME_DIR=${directory}\0`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        if (Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) === process.pid)
          return false;
        return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(mark);
      } catch {
        return false; // gone meanwhile, or someone else's
      }
    })
    .map(Number);
}

function end(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // gone meanwhile
  }
}
