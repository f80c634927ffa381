import { spawnSync } from 'node:child_process';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { SetUpError, say } from '../setup/say.mjs';

const account = 'tokenkeep';

/**
 * The user that the app and the tests run as. Chromium's sandbox doesn't run as root, and tests of what happens without permission mean
 * nothing there. So root gets another user for it; any other caller is that user already.
 *
 * @typedef {object} OrdinaryUser
 * @property {string} name
 * @property {string[]} prefix what to put before a command so that this user runs it, for as long as its parent lives
 * @property {string} home the folder in which sessions without a display keep their sign-ins between starts
 * @property {NodeJS.ProcessEnv} env the caller's environment, as far as this user may have it
 * @property {(path: string) => void} own makes a file, or a folder with all that is in it, this user's
 * @property {boolean} other whether this is someone other than the caller
 *
 * @returns {OrdinaryUser}
 */
export function ordinaryUser() {
  const dying = ['setpriv', '--pdeathsig', 'TERM'];
  if (process.getuid() !== 0) {
    const data = process.env.XDG_DATA_HOME ?? join(homedir(), '.local/share');
    return {
      name: userInfo().username,
      prefix: [...dying, '--'],
      home: join(data, 'tokenkeep-headless'),
      env: process.env,
      own: () => {},
      other: false,
    };
  }
  const { uid, gid, home } = lookUp() ?? add();
  return {
    name: account,
    prefix: [...dying, `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--'],
    home,
    env: environmentForOthers(process.env, homedir()),
    own: (path) => void spawnSync('chown', ['-R', '-h', '--', `${uid}:${gid}`, path]),
    other: true,
  };
}

/** Another user can't open files in the caller's home, such as npm's cache and settings. */
export function environmentForOthers(env, home) {
  const within = (value) => value === home || value.startsWith(`${home}/`);
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => name === 'PATH' || !within(value)));
}

function lookUp() {
  const { status, stdout } = spawnSync('getent', ['passwd', account], { encoding: 'utf8' });
  if (status !== 0) return undefined;
  const [, , uid, gid, , home] = stdout.trim().split(':');
  return { uid: Number(uid), gid: Number(gid), home };
}

function add() {
  say(`adds the user ${account} to this system: the app and its tests don't run as root`);
  const words = [
    '--system',
    '--user-group',
    '--create-home',
    '-K',
    'HOME_MODE=0700',
    '--home-dir',
    `/home/${account}`,
    account,
  ];
  const { status, stderr } = spawnSync('useradd', words, { encoding: 'utf8' });
  const added = status === 0 ? lookUp() : undefined;
  if (!added) throw new SetUpError(`the user ${account} could not be added: ${stderr?.trim()}`);
  return added;
}
