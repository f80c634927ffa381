import { randomBytes } from 'node:crypto';
import type { KeychainError } from '../errors.ts';
import { checkOptions, FUNCTION, type Kind, RECORD } from '../options.ts';
import { systemTimers } from '../waiting.ts';
import { type AssertWanted, DeadlineQueue, type Keychain, keychainError, type Timers } from './keychain.ts';
import { type Keytar, keytarError, loadKeytar } from './keytar.ts';

/** Milliseconds that the user has to answer a prompt before the call fails. */
const DEADLINE = 10_000;

/**
 * Options for `systemKeychain`.
 *
 * @example
 * import { systemKeychain } from 'tokenkeep';
 *
 * const keychain = systemKeychain({ deadline: 30_000 });
 */
export interface SystemKeychainOptions {
  /** Loads the native module. An app that checks its binary's hash first does so here. Default: imports keytar. */
  load?: () => Promise<Keytar>;
  /** Milliseconds until `keychain_timeout`. Default: 10,000. */
  deadline?: number;
  /** Default: the timers of the process. */
  timers?: Timers;
}

/** All system keychains of this process share one queue, see [Note: one call at a time] in keychain.ts. */
let sharedQueue: DeadlineQueue | undefined;

const MILLISECONDS: Kind = {
  is: (value) => typeof value === 'number' && value > 0,
  what: 'a number of milliseconds',
};

/**
 * Returns the keychain of the operating system: macOS Keychain, Windows Credential Manager, or the Secret Service on
 * Linux (GNOME Keyring, KWallet, KeePassXC). The native module is loaded at the first call.
 *
 * @example
 * import { openVault, systemKeychain } from 'tokenkeep';
 *
 * const keychain = systemKeychain({ deadline: 30_000 });
 * const vault = await openVault({ file: '/home/ada/.config/my-app/accounts.vault', keychain });
 */
export function systemKeychain(options: SystemKeychainOptions = {}): Keychain {
  const {
    load = loadKeytar,
    deadline,
    timers,
  } = checkOptions('systemKeychain', options, {
    load: FUNCTION,
    deadline: MILLISECONDS,
    timers: RECORD,
  });
  const queue =
    deadline === undefined && timers === undefined
      ? (sharedQueue ??= new DeadlineQueue(DEADLINE))
      : new DeadlineQueue(deadline ?? DEADLINE, timers ?? systemTimers);
  const ask = <T>(task: (store: Store, assertWanted: AssertWanted) => Promise<T>): Promise<T> =>
    queue.run(async (assertWanted) => task(storeOf(await load()), assertWanted));
  return {
    label: labelOf(process.platform),
    get: (service, account, { certain = true } = {}) =>
      ask((store) => (certain ? find(store, service, account) : store.get(service, account))),
    set: (service, account, secret) =>
      ask(async (store, assertWanted) => {
        // A prompt or a hang shows in this read, where a late answer does no harm.
        await store.get(service, account);
        assertWanted();
        await write(store, service, account, secret);
      }),
    delete: (service, account) =>
      ask(async (store, assertWanted) => {
        if ((await find(store, service, account)) === null) return;
        assertWanted();
        // keytar's answer to a deletion proves nothing, and the old value may stay on the disk. Overwrite it first.
        await write(store, service, account, randomBytes(32).toString('base64'));
        assertWanted();
        await store.delete(service, account);
        if ((await store.get(service, account)) !== null) throw mismatch();
      }),
  };
}

/** keytar with its errors translated. */
interface Store {
  get(service: string, account: string): Promise<string | null>;
  set(service: string, account: string, secret: string): Promise<void>;
  delete(service: string, account: string): Promise<void>;
}

function storeOf(keytar: Keytar): Store {
  return {
    get: (service, account) => translated(() => keytar.getPassword(service, account)),
    set: (service, account, secret) => translated(() => keytar.setPassword(service, account, secret)),
    delete: async (service, account) => {
      await translated(() => keytar.deletePassword(service, account));
    },
  };
}

/** Translates both kinds of keytar failure: it throws at once for invalid arguments, and rejects if the system refuses. */
async function translated<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw keytarError(cause);
  }
}

const CANARY = 'canary';

/**
 * A locked Secret Service answers `null` for what it holds. So after `null` a canary is written, which fails if the keychain is locked. If
 * it succeeds, the item is read again, because the write may have shown the prompt that unlocked the keychain.
 */
async function find(store: Store, service: string, account: string): Promise<string | null> {
  const secret = await store.get(service, account);
  if (secret !== null) return secret;
  await store.set(service, CANARY, CANARY);
  await store.delete(service, CANARY);
  return store.get(service, account);
}

async function write(store: Store, service: string, account: string, secret: string): Promise<void> {
  await store.set(service, account, secret);
  if ((await store.get(service, account)) !== secret) throw mismatch();
}

function mismatch(): KeychainError {
  return keychainError(
    'keychain_mismatch',
    'The keychain did not keep what was written to it.',
    'Try again. If it happens again, look for another program that manages the same keychain.',
  );
}

function labelOf(platform: NodeJS.Platform): string {
  if (platform === 'darwin') return 'macOS Keychain';
  return platform === 'win32' ? 'Windows Credential Manager' : 'Secret Service';
}
