import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The number of end-to-end tests that run at a time. Each waits for its app for half of its time, so that one more than there are
 * processors keeps two busy.
 */
export const WORKERS = 3;

/** Tests run concurrently: the unit tests have a disk, and each worker of the end-to-end tests has one. */
const NAMES = ['unit', ...Array.from({ length: WORKERS }, (_, index) => `worker-${index}`)];

/**
 * Mounts disks that the tests can fill up, and a read-only view of each. Tests mount theirs themselves where the kernel lets an ordinary
 * user create a namespace; elsewhere, in a chroot or some containers, root has to do it.
 *
 * @param {import('./ordinary-user.mjs').OrdinaryUser} user whose disks they are
 * @returns {{ folder: string, end: () => void } | undefined} `folder` has `unit` and `worker-0`, `worker-1` and so on, each with
 *   `disk` and `read-only` in it; undefined if root may not mount either
 */
export function mountSmallDisks(user) {
  const folder = mkdtempSync('/var/tmp/tokenkeep-disk-');
  const mounted = [];
  const mount = (place, ...words) =>
    spawnSync('mount', [...words, place], { stdio: 'ignore' }).status === 0 && mounted.push(place) > 0;
  const end = () => {
    for (const place of mounted.reverse()) spawnSync('umount', ['-l', place], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  };
  const all = NAMES.every((name) => {
    const [disk, readOnly] = ['disk', 'read-only'].map((part) => join(folder, name, part));
    for (const place of [disk, readOnly]) mkdirSync(place, { recursive: true });
    return (
      mount(disk, '-t', 'tmpfs', '-o', 'size=96k,nr_inodes=400,mode=0700', 'tmpfs') &&
      mount(readOnly, '--bind', disk) &&
      spawnSync('mount', ['-o', 'remount,bind,ro', readOnly], { stdio: 'ignore' }).status === 0
    );
  });
  if (!all) {
    end();
    return undefined;
  }
  user.own(folder);
  return { folder, end };
}
