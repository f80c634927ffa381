import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { bundle } from '../support/bundle.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// A user may mount a file system of his own where the kernel lets him have a user namespace, as Chromium's sandbox needs too.
// Elsewhere root does it before the tests begin: scripts/session/small-disk.mjs.
const namespace = ['unshare', '--user', '--map-root-user', '--mount'];
const mounting = `set -e
mount -t tmpfs -o size=96k,mode=0700 tmpfs "$1"
mount --bind "$1" "$2"
mount -o remount,bind,ro "$2"
shift 2
exec "$@"`;
const mounted = process.env['TOKENKEEP_SMALL_DISKS'];
const folder = mounted === undefined ? temporaryFolder() : join(mounted, 'unit');
const [disk, readOnly] = ['disk', 'read-only'].map((name) => join(folder, name)) as [string, string];
if (mounted === undefined) for (const place of [disk, readOnly]) mkdirSync(place);

/** Runs a command where there is such a disk. */
function onSmallDisk(...command: string[]) {
  const [program = '', ...args] =
    mounted === undefined ? [...namespace, 'sh', '-c', mounting, 'sh', disk, readOnly, ...command] : command;
  return spawnSync(program, args, { encoding: 'utf8' });
}
const possible = onSmallDisk('true').status === 0;

interface Line {
  what: string;
  code: string;
  there: number;
  state: string;
  held: string;
}

test.skipIf(!possible)(
  'a disk that fills up, has room again, and is read-only for a while (failure 11)',
  async () => {
    const program = await bundle(join(import.meta.dirname, 'program.ts'));
    const place = join(temporaryFolder(), 'place');
    const { stdout, stderr } = onSmallDisk(process.execPath, program, disk, readOnly, place);
    rmSync(dirname(program), { recursive: true, force: true });
    expect(stderr).toBe('');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): Line => JSON.parse(line));
    const filling = lines.filter(({ what }) => what === 'filling');
    const saved = filling.length - 1;
    expect(saved).toBeGreaterThan(2);
    // Each acknowledged update is in the file at once, and the refused one is not.
    expect(filling.map(({ there }) => there)).toEqual([...filling.keys()].map((n) => Math.min(n + 1, saved)));
    expect(filling.at(-1)).toMatchObject({ code: 'disk_full', state: 'ready' });
    expect(lines.slice(filling.length)).toMatchObject([
      { what: 'full, again', code: 'disk_full', there: saved, state: 'ready' },
      { what: 'full, a new key', code: 'disk_full', there: saved, state: 'ready' },
      { what: 'with room', code: 'done', there: saved + 1, state: 'ready' },
      { what: 'read-only', code: 'vault_read_only', there: saved + 1, state: 'read-only' },
      { what: 'writable again', code: 'done', there: saved + 2, state: 'ready' },
    ]);
  },
  60_000,
);
