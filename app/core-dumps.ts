/** Keeps memory out of core dumps, which would contain keys and tokens in the clear. */
import { writeFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';

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
 * before any script runs, so they have not inherited it.
 *
 * @param root of this process
 */
export async function leaveChildrenOutOfCoreDumps(
  platform: NodeJS.Platform,
  root = process.pid,
): Promise<void> {
  if (platform !== 'linux') return;
  // The second pass finds processes that a zygote started before the first pass reached it.
  for (let pass = 0; pass < 2; pass++) {
    for (const child of await descendantsOf(root))
      await writeFile(`/proc/${child}/coredump_filter`, '0').catch(() => undefined); // it has ended, or is never dumped
  }
}

async function descendantsOf(root: number): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []);
  const parents = new Map<number, number>();
  for (const name of names.filter((each) => /^\d+$/.test(each))) {
    const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
    // pid (name) state ppid: the name may contain any character (proc_pid_stat(5)).
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const isOf = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 0 && (pid === root || isOf(parents.get(pid)));
  return [...parents.keys()].filter((pid) => pid !== root && isOf(parents.get(pid)));
}
