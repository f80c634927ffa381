import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** The package that a development build makes; see electron-builder.dev.yml. */
const name = 'tokenkeep-development';

/**
 * Lets a test, which is no root, have the packaged app installed into this system and removed again: two words that it writes to a
 * socket, and nothing that it can change is run as root. The package is copied first, out of the tests' reach.
 *
 * @param {string} deb
 * @param {string} socket where to listen; who may connect is up to the caller
 * @returns {{ end: () => void }} removes what was installed and is still there
 */
export function serveInstaller(deb, socket) {
  const folder = mkdtempSync('/var/tmp/tokenkeep-deb-');
  const copy = join(folder, `${name}.deb`);
  copyFileSync(deb, copy);
  const apt = ['-qq', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];
  const commands = {
    // As root's own file is read by root alone, apt need not fetch it as another user, and says so otherwise.
    install: ['install', '-o', 'APT::Sandbox::User=root', copy],
    remove: ['purge', name],
  };
  let installed = false;
  const run = (word) => {
    const { status, stdout, stderr } = spawnSync('apt-get', [...apt, ...commands[word]], {
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    installed = word === 'install' ? true : installed && status !== 0;
    return { status, said: `${stdout}${stderr}` };
  };
  const server = createServer((connection) => {
    connection.setEncoding('utf8').once('data', (text) => {
      const word = text.trim();
      connection.end(
        JSON.stringify(Object.hasOwn(commands, word) ? run(word) : { status: 1, said: 'install or remove' }),
      );
    });
    connection.on('error', () => {}); // a test that gave up
  });
  server.listen(socket);
  return {
    end() {
      server.close();
      if (installed) run('remove');
      rmSync(folder, { recursive: true });
    },
  };
}
