// node session.mjs DIRECTORY HOME COMMAND [arguments]: runs COMMAND, in the clone and as the user who runs this, in a session of its own
// with a D-Bus session bus, an unlocked keyring and a virtual screen; exits with its code. However it ends, by itself or by a signal, no
// process of the session is left. DIRECTORY is empty and private to the user, and is removed at the end; HOME, and with it the sign-ins, is
// the caller's to keep or remove.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBus } from './bus.mjs';
import { endDaemon, startDaemon } from './daemon.mjs';
import { startDisplay } from './display.mjs';
import { startKeyring } from './keyring.mjs';
import { sweep } from './sweep.mjs';

const [directory, home, command, ...args] = process.argv.slice(2);
const started = [];
let child;
let ending; // the signal that asked for the end, once one has

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    ending ??= signal;
    if (child) void endDaemon(child, 5000);
  });
}

try {
  const env = await open();
  if (!ending) process.exitCode = await run(env);
} catch (error) {
  console.error(`tokenkeep: the session could not be started: ${error.message}`);
  process.exitCode = 1;
} finally {
  await sweep(directory);
  for (const service of started.reverse()) await service.end();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  if (ending) process.exitCode = ending === 'SIGINT' ? 130 : 143;
}

async function open() {
  const temporary = join(directory, 'tmp');
  await mkdir(temporary, { mode: 0o700 });
  await mkdir(home, { recursive: true, mode: 0o700 });
  const env = { ...inherited(), HOME: home, TMPDIR: temporary, XDG_RUNTIME_DIR: directory };
  const bus = keep(await startBus(directory, env));
  // One bus serves as both: the session must not reach the machine's own services, and Chromium logs many errors if there is no system bus
  // at all.
  Object.assign(env, { DBUS_SESSION_BUS_ADDRESS: bus.address, DBUS_SYSTEM_BUS_ADDRESS: bus.address });
  const [screen, password] = await Promise.all([startDisplay(directory, env), keyringPassword()]);
  keep(screen);
  Object.assign(env, { DISPLAY: screen.DISPLAY, XAUTHORITY: screen.XAUTHORITY });
  keep(await startKeyring(directory, env, password));
  return env;
}

function keep(service) {
  started.push(service);
  return service;
}

/** Returns the caller's environment without the variables of the caller's own session and home. */
function inherited() {
  const { username } = userInfo();
  const env = { ...process.env, USER: username, LOGNAME: username };
  for (const name of Object.keys(env)) {
    if (
      /^(XDG_.*|WAYLAND_.*|DISPLAY|XAUTHORITY|DBUS_.*|GNOME_KEYRING_.*|SSH_AUTH_SOCK|MAIL|OLDPWD)$/.test(name)
    ) {
      delete env[name];
    }
  }
  return env;
}

/**
 * A keyring that nobody can unlock by hand needs its password in a file beside it. It is then only as safe as this user's files. On a real
 * desktop, the user's own password opens the keyring.
 */
async function keyringPassword() {
  const file = join(home, '.tokenkeep-keyring-password');
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    const password = randomBytes(24).toString('base64url');
    await writeFile(file, password, { mode: 0o600, flag: 'wx' });
    return password;
  }
}

async function run(env) {
  child = startDaemon(command, args, {
    env,
    stdio: 'inherit',
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  });
  try {
    const [code, signal] = await once(child, 'exit');
    if (signal && !ending) console.error(`tokenkeep: ${command} was ended by ${signal}`);
    return code ?? 1;
  } catch (error) {
    throw new Error(`${command}: ${error.message}`);
  }
}
