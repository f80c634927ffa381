import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileLock } from '../lock/file-lock.ts';
import { checkOptions, having, LIST_OF_TEXTS, oneOf } from '../options.ts';
import type { Vault, VaultOptions } from '../vault/api.ts';
import { type Io, nodeIo } from '../vault/disk/file.ts';
import { CHECK_AT, HEADER_COPY_AT, HEADER_LENGTH, keyCheck, VERSION } from '../vault/format/header.ts';
import { decodeKeyItem } from '../vault/format/key-item.ts';
import type { VaultPorts } from '../vault/settings.ts';
import type { VaultState } from '../vault/state.ts';
import { openVaultIn } from '../vault/vault.ts';
import { type TestClock, testClock } from './test-clock.ts';
import { type TestKeychain, testKeychain } from './test-keychain.ts';
import { tokenResponse } from './token-response.ts';

/**
 * Options for `testVault`.
 *
 * @example
 * import type { TestVaultOptions } from 'tokenkeep/testing';
 *
 * const options: TestVaultOptions = { state: 'locked', users: ['ada@example.org', 'noor@example.org'] };
 */
export interface TestVaultOptions {
  /** Default: `ready`. */
  state?: VaultState;
  /** The user names of those who are signed in. Default: "ada@example.org". If empty, only the states that need a file have one. */
  users?: readonly string[];
  /** Default: a new one. */
  clock?: TestClock;
  /** As in `openVault`. */
  unprotected?: VaultOptions['unprotected'];
}

/**
 * A vault in a folder of its own, and what a test needs to change its state.
 *
 * @example
 * import { type TestVault, testVault } from 'tokenkeep/testing';
 *
 * const { vault, mend, dispose }: TestVault = await testVault({ state: 'locked' });
 * console.log(vault.status.state);
 * await mend();
 * await vault.retry();
 * await dispose();
 */
export interface TestVault {
  readonly vault: Vault;
  /** Absolute path of its file. */
  readonly file: string;
  readonly keychain: TestKeychain;
  readonly clock: TestClock;
  /**
   * Removes the cause of the state: unlocks the keychain, restores the key or the file, ends the other writer. Call `vault.retry()` after
   * it. Does nothing for `ready`, nor for `older` and `copy`, in which the user decides.
   */
  readonly mend: () => Promise<void>;
  /** Closes the vault and removes its folder. */
  readonly dispose: () => Promise<void>;
  /** Calls `dispose`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Where a vault is being prepared. */
interface Stage {
  readonly file: string;
  readonly keychain: TestKeychain;
  readonly clock: TestClock;
  open(ports?: VaultPorts, file?: string): Promise<Vault>;
}

/** What brings a prepared vault into a state, and the way back. */
interface Prepared {
  readonly ports?: VaultPorts;
  /** Default: the stage's own. */
  readonly file?: string;
  /** Called with the opened vault. */
  opened?(vault: Vault): Promise<void>;
  mend?(): Promise<void> | void;
}

/** States that no vault without a file can have. */
const OF_A_FILE: ReadonlySet<VaultState> = new Set([
  'key-missing',
  'wrong-key',
  'damaged',
  'newer',
  'older',
  'copy',
]);

const STATES: Readonly<Record<VaultState, (stage: Stage) => Promise<Prepared> | Prepared>> = {
  ready: () => ({}),
  locked: ({ keychain }) => withKeychain(keychain, 'locked'),
  'no-keychain': ({ keychain }) => withKeychain(keychain, 'unavailable'),
  'key-missing': async ({ keychain }) => {
    const items = keychain as ListedKeychain;
    const kept = [...items.items];
    for (const [account] of kept) await keychain.delete('Tokenkeep', account);
    return { mend: () => restore(keychain, kept) };
  },
  'wrong-key': async (stage) => {
    const items = stage.keychain as ListedKeychain;
    const kept = [...items.items];
    // The key of another vault, in this one's place.
    const other = await stage.open({}, `${stage.file}-other`);
    await other.update((cache) => void cache.add(tokenResponse()));
    await other.close();
    const foreign = [...items.items].find(([account]) => !kept.some(([own]) => own === account))?.[1] ?? '';
    for (const [account] of kept) await stage.keychain.set('Tokenkeep', account, foreign);
    return { mend: () => restore(stage.keychain, kept) };
  },
  damaged: async ({ file }) => {
    const sound = await readFile(file);
    const damaged = Buffer.from(sound);
    const last = damaged.length - 1;
    damaged.writeUInt8(damaged.readUInt8(last) ^ 1, last);
    await writeFile(file, damaged);
    return { mend: () => writeFile(file, sound) };
  },
  newer: async ({ file, keychain }) => {
    const current = await readFile(file);
    const [, item = ''] = [...(keychain as ListedKeychain).items][0] ?? [];
    await writeFile(file, ofNextVersion(current, item));
    return { mend: () => writeFile(file, current) };
  },
  'read-only': () => refusing('writable'),
  unreadable: () => refusing('open'),
  busy: ({ file }) => {
    const lock = new FileLock(`${file}.lock`);
    let release = (): void => undefined;
    let holding: Promise<void> = Promise.resolve();
    return {
      ports: { lockDeadline: 20 },
      opened: async (vault) => {
        await new Promise<void>((held, failed) => {
          holding = lock.hold(() => {
            held();
            return new Promise<void>((resolve) => (release = resolve));
          });
          holding.catch(failed);
        });
        await vault.update(() => undefined).catch(() => undefined);
      },
      mend: async () => {
        release();
        await holding;
        await lock.close();
      },
    };
  },
  older: async (stage) => {
    const older = await readFile(stage.file);
    const vault = await stage.open();
    await vault.update((cache) => void cache.add(tokenResponse({ username: 'later@example.org' })));
    await vault.close();
    await writeFile(stage.file, older);
    return {};
  },
  copy: async ({ file }) => {
    await copyFile(file, `${file}-copy`);
    return { file: `${file}-copy` };
  },
};

/**
 * Opens a vault that is in the wanted state, with made-up users in it, in a temporary folder. The file, its locks and its encryption are
 * the real ones; the keychain is in memory. No state needs a system keychain, permissions or another process, so it runs anywhere.
 *
 * @example
 * import { VaultError } from 'tokenkeep';
 * import { testVault } from 'tokenkeep/testing';
 *
 * const { vault, mend, dispose } = await testVault({ state: 'locked' });
 * await vault.read((cache) => cache.accounts()).catch((error: VaultError) => console.log(error.code)); // vault_locked
 * await mend();
 * await vault.retry();
 * console.log(await vault.read((cache) => cache.accounts().length)); // 1
 * await dispose();
 */
export async function testVault(options: TestVaultOptions = {}): Promise<TestVault> {
  const {
    state = 'ready',
    users = ['ada@example.org'],
    clock = testClock(),
    unprotected = 'refuse',
  } = checkOptions('testVault', options, {
    state: oneOf(...Object.keys(STATES)),
    users: LIST_OF_TEXTS,
    clock: having('what `testClock` returns', 'now', 'advance'),
    unprotected: oneOf('refuse', 'memory'),
  });
  const folder = await mkdtemp(join(tmpdir(), 'tokenkeep-testing-'));
  const keychain = listed(testKeychain());
  const opened: Vault[] = [];
  const stage: Stage = {
    file: join(folder, 'test.vault'),
    keychain,
    clock,
    async open(ports = {}, file = join(folder, 'test.vault')) {
      const vault = await openVaultIn(
        { file, keychain, unprotected },
        { now: () => clock.now() * 1000, ...ports },
      );
      opened.push(vault);
      return vault;
    },
  };
  let prepared: Prepared = {};
  let isMended = false;
  const mend = async (): Promise<void> => {
    if (isMended) return;
    isMended = true;
    await prepared.mend?.();
  };
  const dispose = async (): Promise<void> => {
    await mend();
    for (const vault of opened) await vault.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await fill(stage, users);
    if (users.length === 0 && OF_A_FILE.has(state)) await leaveEmptyFile(stage);
    prepared = await STATES[state](stage);
    const file = prepared.file ?? stage.file;
    const vault = await stage.open(prepared.ports, file);
    await prepared.opened?.(vault);
    return { vault, file, keychain, clock, mend, dispose, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function fill(stage: Stage, users: readonly string[]): Promise<void> {
  const vault = await stage.open();
  await vault.update((cache) => {
    for (const username of users) cache.add(tokenResponse({ username }));
  });
  await vault.close();
}

/** A file is only written for a change: somebody signs in and out again. */
async function leaveEmptyFile(stage: Stage): Promise<void> {
  await fill(stage, ['ada@example.org']);
  const vault = await stage.open();
  await vault.update((cache) => void cache.signOutAll());
  await vault.close();
}

function withKeychain(keychain: TestKeychain, mode: 'locked' | 'unavailable'): Prepared {
  keychain.mode = mode;
  return {
    mend() {
      keychain.mode = 'open';
    },
  };
}

/** A disk that refuses one kind of call until it is mended, since permissions don't keep every user out. */
function refusing(call: 'open' | 'writable'): Prepared {
  let refuses = true;
  const refuse = (path: string): void => {
    if (!refuses) return;
    throw Object.assign(new Error(`EACCES: permission denied, ${call} '${path}'`), { code: 'EACCES' });
  };
  const io: Io = {
    ...nodeIo,
    open: async (file, flags, mode) => {
      if (call === 'open') refuse(file);
      return nodeIo.open(file, flags, mode);
    },
    writable: async (path) => {
      refuse(path);
      return nodeIo.writable(path);
    },
  };
  return {
    ports: { io },
    mend() {
      refuses = false;
    },
  };
}

/** The file with the header of a later version, which only the holder of the key can have written. */
function ofNextVersion(file: Buffer, item: string): Buffer {
  const decoded = decodeKeyItem(item);
  if (decoded === null) throw new TypeError('The keychain has no key.');
  const header = Buffer.from(file.subarray(0, HEADER_LENGTH));
  header.writeUInt32LE(VERSION + 1, 8);
  keyCheck(decoded.key, header.subarray(0, CHECK_AT)).copy(header, CHECK_AT);
  const rest = header.subarray(0, HEADER_LENGTH - 32);
  createHash('sha256').update(rest).digest().copy(header, rest.length);
  const changed = Buffer.from(file);
  header.copy(changed, 0);
  header.copy(changed, HEADER_COPY_AT);
  return changed;
}

/** A keychain that also tells what is in it. */
interface ListedKeychain extends TestKeychain {
  readonly items: ReadonlyMap<string, string>;
}

function listed(keychain: TestKeychain): ListedKeychain {
  const items = new Map<string, string>();
  const set = keychain.set.bind(keychain);
  const remove = keychain.delete.bind(keychain);
  return Object.assign(keychain, {
    items,
    set: async (service: string, account: string, secret: string) => {
      await set(service, account, secret);
      items.set(account, secret);
    },
    delete: async (service: string, account: string) => {
      await remove(service, account);
      items.delete(account);
    },
  });
}

async function restore(keychain: TestKeychain, items: readonly (readonly [string, string])[]): Promise<void> {
  for (const [account, secret] of items) await keychain.set('Tokenkeep', account, secret);
}
