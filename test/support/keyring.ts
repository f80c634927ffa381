import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startBus } from '../../scripts/session/bus.mjs';
import { connectKeyring, startKeyring as start } from '../../scripts/session/keyring.mjs';
import { shortLived } from '../../scripts/session/memory.mjs';
import { sweep } from '../../scripts/session/sweep.mjs';

/** The environment of a program that is tested with a keychain in a certain state. */
export type Environment = Record<string, string>;

export interface Place {
  /** For the program under test: its own bus address, runtime folder and HOME; otherwise the current environment. */
  readonly env: Environment;
  /** Ends everything that was started, including what the program left behind, and removes the folder. */
  readonly close: () => Promise<void>;
}

/** A GNOME Keyring that a test controls. It has no prompter: calls that need a prompt fail at once. */
export interface Keyring {
  readonly env: Environment;
  /** Locks it, as the desktop does at the end of a session. Secrets then look absent. */
  readonly lock: () => Promise<void>;
  readonly unlock: () => Promise<void>;
  /** Undefined if no Secret Service answers. */
  readonly isLocked: () => Promise<boolean | undefined>;
  /** Stops the daemon: calls get neither an answer nor an error. */
  readonly hang: () => void;
  readonly resume: () => void;
  /** Kills the daemon, as in a crash; the bus continues without a Secret Service. */
  readonly kill: () => Promise<void>;
}

/** A keyring that a test started. It can be started again after it was killed, and is unlocked then. */
export interface OwnKeyring extends Keyring, Place {
  readonly restart: () => Promise<void>;
}

/**
 * Starts a separate D-Bus session with an unlocked keyring.
 *
 * @param options.home the folder of the keyring's files, and HOME in `env`; kept. By default, a folder is created and
 * removed with the rest
 */
export async function startKeyring(options: { home?: string } = {}): Promise<OwnKeyring> {
  const place = await openPlace(options.home);
  try {
    const bus = await startBus(place.directory, place.env);
    place.onClose(() => bus.end());
    place.env['DBUS_SESSION_BUS_ADDRESS'] = bus.address;
    const begin = async (): Promise<Daemon> => {
      const daemon = await start(place.directory, place.env, 'correct horse');
      place.onClose(() => daemon.end());
      return daemon;
    };
    let daemon = await begin();
    const controlsNow = (): ReturnType<typeof controls> => controls(daemon);
    return {
      env: place.env,
      close: place.close,
      lock: () => controlsNow().lock(),
      unlock: () => controlsNow().unlock(),
      isLocked: () => controlsNow().isLocked(),
      hang: () => controlsNow().hang(),
      resume: () => controlsNow().resume(),
      kill: () => controlsNow().kill(),
      restart: async () => {
        daemon = await begin();
      },
    };
  } catch (error) {
    await place.close();
    throw error;
  }
}

/** The keyring of the session in which the tests run, started by `npm test`. Other tests use it: restore its state. */
export async function sessionKeyring(): Promise<Keyring> {
  const env = currentEnvironment();
  const password = await readFile(join(env['HOME'] ?? '', '.tokenkeep-keyring-password'), 'utf8');
  return { env, ...controls(await connectKeyring(env['XDG_RUNTIME_DIR'], env, password)) };
}

/** Starts a D-Bus session that has no Secret Service and can't start one. */
export async function startBusWithoutKeyring(): Promise<Place> {
  const place = await openPlace();
  const bus = await startBus(place.directory, place.env);
  place.onClose(() => bus.end());
  place.env['DBUS_SESSION_BUS_ADDRESS'] = bus.address;
  return { env: place.env, close: place.close };
}

/**
 * No D-Bus session: no address, an empty runtime folder, and a dbus-launch that starts none (Debian's dbus-x11
 * would).
 */
export async function withoutBus(): Promise<Place> {
  const place = await openPlace();
  const folder = join(place.directory, 'bin');
  await mkdir(folder);
  await writeFile(join(folder, 'dbus-launch'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  place.env['PATH'] = `${folder}:${place.env['PATH'] ?? ''}`;
  return { env: place.env, close: place.close };
}

/** Returns the address of a D-Bus session that has ended. */
export async function withDeadBus(): Promise<Place> {
  const place = await openPlace();
  place.env['DBUS_SESSION_BUS_ADDRESS'] = `unix:path=${join(place.directory, 'bus')}`;
  return { env: place.env, close: place.close };
}

interface Daemon {
  readonly lock: () => Promise<void>;
  readonly unlock: () => Promise<void>;
  readonly isLocked: () => Promise<boolean | undefined>;
  readonly signal: (name: NodeJS.Signals) => void;
  readonly kill: () => Promise<void>;
}

function controls({ lock, unlock, isLocked, signal, kill }: Daemon): Omit<Keyring, 'env'> {
  return { lock, unlock, isLocked, kill, hang: () => signal('SIGSTOP'), resume: () => signal('SIGCONT') };
}

async function openPlace(home?: string) {
  const directory = await mkdtemp(join(shortLived(), 'tokenkeep-')); // a socket's path may have 107 bytes
  const env = currentEnvironment();
  delete env['DBUS_SESSION_BUS_ADDRESS'];
  env['XDG_RUNTIME_DIR'] = directory;
  env['HOME'] = home ?? join(directory, 'home');
  await mkdir(env['HOME'], { recursive: true, mode: 0o700 });
  const endings: (() => Promise<void>)[] = [];
  return {
    directory,
    env,
    onClose: (end: () => Promise<void>) => endings.unshift(end),
    close: async () => {
      await sweep(directory);
      for (const end of endings) await end();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function currentEnvironment(): Environment {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(
    entries.filter(([name]) => !name.startsWith('XDG_') || name === 'XDG_RUNTIME_DIR'),
  );
}
