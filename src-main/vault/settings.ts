import { homedir } from 'node:os';
import { basename, isAbsolute, resolve } from 'node:path';
import { InvalidArgumentError } from '../errors.ts';
import { checkedKeychain, type Timers } from '../keychain/keychain.ts';
import { systemTimers } from '../waiting.ts';
import { systemKeychain } from '../keychain/system-keychain.ts';
import { FileLock, NamedLocks } from '../lock/file-lock.ts';
import { checkOptions, KEYCHAIN, type OptionNames, SIGNAL, TEXT } from '../options.ts';
import type { VaultOptions } from './api.ts';
import { type Io, Log, nodeIo, throughLinks } from './disk/file.ts';
import { Writer } from './format/history.ts';
import { lockFileOf } from './open.ts';
import { KeySlots } from './slots.ts';

/** A vault's dependencies; options validated, with defaults. */
export interface Settings {
  file: string;
  unprotected: 'refuse' | 'memory';
  slots: KeySlots;
  /** Held while the file is written. */
  writing: FileLock;
  /** Held while the key is replaced, which may take as long as the user takes to answer a prompt. */
  rekeying: FileLock;
  /** For users of the vault, e.g. to redeem a refresh token only once. */
  named: NamedLocks;
  io: Io;
  log: Log;
  /** Who writes: the histories of files tell writers apart. */
  writer: Writer;
  timers: Timers;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Work factor for deriving a key from an export's passphrase, as a power of two. Absent: age's own default. */
  scryptWork?: number;
}

/** For tests: replaces the interfaces between a vault and the system. */
export interface VaultPorts {
  io?: Io;
  timers?: Timers;
  now?: () => number;
  /** Deadline for acquiring a lock, in milliseconds. */
  lockDeadline?: number;
  scryptWork?: number;
}

/** The longest suffix that is appended to a vault's name has 32 bytes. */
const MAX_NAME_BYTES = 220;

/** Milliseconds. The task under such a lock is a network request, which may take until its time-out. */
const NAMED_DEADLINE = 60_000;

const NAMES: OptionNames<VaultOptions> = {
  file: true,
  name: TEXT,
  service: true,
  keychain: KEYCHAIN,
  unprotected: true,
  signal: SIGNAL,
};

/** @throws InvalidArgumentError; input of untyped callers is validated like any other */
export async function settingsFrom(given: VaultOptions, ports: VaultPorts = {}): Promise<Settings> {
  const options = checkOptions('openVault', given, NAMES, 'Nothing was opened.');
  const { name = 'vault', service = 'Tokenkeep', unprotected = 'refuse' } = options;
  const wrong = (field: keyof VaultOptions, what: string): never => {
    throw new InvalidArgumentError(`openVault: ${what} Nothing was opened.`, { field });
  };
  // Electron sets `process.type`. A page with Node has timers of the web, and every script in it could read the tokens.
  const { type = 'browser' } = process as { type?: string };
  if (type === 'renderer' || type === 'worker') {
    throw new InvalidArgumentError(
      'openVault: vaults are opened in the main process of Electron, not in a window. Nothing was opened. Serve the window with tokenkeep/electron.',
    );
  }
  if (typeof options.file !== 'string' || !isAbsolute(options.file)) {
    wrong('file', '`file` must be an absolute path.');
  }
  if (/[\0]|[/\\]$/.test(options.file) || resolve(options.file) === homedir()) {
    wrong('file', '`file` must name a file.');
  }
  if (Buffer.byteLength(basename(options.file)) > MAX_NAME_BYTES) {
    wrong(
      'file',
      `the name of \`file\` must not be longer than ${MAX_NAME_BYTES} bytes: file systems take 255, and the vault’s lock files and temporary files have its name and more.`,
    );
  }
  // A NUL would truncate text in the keychain.
  for (const [field, text] of Object.entries({ name, service })) {
    if (typeof text !== 'string' || !/^[^\0]{1,200}$/.test(text)) {
      wrong(field as 'name' | 'service', `\`${field}\` must be a text of 1 to 200 characters without a NUL.`);
    }
  }
  // oxlint-disable-next-line typescript/no-unnecessary-condition -- see @throws
  if (unprotected !== 'refuse' && unprotected !== 'memory') {
    wrong('unprotected', "`unprotected` must be 'refuse' or 'memory'.");
  }
  const file = await throughLinks(options.file);
  // eslint-disable-next-line no-restricted-properties -- everything else is given `now`
  const { io = nodeIo, timers = systemTimers, now = Date.now, lockDeadline } = ports;
  const deadline = lockDeadline === undefined ? {} : { deadline: lockDeadline };
  const writing = new FileLock(lockFileOf(file), deadline);
  return {
    file,
    unprotected,
    slots: new KeySlots(checkedKeychain(options.keychain ?? systemKeychain()), service, name, file),
    writing,
    rekeying: new FileLock(`${file}.key-lock`, deadline),
    named: new NamedLocks(`${file}.use-lock`, { deadline: NAMED_DEADLINE, ...deadline }),
    io,
    log: new Log(io, file, () => writing.isInPlace()),
    writer: new Writer(),
    timers,
    now,
    ...(ports.scryptWork === undefined ? {} : { scryptWork: ports.scryptWork }),
  };
}
