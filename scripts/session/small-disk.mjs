import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A disk that the tests can fill up, and a view of it that may only be read. Tests mount theirs themselves where the kernel lets
 * an ordinary user have a namespace; elsewhere, in a chroot or some containers, root has to do it.
 *
 * @param {import('./ordinary-user.mjs').OrdinaryUser} user whose disk it is
 * @returns {{ folder: string, end: () => void } | undefined} `folder` has `disk` and `read-only` in it; undefined where root may not
 *   mount either
 */
export function mountSmallDisk(user) {
  const folder = mkdtempSync('/var/tmp/tokenkeep-disk-');
  const [disk, readOnly] = ['disk', 'read-only'].map((name) => join(folder, name));
  for (const place of [disk, readOnly]) mkdirSync(place);
  const mount = (...words) => spawnSync('mount', words, { stdio: 'ignore' }).status === 0;
  const end = () => {
    for (const place of [readOnly, disk]) spawnSync('umount', ['-l', place], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  };
  if (
    mount('-t', 'tmpfs', '-o', 'size=96k,nr_inodes=400,mode=0700', 'tmpfs', disk) &&
    mount('--bind', disk, readOnly) &&
    mount('-o', 'remount,bind,ro', readOnly)
  ) {
    user.own(folder);
    return { folder, end };
  }
  end();
  return undefined;
}
