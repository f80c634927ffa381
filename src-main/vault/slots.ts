import { randomBytes } from 'node:crypto';
import { KeychainError } from '../errors.ts';
import type { Keychain, KeychainGetOptions, Timers } from '../keychain/keychain.ts';
import { KEY_LENGTH, type Slot } from './format/header.ts';
import { decodeKeyItem, encodeKeyItem, type KeyItem, type Mark } from './format/key-item.ts';

/** `invalid`: something other than a key item is stored in the slot. */
export type SlotReading = KeyItem | 'absent' | 'invalid';

/**
 * The two places in the keychain where a vault's key can be. Only one is used, except while the key is replaced. They
 * are named by the file's id, so no vault can read, overwrite or destroy another vault's key.
 */
export class KeySlots {
  readonly #keychain: Keychain;
  readonly #service: string;
  readonly #name: string;
  readonly #file: string;

  /** @param file absolute path of the vault, stored beside its key so that a copy can be told from the original */
  constructor(keychain: Keychain, service: string, name: string, file: string) {
    this.#keychain = keychain;
    this.#service = service;
    this.#name = name;
    this.#file = file;
  }

  /** The keychain's display name. */
  get label(): string {
    return this.#keychain.label ?? 'keychain';
  }

  async read(fileId: Buffer, slot: Slot, options?: KeychainGetOptions): Promise<SlotReading> {
    const text = await this.#keychain.get(this.#service, accountOf(fileId, slot), options);
    return text === null ? 'absent' : (decodeKeyItem(text) ?? 'invalid');
  }

  /**
   * Creates a key and stores it in the slot, replacing any key there. Reads it back, whatever the keychain promises: a file
   * that was written under a key that is not there could never be opened again.
   *
   * @throws KeychainError `keychain_mismatch`
   */
  async make(fileId: Buffer, slot: Slot, mark: Mark | null): Promise<Buffer> {
    const key = randomBytes(KEY_LENGTH);
    await this.keep(fileId, slot, key, mark);
    await this.confirm(fileId, slot, key);
    return key;
  }

  /** Stores the key and the mark in the slot. The caller holds the key lock, and knows that the slot is in use. */
  async keep(fileId: Buffer, slot: Slot, key: Buffer, mark: Mark | null): Promise<void> {
    // A key that was zeroed in memory after use must never replace a valid one.
    if (key.every((byte) => byte === 0)) throw new TypeError('This key was overwritten already.');
    const item = encodeKeyItem({ key, mark, file: this.#file, name: this.#name });
    await this.#keychain.set(this.#service, accountOf(fileId, slot), item);
  }

  /** Resolves when the key is destroyed. */
  async destroy(fileId: Buffer, slot: Slot): Promise<void> {
    await this.#keychain.delete(this.#service, accountOf(fileId, slot));
  }

  /** @throws KeychainError `keychain_mismatch` if the slot does not hold this key (any more) */
  async confirm(fileId: Buffer, slot: Slot, key: Buffer): Promise<void> {
    const kept = await this.read(fileId, slot);
    const isSame = typeof kept !== 'string' && kept.key.equals(key);
    if (typeof kept !== 'string') kept.key.fill(0);
    if (isSame) return;
    throw new KeychainError(
      'keychain_mismatch',
      'The keychain does not hold the key that was just stored in it. The vault can still be opened with the key that it had. Try again.',
    );
  }
}

/** Deadline for a keychain without a prompt, in milliseconds: ten times the longest time observed. */
const GRACE = 1_000;

/** Returns the answer; `undefined` if the keychain takes too long: it may be showing a prompt while the user is away. */
export async function unlessItWaits<T>(asked: Promise<T>, timers: Timers): Promise<T | undefined> {
  let timer: unknown;
  const waits = new Promise<undefined>((resolve) => {
    timer = timers.setTimeout(() => resolve(undefined), GRACE);
  });
  try {
    return await Promise.race([asked, waits]);
  } finally {
    timers.clearTimeout(timer);
  }
}

function accountOf(fileId: Buffer, slot: Slot): string {
  return `${fileId.toString('hex')}/${slot}`;
}

export function otherSlot(slot: Slot): Slot {
  return slot === 'a' ? 'b' : 'a';
}
