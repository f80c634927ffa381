/** Installs the deb, by apt where the tests were started by root, and else as well as it goes. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface Installed {
  /** What a user starts. */
  program: string;
  /** Before the paths of the package: nothing, or the folder that it was unpacked into. */
  root: string;
  byApt: boolean;
  remove: () => Promise<void>;
}

export async function install(deb: string): Promise<Installed> {
  const socket = process.env['TOKENKEEP_INSTALLER'];
  if (socket !== undefined) {
    await asRoot(socket, 'install');
    const program = '/usr/bin/tokenkeep-development';
    return { program, root: '', byApt: true, remove: () => asRoot(socket, 'remove') };
  }
  if (process.env['CI'] === 'true')
    throw new Error('In CI the package is installed with apt: start the tests as root.');
  console.warn(
    'NOT INSTALLED WITH APT: only root can do that, and these tests were not started by root. The package is unpacked ' +
      'instead; its scripts and dependencies are not tried.',
  );
  const root = mkdtempSync(join(tmpdir(), 'unpacked-'));
  execFileSync('dpkg-deb', ['-x', deb, root]);
  return {
    program: join(root, 'opt/Tokenkeep-Development/tokenkeep-development'),
    root,
    byApt: false,
    remove: () => rm(root, { recursive: true }),
  };
}

/** scripts/packaging/installer.mjs does it. */
async function asRoot(socket: string, word: 'install' | 'remove'): Promise<void> {
  const connection = createConnection(socket);
  connection.write(`${word}\n`);
  const { status, said } = JSON.parse(await text(connection)) as { status: number | null; said: string };
  if (status !== 0) throw new Error(`apt-get ${word} failed: ${said}`);
}
