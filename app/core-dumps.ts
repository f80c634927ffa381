/** Keeps memory out of core dumps, which would contain keys and tokens in the clear. */
import { closeSync, existsSync, openSync, readdirSync, readSync, writeFileSync } from 'node:fs';

/** Which mappings the kernel puts into a core dump of this process and of those that it starts (core(5)). */
const FILTER = '/proc/self/coredump_filter';

/**
 * On Linux, a core dump of the app then has no memory in it, whoever writes it: the kernel, systemd-coredump or apport. It needs no native
 * code. Windows and macOS offer this only to native code: Windows Error Reporting keeps dumps only if an administrator has asked for them,
 * and macOS has core dumps off unless someone turns them on.
 *
 * @returns whether it is in effect
 */
export function leaveMemoryOutOfCoreDumps(platform: NodeJS.Platform, file = FILTER): boolean {
  if (platform !== 'linux') return false;
  try {
    writeFileSync(file, '0');
    return true;
  } catch {
    return false; // a kernel without core dumps, or a sandbox without /proc
  }
}

/**
 * Does the same for the processes that this one has already started. Chromium starts the zygotes, from which it makes those of its windows,
 * before any script runs, so they have not inherited it. It is synchronous, because the first accounts are about to be drawn: hundreds of
 * promises would cost more than reading these files.
 *
 * @param root of this process
 */
export function leaveChildrenOutOfCoreDumps(platform: NodeJS.Platform, root = process.pid): void {
  if (platform !== 'linux') return;
  // The second pass finds processes that a zygote started before the first pass reached it.
  for (let pass = 0; pass < 2; pass++) {
    for (const child of listedDescendants(root) ?? scannedDescendants(root)) {
      try {
        writeFileSync(`/proc/${child}/coredump_filter`, '0');
      } catch {
        // It has ended, or is never dumped.
      }
    }
  }
}

/** Returns the descendants that the kernel lists (proc_tid_children(5)); null if it was built without these lists. */
export function listedDescendants(root: number): number[] | null {
  const childrenOf = (pid: number): number[] =>
    namesIn(`/proc/${pid}/task`).flatMap((thread) =>
      textOf(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
    );
  if (!existsSync('/proc/thread-self/children')) return null;
  const all = childrenOf(root);
  for (const pid of all) all.push(...childrenOf(pid));
  return all;
}

/** Returns the descendants by the parent of every process of the machine. */
export function scannedDescendants(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of namesIn('/proc').filter((each) => /^\d+$/.test(each))) {
    const stat = textOf(`/proc/${name}/stat`);
    // pid (name) state ppid: the name may contain any character (proc_pid_stat(5)).
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const isOf = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 0 && (pid === root || isOf(parents.get(pid)));
  return [...parents.keys()].filter((pid) => pid !== root && isOf(parents.get(pid)));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // the process has ended
  }
}

/** Returns the start of a file of `/proc`. `readFileSync` would take 64 KiB for each, since their size is not known. */
function textOf(file: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    return READ.toString('latin1', 0, readSync(descriptor, READ));
  } catch {
    return '';
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const READ = Buffer.alloc(65_536);
