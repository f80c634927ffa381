import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** The package that a development build makes; see electron-builder.dev.yml. */
const name = 'tokenkeep-development';

/**
 * Lets a test that is not root install the packaged app into this system and remove it, by writing one of two words to a socket. Root runs
 * nothing that the test can change: the package is copied first, out of the tests' reach.
 *
 * @param {string} deb
 * @param {string} socket the path to listen on; the caller decides who may connect
 * @returns {{ end: () => void }} removes the package if it is still installed
 */
export function serveInstaller(deb, socket) {
  const folder = mkdtempSync('/var/tmp/tokenkeep-deb-');
  const copy = join(folder, `${name}.deb`);
  copyFileSync(deb, copy);
  const apt = ['-qq', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];
  const commands = {
    // Only root can read the file, so apt must read it as root; as its sandbox user it would print a warning.
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
    connection.on('error', () => {}); // the test has ended
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
