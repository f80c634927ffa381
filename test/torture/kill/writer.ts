// A writer that is killed: it says what it begins, which locks it has, and what was acknowledged.
import { join } from 'node:path';
import { openVault } from '../../../src-main/vault/vault.ts';
import type { Vault } from '../../../src-main/vault/api.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import { Random } from '../random.ts';
import { orders, say } from '../say.ts';
import { told } from '../tally.ts';
import { placeOf, put, REGISTERS } from './register.ts';
import { watchLocks } from './watched-lock.ts';

type Kind = 'update' | 'group' | 'compact' | 'rotate' | 'sign-out';
const KINDS: readonly Kind[] = [
  ...Array.from({ length: 14 }, (): Kind => 'update'),
  ...(['group', 'group', 'compact', 'rotate', 'sign-out', 'sign-out'] as const),
];

/** Waits, with everything loaded, for `go SLOT LIFE SEED`. */
export async function writer([folder = '']: readonly string[]): Promise<void> {
  const file = join(folder, 'cache.vault');
  const keychain = new FolderKeychain(join(folder, 'keys'));
  watchLocks();
  say('standby');
  for await (const line of orders()) {
    const [, slot, life, seed] = line.split(' ').map(Number);
    const vault = await openVault({ file, keychain });
    say('open', vault.status.state);
    await new Writer(vault, slot ?? 0, life ?? 0, new Random(seed ?? 0)).run();
  }
}

class Writer {
  #n = 0;
  readonly vault: Vault;
  readonly slot: number;
  readonly life: number;
  readonly random: Random;

  constructor(vault: Vault, slot: number, life: number, random: Random) {
    this.vault = vault;
    this.slot = slot;
    this.life = life;
    this.random = random;
  }

  async run(): Promise<never> {
    for (;;) {
      const kind = this.random.pick(KINDS);
      const register = this.random.below(REGISTERS);
      if (kind === 'group') {
        const others = [0, 1, 2].map((step) => (register + step) % REGISTERS);
        await Promise.all(others.map((other) => this.#do('group', other)));
      } else await this.#do(kind, register);
    }
  }

  async #do(kind: Kind, register: number): Promise<void> {
    const n = (this.#n += 1);
    const { vault, slot } = this;
    const value = kind === 'sign-out' ? '-' : `${this.life}.${n}`;
    say('begin', n, kind, register, value, process.hrtime.bigint());
    try {
      if (kind === 'compact') await vault.compact();
      else if (kind === 'rotate') await vault.rotateKey();
      else if (kind === 'sign-out') {
        await vault.signOut(placeOf(slot, register));
      } else {
        await vault.update((cache) => put(cache, slot, register, value));
      }
    } catch (error) {
      say('failed', n, told(error));
      return;
    }
    say('done', n, process.hrtime.bigint());
  }
}
