import { randomBytes } from 'node:crypto';
import { KeychainError } from '../errors.ts';
import type { Keychain } from '../keychain/keychain.ts';
import type { Slot } from './format/header.ts';
import { decodeKey, encodeKey, KEY_LENGTH } from './format/keys.ts';

/** `invalid`: something else stands where the key should be. */
export type SlotReading = Buffer | 'absent' | 'invalid';

/** The two places in the keychain where a vault's key can be. One at a time; both only while the key is replaced. */
export class KeySlots {
  readonly #keychain: Keychain;
  readonly #service: string;
  readonly #name: string;

  constructor(keychain: Keychain, service: string, name: string) {
    this.#keychain = keychain;
    this.#service = service;
    this.#name = name;
  }

  get label(): string {
    return this.#keychain.label ?? 'keychain';
  }

  async read(slot: Slot): Promise<SlotReading> {
    const text = await this.#keychain.get(this.#service, this.#account(slot));
    return text === null ? 'absent' : (decodeKey(text) ?? 'invalid');
  }

  /** Makes a key and keeps it in the slot, in the place of whatever is there. */
  async make(slot: Slot): Promise<Buffer> {
    const key = randomBytes(KEY_LENGTH);
    await this.#keychain.set(this.#service, this.#account(slot), encodeKey(key));
    return key;
  }

  /** Resolved = gone for good. */
  async destroy(slot: Slot): Promise<void> {
    await this.#keychain.delete(this.#service, this.#account(slot));
  }

  /** @throws KeychainError `keychain_mismatch` where the slot does not hold this key (any more) */
  async confirm(slot: Slot, key: Buffer): Promise<void> {
    const kept = await this.read(slot);
    if (typeof kept === 'string' || !kept.equals(key)) {
      throw new KeychainError(
        'keychain_mismatch',
        'The keychain no longer holds the key that the vault was just written with. The older key was kept. Try again.',
      );
    }
  }

  #account(slot: Slot): string {
    return `${this.#name}/${slot}`;
  }
}

export function otherSlot(slot: Slot): Slot {
  return slot === 'a' ? 'b' : 'a';
}
