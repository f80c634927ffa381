/** Keeps memory out of core dumps, which would contain keys and tokens in the clear. */
import { writeFileSync } from 'node:fs';

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
