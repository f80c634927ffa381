import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SerializableTokenCache } from '../../../src-main/cache/document/serializable-token-cache.ts';
import { encrypt } from '../../../src-main/vault/exchange/age.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import type { TokenCache } from '../../../src-main/cache/token-cache.ts';
import type { Vault } from '../../../src-main/vault/api.ts';
import { homeOf, signIn } from '../../vault/people.ts';

/** Accounts and the secrets of their access tokens. */
export type Users = Record<string, string>;

/** An operation on a vault, of which one call fails. */
export interface Operation {
  /** Creates a folder with a vault that has the contents of `before`. */
  start: (vault: Vault) => Promise<void>;
  /** Changes the folder after the vault was closed. */
  spoil?: (folder: string) => void;
  /** Options with which the vault is opened for the operation. */
  unprotected?: 'memory';
  before: Users;
  /** Resolves when the operation is acknowledged, with the contents that the vault must then have. Rejects if it was refused. */
  run: (vault: Vault) => Promise<unknown>;
  /** Whether `run` is repeated after the fault, to check that it removes what was left. */
  again?: true;
  after: Users;
  /** Whether the file may also be as `spoil` left it, or set aside in that state. */
  rescue?: true;
  /** Whether the result of `run` means that older copies can't be opened any more. */
  closesOlder?: true;
  /** Whether the operation rewrites the file. */
  replaces?: true;
  /** Whether there are several updates to acknowledge: refusing one does not undo another. */
  several?: true;
}

const secret = (user: string): string => `access secret of ${user}`;
const users = (...names: readonly string[]): Users =>
  Object.fromEntries(names.map((name) => [homeOf(name), secret(name)]));

async function withTwo(vault: Vault): Promise<void> {
  await vault.update((cache) => signIn(cache, 'ada'));
  await vault.update((cache) => signIn(cache, 'ben'));
}

/** So much reclaimable space that the next update of both rewrites the file. */
async function nearlyDead(vault: Vault): Promise<void> {
  await withTwo(vault);
  for (let n = 0; n < 44; n += 1) await vault.update((cache) => bothAgain(cache));
}

function bothAgain(cache: TokenCache): void {
  for (const user of ['ada', 'ben']) signIn(cache, user);
}

export const PASSPHRASE = 'orbit velvet canyon mustard ladder';
export const EXPORT = 'export.age';

/** So many accounts that they are not appended. */
const MANY = Array.from({ length: 260 }, (_, n) => `user-${n}`);

const beside = (vault: Vault, name: string): string => join(dirname(vault.status.file), name);

async function withImport(vault: Vault, names: readonly string[]): Promise<void> {
  await withTwo(vault);
  const cache = new SerializableTokenCache();
  for (const name of names) signIn(cache, name);
  writeFileSync(beside(vault, 'import.age'), await encrypt(Buffer.from(cache.serialize()), PASSPHRASE, 1));
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(file, bytes);
}

const vaultIn = (folder: string): string => join(folder, 'cache.vault');

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'first save': {
    start: () => Promise.resolve(),
    before: {},
    run: (vault) => vault.update((cache) => signIn(cache, 'ada')),
    after: users('ada'),
  },
  update: {
    start: withTwo,
    before: users('ada', 'ben'),
    run: (vault) => vault.update((cache) => signIn(cache, 'cas')),
    after: users('ada', 'ben', 'cas'),
  },
  'update of what is there': {
    start: withTwo,
    before: users('ada', 'ben'),
    run: (vault) => vault.update((cache) => signIn(cache, 'ada', 'secret of another')),
    after: { ...users('ada', 'ben'), [homeOf('ada')]: secret('another') },
  },
  'update after a torn end': {
    start: withTwo,
    spoil: (folder) => {
      // Room for a frame of which nothing was written.
      appendFileSync(vaultIn(folder), Buffer.alloc(300));
    },
    before: users('ada', 'ben'),
    run: (vault) => vault.update((cache) => signIn(cache, 'cas')),
    after: users('ada', 'ben', 'cas'),
  },
  group: {
    start: withTwo,
    before: users('ada', 'ben'),
    run: (vault) =>
      Promise.all(['cas', 'dee', 'eve'].map((user) => vault.update((cache) => signIn(cache, user)))),
    after: users('ada', 'ben', 'cas', 'dee', 'eve'),
    several: true,
  },
  'update held in memory': {
    start: withTwo,
    unprotected: 'memory',
    before: users('ada', 'ben'),
    run: (vault) => vault.update((cache) => signIn(cache, 'cas')),
    after: users('ada', 'ben', 'cas'),
  },
  'update that makes it compact': {
    start: nearlyDead,
    before: users('ada', 'ben'),
    run: async (vault) => {
      await vault.update((cache) => {
        signIn(cache, 'cas');
        bothAgain(cache);
      });
      // After the compaction, which nothing waits for. Whether the file can be read is not checked.
      await vault.read(() => undefined).catch(() => undefined);
    },
    after: users('ada', 'ben', 'cas'),
    replaces: true,
  },
  compact: {
    start: nearlyDead,
    before: users('ada', 'ben'),
    run: (vault) => vault.compact(),
    after: users('ada', 'ben'),
  },
  rotate: {
    start: withTwo,
    before: users('ada', 'ben'),
    run: (vault) => vault.rotateKey(),
    after: users('ada', 'ben'),
    closesOlder: true,
  },
  'sign-out': {
    start: withTwo,
    before: users('ada', 'ben'),
    run: async (vault) => (await vault.signOut(homeOf('ada'))).oldKey,
    after: users('ben'),
    closesOlder: true,
  },
  'sign-out, beside an update': {
    start: withTwo,
    before: users('ada', 'ben'),
    run: async (vault) => {
      const update = vault.update((cache) => signIn(cache, 'ben', 'secret of another'));
      update.catch(() => undefined);
      const { oldKey } = await vault.signOut(homeOf('ada'));
      await update;
      return oldKey;
    },
    after: { [homeOf('ben')]: secret('another') },
    closesOlder: true,
    several: true,
  },
  recover: {
    start: async (vault) => {
      await vault.update((cache) => ['ada', 'ben', 'cas'].forEach((user) => signIn(cache, user)));
    },
    spoil: (folder) => {
      const bytes = readFileSync(vaultIn(folder));
      const lengthAt = (at: number): number => 84 + bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4);
      const second = 4224 + lengthAt(4224);
      flip(vaultIn(folder), second + lengthAt(second) + 100);
    },
    before: users('ada', 'cas'),
    run: (vault) => vault.recover(),
    after: users('ada', 'cas'),
    rescue: true,
  },
  'take an older file': {
    start: withTwo,
    spoil: (folder) => {
      // The last frame, which was acknowledged, is cut off.
      truncateSync(vaultIn(folder), statSync(vaultIn(folder)).size - 300);
    },
    before: users('ada'),
    run: (vault) => vault.takeFile(),
    after: users('ada'),
    rescue: true,
  },
  import: {
    start: (vault) => withImport(vault, ['cas', 'dee']),
    before: users('ada', 'ben'),
    run: (vault) => vault.importFrom(beside(vault, 'import.age'), PASSPHRASE),
    after: users('ada', 'ben', 'cas', 'dee'),
  },
  'import of many': {
    start: (vault) => withImport(vault, MANY),
    before: users('ada', 'ben'),
    run: (vault) => vault.importFrom(beside(vault, 'import.age'), PASSPHRASE),
    after: users('ada', 'ben', ...MANY),
  },
  export: {
    start: withTwo,
    before: users('ada', 'ben'),
    run: (vault) => vault.exportTo(beside(vault, EXPORT), PASSPHRASE),
    again: true,
    after: users('ada', 'ben'),
  },
  'start fresh': {
    start: withTwo,
    spoil: (folder) => new FolderKeychain(join(folder, 'keys')).lose('a'),
    before: {},
    run: (vault) => vault.startFresh(),
    after: {},
    rescue: true,
  },
};
