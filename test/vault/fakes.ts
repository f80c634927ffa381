import { join } from 'node:path';
import { KeychainError, KeychainTimeoutError } from '../../src-main/errors.ts';
import type { Keychain, Timers } from '../../src-main/keychain/keychain.ts';
import type { Vault, VaultOptions } from '../../src-main/vault/api.ts';
import { encodeKeyItem } from '../../src-main/vault/format/key-item.ts';
import type { VaultPorts } from '../../src-main/vault/settings.ts';
import { openVaultIn } from '../../src-main/vault/vault.ts';
import { afterFile } from '../support/after-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { FakeDisk } from './disk.ts';

export type Mood = 'open' | 'locked' | 'unavailable' | 'silent';

/** A keychain whose behaviour a test sets. In `silent` it times out at once, and answers when `speak` is called. */
export class FakeKeychain implements Keychain {
  readonly label = 'Fake keychain';
  readonly items = new Map<string, string>();
  readonly asked: string[] = [];
  mood: Mood = 'open';
  /** Called before each call is answered; may change `mood`. */
  before: (call: string) => void = () => undefined;
  /** What it returns is awaited before the call is answered. */
  hold: (call: string) => Promise<void> | undefined = () => undefined;
  #silenced: (() => void)[] = [];

  async get(_service: string, account: string): Promise<string | null> {
    return this.#answer(`get ${slotIn(account)}`, () => this.items.get(account) ?? null);
  }

  async set(_service: string, account: string, secret: string): Promise<void> {
    await this.#answer(`set ${slotIn(account)}`, () => this.items.set(account, secret));
  }

  async delete(_service: string, account: string): Promise<void> {
    await this.#answer(`delete ${slotIn(account)}`, () => this.items.delete(account));
  }

  /** The slots that hold something: `a`, `b`. */
  get slots(): string[] {
    return [...this.items.keys()].map(slotIn).sort();
  }

  /** The contents of the only slot of this name. */
  item(slot: 'a' | 'b'): { account: string; text: string } {
    const found = [...this.items].filter(([account]) => slotIn(account) === slot);
    const [account, text] = found[0] ?? [];
    if (account === undefined || text === undefined || found.length > 1) {
      throw new Error(`${found.length} keys in slot ${slot}`);
    }
    return { account, text };
  }

  speak(mood: Mood = 'open'): void {
    this.mood = mood;
    for (const answer of this.#silenced.splice(0)) answer();
  }

  async #answer<T>(call: string, act: () => T): Promise<T> {
    await Promise.resolve();
    this.asked.push(call);
    this.before(call);
    await this.hold(call);
    if (this.mood === 'locked') throw new KeychainError('keychain_locked', 'locked');
    if (this.mood === 'unavailable') throw new KeychainError('keychain_unavailable', 'unavailable');
    if (this.mood === 'silent') {
      throw new KeychainTimeoutError('silent', new Promise<void>((resolve) => this.#silenced.push(resolve)));
    }
    return act();
  }
}

/** A key item as the keychain holds it, with a key that nothing was sealed with. */
export function keyItem(byte: number): string {
  return encodeKeyItem({ key: Buffer.alloc(32, byte), mark: null, file: null, name: '' });
}

function slotIn(account: string): string {
  return account.slice(account.indexOf('/') + 1);
}

/** Timers that fire when a test says so. */
export class FakeTimers implements Timers {
  pending = new Map<number, { callback: () => void; milliseconds: number }>();
  #next = 1;

  setTimeout(callback: () => void, milliseconds: number): number {
    this.pending.set(this.#next, { callback, milliseconds });
    return this.#next++;
  }

  clearTimeout(timer: unknown): void {
    if (typeof timer === 'number') this.pending.delete(timer);
  }

  /** Fires all that are due within this time, and returns the pauses that they had asked for. */
  fire(within = Number.POSITIVE_INFINITY): number[] {
    const due = [...this.pending].filter(([, { milliseconds }]) => milliseconds <= within);
    for (const [timer] of due) this.pending.delete(timer);
    for (const [, { callback }] of due) callback();
    return due.map(([, { milliseconds }]) => milliseconds);
  }
}

/** A vault on a fake disk with a fake keychain; its lock files are real. */
export class Scene {
  readonly disk = new FakeDisk();
  readonly keychain = new FakeKeychain();
  readonly timers = new FakeTimers();
  readonly file = join(temporaryFolder(), 'cache.vault');
  now = 1_780_000_000_000;

  async open(options: Partial<VaultOptions> = {}, ports: VaultPorts = {}): Promise<Vault> {
    const { disk: io, keychain, timers, file } = this;
    const vault = await openVaultIn(
      { file, keychain, ...options },
      { io, timers, now: () => this.now, ...ports },
    );
    afterFile(() => vault.close());
    return vault;
  }

  get bytes(): Buffer {
    return this.disk.bytes(this.file);
  }
}
