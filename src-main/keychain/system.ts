import { randomBytes } from 'node:crypto';
import { KeychainError } from '../errors.ts';
import { diagnose } from './diagnosis.ts';
import type { Keychain } from './keychain.ts';
import { type Keytar, loadKeytar, unavailable } from './keytar.ts';
import { Line, type StillWanted, systemTimers, type Timers } from './line.ts';

/** How long a person is given to answer a prompt before the caller is told, in milliseconds. */
const PATIENCE = 10_000;

/** How the keychain is reached, and how long it is waited for. */
export interface SystemKeychainOptions {
  /** Loads the native module. An app that checks its binary's hash first does so here. Default: imports keytar. */
  load?: () => Promise<Keytar>;
  /** Milliseconds until `keychain_timeout`. Default: 10,000. */
  patience?: number;
  /** Default: those of the process. */
  timers?: Timers;
}

/** All keychains of this process stand in one line, [Note: one call at a time] in line.ts. */
let sharedLine: Line | undefined;

/**
 * The keychain of the operating system: macOS Keychain, Windows Credential Manager, Secret Service on Linux. The
 * native module is loaded at the first call.
 */
export function systemKeychain(options: SystemKeychainOptions = {}): Keychain {
  const { load = loadKeytar, patience, timers } = options;
  const line =
    patience === undefined && timers === undefined
      ? (sharedLine ??= new Line(PATIENCE))
      : new Line(patience ?? PATIENCE, timers ?? systemTimers);
  const ask = <T>(task: (store: Store, stillWanted: StillWanted) => Promise<T>): Promise<T> =>
    line.ask(async (stillWanted) => task(storeOf(await load()), stillWanted));
  return {
    label: labelOf(process.platform),
    get: (service, account) => ask((store) => find(store, service, account)),
    set: (service, account, secret) =>
      ask(async (store, stillWanted) => {
        // Asked first, because a prompt or a hang shows here, where it does no harm to answer late.
        await store.get(service, account);
        stillWanted();
        await write(store, service, account, secret);
      }),
    delete: (service, account) =>
      ask(async (store, stillWanted) => {
        if ((await find(store, service, account)) === null) return;
        stillWanted();
        // That a key was deleted proves nothing, and may leave it on the disk. Overwritten it is gone.
        await write(store, service, account, randomBytes(32).toString('base64'));
        stillWanted();
        await store.delete(service, account);
        if ((await store.get(service, account)) !== null) throw mismatch();
      }),
  };
}

/** keytar with its errors translated, each by what was being done. */
interface Store {
  get(service: string, account: string): Promise<string | null>;
  set(service: string, account: string, secret: string): Promise<void>;
  delete(service: string, account: string): Promise<void>;
}

function storeOf(keytar: Keytar): Store {
  return {
    get: (service, account) => keytar.getPassword(service, account).catch(refused('read')),
    set: (service, account, secret) => keytar.setPassword(service, account, secret).catch(refused('write')),
    delete: async (service, account) => {
      await keytar.deletePassword(service, account).catch(refused('write'));
    },
  };
}

function refused(attempt: 'read' | 'write'): (cause: unknown) => never {
  return (cause) => {
    throw unavailable(diagnose(attempt, cause));
  };
}

const CANARY = 'canary';

/**
 * A locked Secret Service answers `null` for what it holds. So on `null` something is written: where that fails, the
 * keychain is locked. Where it works, the question is asked again, because writing may have shown the prompt that
 * unlocked it.
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
  return new KeychainError(
    'keychain_mismatch',
    'The keychain did not keep what it was given. The vault’s file was not changed. Try again; if it happens again, look for another program that manages the same keychain.',
  );
}

function labelOf(platform: NodeJS.Platform): string {
  if (platform === 'darwin') return 'macOS Keychain';
  return platform === 'win32' ? 'Windows Credential Manager' : 'Secret Service';
}
