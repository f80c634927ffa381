import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetUpError, say } from '../setup/say.mjs';

const namespaceScript = fileURLToPath(new URL('view.sh', import.meta.url));

/**
 * Lets another user see the clone (and Node, and Electron, wherever these are), which may lie in a folder that is closed to
 * others, such as /root. Nobody's permissions are changed. Three ways, the first that works:
 *
 * 1. as it is;
 * 2. in a mount namespace of its own, where an empty folder stands in the place of the closed one and shows nothing but
 *    the clone, under the path it has;
 * 3. a copy, where namespaces can't be made (some containers) or the clone's own files are closed (a umask of 077).
 *
 * @param {import('./ordinary-user.mjs').OrdinaryUser} user
 * @param {string} root the clone
 * @param {string} electron its executable
 * @param {string} stage an empty folder, to mount on inside the namespace
 * @returns {{ prefix: string[], see: (path: string) => string, release: () => void }} what to put before a command, the
 *   user's own prefix included; where the user finds what the caller has at `path`; and what to call at the end
 */
export function viewFor(user, root, electron, stage) {
  const files = [join(root, 'package.json'), join(root, 'scripts/session/session.mjs'), electron];
  const same = { see: (path) => path, release: () => {} };
  if (canRead(user.prefix, files)) return { ...same, prefix: user.prefix };

  const shown = [root, dirname(dirname(process.execPath)), dirname(electron)].filter((path, index, all) => {
    const within = all.some((other, i) => i < index && isWithin(other, path));
    return !within && closedFolder(path) !== undefined;
  });
  const words = shown.flatMap((path) => [closedFolder(path), path]);
  const namespace = [
    'unshare',
    '--mount',
    '--',
    'sh',
    namespaceScript,
    stage,
    ...words,
    '--',
    ...user.prefix,
  ];
  if (canRead(namespace, files)) return { ...same, prefix: namespace };
  return copyFor(user, root, electron);
}

function copyFor(user, root, electron) {
  const folder = mkdtempSync('/var/tmp/tokenkeep-');
  const copy = join(folder, 'clone');
  const release = () => {
    keepArtifacts(copy, root);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    say(`copies the clone to ${copy} while this runs: ${user.name} can't read ${root}`);
    spawnSync('cp', ['-a', '--reflink=auto', '--', root, copy]);
    spawnSync('chmod', ['-R', 'u+rX', '--', copy]);
    user.own(folder);
    const see = (path) => (isWithin(root, path) ? join(copy, relative(root, path)) : path);
    if (!canRead(user.prefix, [see(join(root, 'package.json')), see(electron)])) {
      throw new SetUpError(
        `${user.name} can read neither ${root} nor a copy, or not ${process.execPath} or ${electron}.`,
      );
    }
    return { prefix: user.prefix, see, release };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function isWithin(folder, path) {
  return !relative(folder, path).startsWith('..');
}

function keepArtifacts(copy, root) {
  if (!existsSync(join(copy, 'artifacts'))) return;
  mkdirSync(join(root, 'artifacts'), { recursive: true });
  cpSync(join(copy, 'artifacts'), join(root, 'artifacts'), { recursive: true });
}

/** Asks Node itself, run by that user in that place: that it starts is half of the answer. */
function canRead(prefix, files) {
  const script = 'process.argv.slice(1).forEach((file) => fs.accessSync(file, fs.constants.R_OK))';
  const [program, ...args] = [...prefix, process.execPath, '-e', script, ...files];
  return spawnSync(program, args, { cwd: '/', stdio: 'ignore' }).status === 0;
}

/** The outermost folder on the way to `path`, that itself included, which is closed to others. */
function closedFolder(path) {
  const outer = path === '/' ? undefined : closedFolder(dirname(path));
  return outer ?? ((statSync(path).mode & 0o005) === 0o005 ? undefined : path);
}
