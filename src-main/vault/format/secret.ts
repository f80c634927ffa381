// FORMAT.md, "Sealed secrets".
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { freezeJson } from '../../cache/json.ts';
import { VaultError } from '../../errors.ts';
import { TAG_LENGTH } from './frame.ts';

/** The key that seals the secrets of one frame. It is generated for each frame, so that a counter can be the nonce. */
export interface SecretsKey {
  /** 32 bytes; a view into the frame's decrypted body. */
  key: Buffer;
  fileId: Buffer;
}

/** A sealed secret in a frame. It is decrypted on every access. */
export class SealedSecret {
  readonly #frame: SecretsKey;
  readonly #index: number;
  readonly #section: string;
  readonly #key: string;
  readonly #bytes: Buffer;

  constructor(frame: SecretsKey, index: number, section: string, key: string, bytes: Buffer) {
    this.#frame = frame;
    this.#index = index;
    this.#section = section;
    this.#key = key;
    this.#bytes = bytes;
  }

  open(): string {
    const plain = this.#decrypt();
    try {
      return plain.toString('utf8');
    } finally {
      plain.fill(0);
    }
  }

  /** Authenticates the secret without making a string of it: strings can't be wiped. */
  check(): void {
    this.#decrypt().fill(0);
  }

  #decrypt(): Buffer {
    const tagAt = this.#bytes.length - TAG_LENGTH;
    const decipher = createDecipheriv('aes-256-gcm', this.#frame.key, nonceOf(this.#index), {
      authTagLength: TAG_LENGTH,
    });
    decipher.setAuthTag(this.#bytes.subarray(tagAt));
    decipher.setAAD(binding(this.#frame.fileId, this.#section, this.#key));
    const plain = decipher.update(this.#bytes.subarray(0, tagAt));
    try {
      decipher.final();
      return plain;
    } catch (cause) {
      plain.fill(0);
      throw new VaultError('vault_damaged', 'A secret in this vault was tampered with and can’t be opened.', {
        cause,
      });
    }
  }

  /**
   * Returns whether both are the same bytes under the same key, and so the same secret. (Different bytes can be the
   * same secret, sealed again.)
   */
  equals(other: SealedSecret): boolean {
    return this.#bytes.equals(other.#bytes) && this.#frame.key.equals(other.#frame.key);
  }

  /** Printing and JSON reveal only that there is a secret. */
  toJSON(): string {
    return '[redacted]';
  }
}

/** Returns ciphertext and tag. `index` is the secret's position in its frame. */
export function sealSecret(
  frame: SecretsKey,
  index: number,
  section: string,
  key: string,
  secret: string,
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', frame.key, nonceOf(index), { authTagLength: TAG_LENGTH });
  cipher.setAAD(binding(frame.fileId, section, key));
  const text = cipher.update(secret, 'utf8');
  cipher.final(); // final() returns no data for GCM.
  return Buffer.concat([text, cipher.getAuthTag()]);
}

const SEALED = Symbol('sealed secret');

/**
 * Returns a copy of `fields` whose `secret`, in its place among them, decrypts `sealed` when it is read. All entities
 * share one accessor function, which finds the secret through a non-enumerable property of its own. Fifty thousand
 * objects then share a hidden class, and a copy of all property descriptors is a working copy.
 */
export function withSealedSecret(fields: Record<string, unknown>, sealed: SealedSecret): object {
  freezeJson(fields);
  const entity: Record<string, unknown> = {};
  for (const name in fields) {
    if (name === 'secret') Object.defineProperty(entity, name, ACCESSOR);
    else if (name === '__proto__') Object.defineProperty(entity, name, { value: fields[name], ...PLAIN });
    else entity[name] = fields[name];
  }
  Object.defineProperty(entity, SEALED, { value: sealed });
  return Object.freeze(entity);
}

const PLAIN = { enumerable: true, configurable: true, writable: true };
const ACCESSOR = {
  get(this: { [SEALED]?: SealedSecret }): string {
    const sealed = this[SEALED];
    // Never undefined: a copy that lost its secret must not pass for an entity without one.
    if (sealed === undefined) throw new TypeError('This copy of an entity has lost its sealed secret.');
    return sealed.open();
  },
  enumerable: true,
  configurable: true,
};

/** Returns the sealed secret of an entity that came out of a vault. */
export function sealedSecretOf(entity: { readonly [SEALED]?: SealedSecret }): SealedSecret | undefined {
  return entity[SEALED];
}

function nonceOf(index: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(index, 0);
  return nonce;
}

/** Returns the associated data: the file and the entry, each with a length prefix, so that no two inputs collide. */
function binding(fileId: Buffer, section: string, key: string): Buffer {
  const lengths = [fileId.length, Buffer.byteLength(section), Buffer.byteLength(key)] as const;
  const bytes = Buffer.allocUnsafe(12 + lengths[0] + lengths[1] + lengths[2]);
  let at = bytes.writeUInt32LE(lengths[0], 0);
  at += fileId.copy(bytes, at);
  at = bytes.writeUInt32LE(lengths[1], at);
  at += bytes.write(section, at);
  at = bytes.writeUInt32LE(lengths[2], at);
  bytes.write(key, at);
  return bytes;
}
