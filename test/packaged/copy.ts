/** Copies of a packaged app, in which a test changes something. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { removePatiently } from '../support/remove.ts';
import { basename, dirname, join } from 'node:path';

export interface Copy {
  /** Absolute path of the copy's program. */
  program: string;
  folder: string;
  remove: () => void;
}

const HELPER = 'chrome-sandbox';

/** Links to the same files: a file is replaced there by removing it first, never written to. */
export function copyOf(app: string): Copy {
  const from = dirname(app);
  const folder = mkdtempSync(join(dirname(from), 'copy-'));
  const script = 'cd "$1" && find . -mindepth 1 -maxdepth 1 ! -name "$2" -exec cp -al -t "$3" {} +';
  execFileSync('sh', ['-c', script, 'sh', from, HELPER, folder]);
  linkSandboxHelper(from, folder);
  return {
    program: join(folder, basename(app)),
    folder,
    remove: () => removePatiently(folder),
  };
}

/**
 * Where there are no user namespaces, the sandbox's helper has to be root's and setuid: `from` has one that is, and nobody
 * but root can copy it or make another hard link to it.
 */
export function linkSandboxHelper(from: string, to: string): void {
  rmSync(join(to, HELPER), { force: true });
  symlinkSync(join(from, HELPER), join(to, HELPER));
}
