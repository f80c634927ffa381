import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { bundle } from '../support/bundle.ts';
import { temporaryFolder } from './fakes.ts';

// A user may mount a file system of his own where the kernel lets him have a user namespace, as Chromium's sandbox needs too.
const namespace = ['--user', '--map-root-user', '--mount'];
const possible = spawnSync('unshare', [...namespace, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

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
    const { stdout, stderr } = spawnSync(
      'unshare',
      [...namespace, process.execPath, program, temporaryFolder()],
      { encoding: 'utf8' },
    );
    rmSync(dirname(program), { recursive: true, force: true });
    expect(stderr).toBe('');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): Line => JSON.parse(line));
    const filling = lines.filter(({ what }) => what === 'filling');
    const saved = filling.length - 1;
    expect(saved).toBeGreaterThan(2);
    // Each that was acknowledged is there at once, and the one that was refused is not.
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
