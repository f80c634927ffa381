import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { bundle } from '../support/bundle.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Runs a command where it may mount, without being root: see real-disk.test.ts. */
const namespace = ['unshare', '--user', '--map-root-user', '--mount'];
const inNamespace = (...command: string[]) => {
  const [program = '', ...args] = [...namespace, ...command];
  return spawnSync(program, args, { encoding: 'utf8' });
};
const possible = inNamespace('true').status === 0;

interface Line {
  what: string;
  code: string;
  message: string;
  state: string;
  users: string[];
}

test.skipIf(!possible)(
  'what is mounted over the folder or the file of an open vault loses nothing, and it goes on below',
  async () => {
    const program = await bundle(join(import.meta.dirname, 'mount-program.ts'));
    const { stdout, stderr } = inNamespace(process.execPath, program, temporaryFolder());
    rmSync(dirname(program), { recursive: true, force: true });
    expect(stderr).toBe('');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): Line => JSON.parse(line));
    const done = { code: 'done', state: 'ready' };
    const older = { code: 'vault_older', state: 'older' };
    const alone = { code: 'storage_failed', state: 'ready' };
    expect(lines).toMatchObject([
      { what: 'ready', ...done, users: ['ada'] },
      { what: 'an empty disk over the folder', ...older, users: ['ada'] },
      { what: 'the folder again', ...done, users: ['ada', 'ben'] },
      { what: 'an older copy over the folder', ...older, users: ['ada', 'ben'] },
      { what: 'the folder once more', ...done, users: ['ada', 'ben', 'cas'] },
      { what: 'the folder over itself', ...done, users: ['ada', 'ben', 'cas', 'dan'] },
      { what: 'the file over itself', ...done, users: ['ada', 'ben', 'cas', 'dan', 'eva'] },
      { what: 'a sign-out in a file mounted alone', ...alone, users: ['ada', 'ben', 'cas', 'dan', 'eva'] },
      { what: 'the sign-out, not mounted', ...done, users: ['ben', 'cas', 'dan', 'eva'] },
      { what: 'an empty file over the file', ...older, users: ['ben', 'cas', 'dan', 'eva'] },
      { what: 'at the end', ...done, users: ['ben', 'cas', 'dan', 'eva', 'flo'] },
      { what: 'opened again', ...done, users: ['ben', 'cas', 'dan', 'eva', 'flo'] },
    ]);
    const refused = lines.find(({ code }) => code === 'storage_failed');
    expect(refused?.message).toContain('Mount its folder instead of the file');
    expect(refused?.message).not.toContain('ry again');
  },
  60_000,
);
