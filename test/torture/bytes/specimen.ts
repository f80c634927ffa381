import { join } from 'node:path';
import { type Keychain, memoryKeychain } from '../../../src-main/keychain/keychain.ts';
import { FRAMES_AT } from '../../../src-main/vault/format/header.ts';
import { openVaultIn } from '../../../src-main/vault/vault.ts';
import { FakeDisk } from '../../vault/disk.ts';
import { homeOf, signIn, usersIn } from '../../vault/people.ts';

export type Users = Record<string, string>;

/** A vault to be damaged, and its earlier versions. */
export interface Specimen {
  keychain: Keychain;
  good: Buffer;
  /** The offsets at which its frames begin, and the end of the last one. */
  starts: readonly number[];
  baseFrames: number;
  /** Its contents up to the end of the base, and up to the end of each later frame. */
  states: readonly Users[];
  /** Every secret that was ever in the vault, by account. */
  ever: ReadonlyMap<string, ReadonlySet<string>>;
  /** Earlier copies, under the destroyed key and under the current one; and a copy of another vault with the same key. */
  others: Readonly<Record<'closed' | 'older' | 'foreign', Buffer>>;
}

export async function makeSpecimen(folder: string): Promise<Specimen> {
  const keychain = memoryKeychain();
  const disk = new FakeDisk();
  const file = join(folder, 'cache.vault');
  const vault = await openVaultIn({ file, keychain }, { io: disk });
  const states: Users[] = [];
  const ever = new Map<string, Set<string>>();
  const note = async (): Promise<Buffer> => {
    const users = await vault.read(usersIn);
    states.push(users);
    for (const [home, secret] of Object.entries(users)) {
      ever.set(home, (ever.get(home) ?? new Set()).add(secret));
    }
    return Buffer.from(disk.bytes(file));
  };
  await vault.update((cache) => ['ada', 'ben', 'cas'].forEach((user) => signIn(cache, user)));
  await vault.update((cache) => signIn(cache, 'ada', 'secret of before'));
  const closed = await note();
  await vault.erase((cache) => cache.signOut(homeOf('cas')));
  await vault.update((cache) => signIn(cache, 'ben', 'secret of earlier'));
  const older = await note();
  await vault.compact();
  states.length = 0;
  const base = await note();
  await vault.update((cache) => signIn(cache, 'dee'));
  await note();
  await vault.update((cache) => signIn(cache, 'ada', 'secret of newer'));
  await note();
  await vault.update((cache) => cache.signOut(homeOf('dee')));
  const good = await note();
  await vault.close();

  const elsewhere = join(folder, 'foreign.vault');
  const other = await openVaultIn({ file: elsewhere, keychain }, { io: disk });
  await other.update((cache) => ['ada', 'eve'].forEach((user) => signIn(cache, user, 'secret of foreign')));
  await other.update((cache) => signIn(cache, 'ada', 'secret of foreign too'));
  await other.close();
  const foreign = Buffer.from(disk.bytes(elsewhere));
  const starts = frameStarts(good);
  const baseFrames = starts.filter((start) => start < base.length).length;
  return { keychain, good, starts, baseFrames, states, ever, others: { closed, older, foreign } };
}

/** Adds the end of the last frame. */
export function frameStarts(file: Buffer): number[] {
  const found: number[] = [];
  let at = FRAMES_AT;
  for (; at < file.length; at += 84 + file.readUInt32LE(at) + file.readUInt32LE(at + 4)) found.push(at);
  return [...found, at];
}
