import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetUpError, say } from '../setup/say.mjs';

const namespaceScript = fileURLToPath(new URL('view.sh', import.meta.url));

/**
 * Lets another user see the clone (and Node, and Electron, wherever these are), which may be in a folder that is closed to others, such as
 * /root. No permissions are changed. There are three ways, and the first that works is used:
 *
 * 1. in place;
 * 2. in a mount namespace of its own, where an empty folder replaces the closed one and shows only the clone, under its own path;
 * 3. as a copy, if namespaces can't be created (some containers) or the clone's own files are closed (a umask of 077).
 *
 * @param {import('./ordinary-user.mjs').OrdinaryUser} user
 * @param {string} root the clone
 * @param {string} electron its executable
 * @param {string} stage an empty folder to mount on inside the namespace
 * @returns {{ prefix: string[], see: (path: string) => string, release: () => void }} the words before a command, including the user's own
 *   prefix; a function that maps the caller's path of a file to the user's; and one to call at the end
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

/** Copies the artifacts of a copy of the clone to the clone itself. */
export function keepArtifacts(copy, root) {
  if (!existsSync(join(copy, 'artifacts'))) return;
  mkdirSync(join(root, 'artifacts'), { recursive: true });
  // Not by Node, which rewrites links to lead into the copy, and can't replace a link by the same one.
  const words = ['-dR', '--preserve=mode', '--remove-destination', '--'];
  const { status, stderr } = spawnSync(
    'cp',
    [...words, `${join(copy, 'artifacts')}/.`, join(root, 'artifacts')],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) say(`could not copy all artifacts to ${join(root, 'artifacts')}: ${stderr.trim()}`);
}

/** Runs Node as that user, in that place, to read the files. This also shows that Node itself can be read there. */
function canRead(prefix, files) {
  const script = 'process.argv.slice(1).forEach((file) => fs.accessSync(file, fs.constants.R_OK))';
  const [program, ...args] = [...prefix, process.execPath, '-e', script, ...files];
  return spawnSync(program, args, { cwd: '/', stdio: 'ignore' }).status === 0;
}

/** Returns the outermost folder of `path`, including `path` itself, that is closed to others. */
function closedFolder(path) {
  const outer = path === '/' ? undefined : closedFolder(dirname(path));
  return outer ?? ((statSync(path).mode & 0o005) === 0o005 ? undefined : path);
}
