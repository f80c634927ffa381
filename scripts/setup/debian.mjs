import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asRootPrefix } from './as-root.mjs';
import { SetUpError, say } from './say.mjs';

/**
 * The Debian packages that the commands need; there is no other list.
 *
 * app: to run Electron and use a keychain. headless: a screen, a D-Bus session and a keyring where there are none. tests: other libraries
 * that the tests compare with, and the servers that the module uses. packaging: for builds that are not releases.
 */
const needs = {
  app: [
    'libgtk-3-0',
    'libnss3',
    'libgbm1',
    'libasound2',
    'libsecret-1-0', // keytar talks to the Secret Service through it
    'xdg-utils', // Electron opens the browser with it
    'fonts-dejavu-core',
    'ca-certificates', // node_modules and Electron are fetched over https
  ],
  headless: [
    'xvfb',
    'dbus', // dbus-daemon, and dbus-send to ask and lock the keyring
    'gnome-keyring',
  ],
  tests: [
    'python3-msal',
    'age', // opens exports
    'tmux', // runs the command in a real terminal
    'zsh', // for completions of the command
    'fish',
    'curl', // uses the command, as git does
    'git',
    'openssl', // makes the certificate of the server that those two call
    'gcc', // builds a simulation of file systems whose locks hang
    'libc6-dev',
    'redis-server', // the stores of partitions are tested against the real servers
    'postgresql', // of any version
    'pgbouncer',
    'chromium', // the example web app is used in a real browser
    'chromium-sandbox', // its sandbox, if there are no user namespaces
    'weston', // the app is started on Wayland as well
    'strace', // records the system calls of the packaged app that reach the network
  ],
  judges: ['python3-msal-extensions', 'python3-gi', 'gir1.2-secret-1'], // its own judge unpacks azure-cli instead of installing it
  packaging: ['p7zip-full'], // electron-builder's own can't be downloaded everywhere
};

const dpkgQuery = '/usr/bin/dpkg-query';

/**
 * Makes sure that the Debian packages are installed.
 *
 * @param {Array<'app' | 'headless' | 'tests' | 'judges' | 'packaging'>} kinds
 * @throws {SetUpError} if something is missing and can't be installed from here; names the command to run
 */
export function ensureDebianPackages(kinds) {
  if (process.platform !== 'linux') return; // macOS and Windows include everything
  const names = kinds.flatMap((kind) => needs[kind]);
  if (!existsSync(dpkgQuery)) {
    if (kinds.includes('headless') && !hasSessionPrograms()) {
      say(
        `nothing is installed into this system; it needs the packages that Debian calls ${names.join(' ')}`,
      );
    }
    return;
  }
  const missing = missingPackages(names);
  if (missing.length === 0) return;
  if (!/^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))) {
    say(
      `this system is not Debian, so nothing is installed; packages that may be missing, by their Debian names: ${missing.join(' ')}`,
    );
    return;
  }
  install(missing);
}

/** If there is no dpkg, checks that the programs of a session can be found. */
function hasSessionPrograms() {
  const folders = (process.env.PATH ?? '').split(':');
  const programs = ['Xvfb', 'dbus-daemon', 'dbus-send', 'gnome-keyring-daemon'];
  return programs.every((program) => folders.some((folder) => existsSync(join(folder, program))));
}

/** The names are those of Debian 12. From Debian 13 on, some end in t64. PostgreSQL's own package has its version in its name. */
export function missingPackages(names) {
  const format = '${db:Status-Abbrev} ${Package}\n'; // dpkg's own placeholders
  const asked = [...names.flatMap((name) => [name, `${name}t64`]), 'postgresql-[0-9]*'];
  // dpkg-query exits with 1 if one name is unknown, and still prints the others.
  const { stdout } = spawnSync(dpkgQuery, ['-W', '-f', format, ...asked], { encoding: 'utf8' });
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.startsWith('ii'))
      .map((line) =>
        line
          .slice(2)
          .trim()
          .replace(/^postgresql-\d+$/, 'postgresql'),
      ),
  );
  return names.filter((name) => !installed.has(name) && !installed.has(`${name}t64`));
}

/**
 * Returns the names under which this Debian has packages: `libasound2` can't be installed where `libasound2t64` took its place.
 *
 * @param {string[]} packages their names in Debian 12
 * @param {(names: string[]) => string} show what `apt-cache show` prints of those that there are
 */
export function namesHere(packages, show = aptCacheShow) {
  const available = new Set(show(packages.map((name) => `${name}t64`)).match(/(?<=^Package: )\S+/gm));
  return packages.map((name) => (available.has(`${name}t64`) ? `${name}t64` : name));
}

const aptCacheShow = (names) => spawnSync('apt-cache', ['show', ...names], { encoding: 'utf8' }).stdout ?? '';

function install(packages) {
  const apt = ['apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=120'];
  const asRoot = asRootPrefix();
  if (!asRoot) {
    throw new SetUpError(
      `these Debian packages are missing, and only root may install them. As root, run\n\n` +
        `  apt-get update && apt-get install -y --no-install-recommends ${namesHere(packages).join(' ')}\n\n` +
        `and then this command again.`,
    );
  }
  say(`installs into this system, with apt-get: ${packages.join(' ')}`);
  const run = (command) => {
    const [program, ...args] = [...asRoot, ...command];
    const { status, stdout, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      stdio: ['inherit', 'pipe', 'pipe'],
    });
    if (status !== 0) {
      const said = `${stdout}${stderr}`.trim().split('\n').slice(-15).join('\n');
      throw new SetUpError(
        `"${command.join(' ')}" failed. Fix the problem that it reports, and run this command again.\n${said}`,
      );
    }
  };
  run([...apt, 'update']);
  const names = namesHere(packages);
  run([
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    ...apt,
    'install',
    '-y',
    '--no-install-recommends',
    ...names,
  ]);
}
