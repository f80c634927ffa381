import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute } from 'node:path';
import { InvalidArgumentError } from '../errors.ts';
import { makeFolders } from '../folders.ts';
import { checkOptions, FLAG } from '../options.ts';
import { type Keychain, keychainError } from './keychain.ts';
import {
  assertItems,
  createItem,
  fileError,
  readSmallFile,
  sealedItems,
  type Sealer,
  sweepOnce,
} from './sealed-items.ts';

/**
 * Options for `keyFile`.
 *
 * @example
 * import type { KeyFileOptions } from 'tokenkeep/keychain';
 *
 * const options: KeyFileOptions = { items: '/var/lib/my-app/keys', create: false };
 */
export interface KeyFileOptions {
  /** Absolute path of the folder for the encrypted secrets. Default: `<file>.items`, beside the key file. */
  readonly items?: string;
  /** Whether a missing key file is created at the first write. Pass false for a file that the system provides. Default: true. */
  readonly create?: boolean;
}

/**
 * Returns a keychain whose secrets are encrypted with a key in a file: a systemd credential, a Docker secret, or a file that
 * is created at the first use with mode 0600. It protects against anyone who gets the vault's file or the folder
 * `items` without the key file. It does not protect against this user's other programs, nor against a backup that contains all of them.
 *
 * @param file absolute path; holds 32 random bytes, as they are, in base64 or in hexadecimal
 * @example
 * import { keyFile } from 'tokenkeep/keychain';
 *
 * const keychain = keyFile('/run/credentials/my-app.service/tokenkeep', { items: '/var/lib/my-app/keys', create: false });
 */
export function keyFile(file: string, options: KeyFileOptions = {}): Keychain {
  const { items = `${file}.items`, create = true } = checkOptions(
    'keyFile',
    options,
    { items: true, create: FLAG },
    'Nothing was read.',
  );
  if (typeof file !== 'string' || !isAbsolute(file)) {
    throw new InvalidArgumentError('keyFile: `file` must be an absolute path. Nothing was read.', {
      field: 'file',
    });
  }
  assertItems('keyFile', items);
  return sealedItems({
    label: 'Key file',
    folder: items,
    sealer: async (isNew, purpose) => {
      if (create) await sweepOnce(dirname(file), basename(file));
      let key = await readKey(file);
      if (key === null && create && isNew) {
        if (purpose === 'read') return null;
        await makeFolders(dirname(file));
        await createItem(file, Buffer.from(`${randomBytes(32).toString('base64')}\n`));
        key = await readKey(file); // Another program may have created it first.
      }
      if (key !== null) return keySealer(key);
      throw keychainError(
        'keychain_unavailable',
        isNew
          ? `There is no key file at “${file}”.`
          : `The key file “${file}” is gone, and what it encrypted is still there.`,
        isNew ? 'Create it with: openssl rand -base64 32' : 'Restore the key file from a backup.',
      );
    },
    wrong: () =>
      keychainError(
        'keychain_wrong_key',
        `The key in “${file}” is not the one that encrypted the secrets in “${items}”, or they were changed since.`,
        'Restore the key file that belongs to them.',
      ),
  });
}

async function readKey(file: string): Promise<Buffer | null> {
  try {
    // Links are followed: Kubernetes mounts secrets as links.
    const bytes = await readSmallFile(file, { followLinks: true });
    if (bytes === null) return null;
    const { mode } = await stat(file);
    if (process.platform !== 'win32' && (mode & 0o022) !== 0) {
      throw keychainError(
        'keychain_refused',
        `Other users can change the key file “${file}”.`,
        `Remove their permission: chmod go-w ${file}`,
      );
    }
    const key = isRawKey(bytes) ? bytes : decodedKey(bytes.toString('latin1'));
    if (key !== null) return key;
    throw keychainError(
      'keychain_unavailable',
      `The key file “${file}” does not hold 32 random bytes, as they are, in base64 or in hexadecimal.`,
      'Create it with: openssl rand -base64 32',
    );
  } catch (error) {
    throw error instanceof Error && error.name === 'KeychainError' ? error : fileError(file, error);
  }
}

/**
 * Options for `environmentKey`.
 *
 * @example
 * import type { EnvironmentKeyOptions } from 'tokenkeep/keychain';
 *
 * const options: EnvironmentKeyOptions = { items: '/var/lib/my-app/keys' };
 */
export interface EnvironmentKeyOptions {
  /** Absolute path of the folder for the encrypted secrets. */
  readonly items: string;
  /** Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Returns a keychain whose secrets are encrypted with a key in an environment variable, for CI and platforms that hand out
 * secrets that way. Child processes inherit the variable, and other programs of this user can read it: prefer `keyFile`
 * where there is a choice.
 *
 * @param name of the variable, which holds 32 random bytes in base64 or in hexadecimal: `openssl rand -base64 32`
 * @example
 * import { environmentKey } from 'tokenkeep/keychain';
 *
 * const keychain = environmentKey('MY_APP_KEY', { items: '/var/lib/my-app/keys' });
 */
export function environmentKey(name: string, options: EnvironmentKeyOptions): Keychain {
  if (typeof name !== 'string' || name === '') {
    throw new InvalidArgumentError(
      'environmentKey: `name` must be the name of a variable. Nothing was read.',
      { field: 'name' },
    );
  }
  const { items, env } = checkOptions(
    'environmentKey',
    options,
    { items: true, env: true },
    'Nothing was read.',
  );
  assertItems('environmentKey', items);
  return sealedItems({
    label: 'Environment key',
    folder: items,
    sealer: () => {
      // eslint-disable-next-line no-restricted-syntax -- the environment is what the embedder asked for, by name
      const text = (env ?? process.env)[name];
      const key = text === undefined ? null : decodedKey(text);
      if (key !== null) return Promise.resolve(keySealer(key));
      throw keychainError(
        'keychain_unavailable',
        text === undefined || text === ''
          ? `The environment variable ${name}, which should hold the key, is not set.`
          : `The environment variable ${name} does not hold 32 random bytes in base64 or in hexadecimal.`,
        'Set it to the output of: openssl rand -base64 32',
      );
    },
    wrong: () =>
      keychainError(
        'keychain_wrong_key',
        `The key in the environment variable ${name} is not the one that encrypted the secrets in “${items}”, or they were changed since.`,
        'Set the variable to the key that belongs to them.',
      ),
  });
}

/** Whether a file holds a key as it is. A password of 32 characters is none. */
function isRawKey(bytes: Buffer): boolean {
  return bytes.length === 32 && isRandom(bytes) && !bytes.every((byte) => byte >= 0x09 && byte < 0x7f);
}

/** Decodes 32 bytes in base64, base64url or hexadecimal with optional white space around. `null`: none of these. */
function decodedKey(written: string): Buffer | null {
  const text = written.trim();
  const key = /^[0-9a-f]{64}$/i.test(text)
    ? Buffer.from(text, 'hex')
    : /^[A-Za-z0-9+/_-]{43}=?$/.test(text)
      ? Buffer.from(text, 'base64')
      : null;
  return key !== null && key.length === 32 && isRandom(key) ? key : null;
}

/** Whether these may be random bytes: a key that was typed by hand, such as 32 zeros, is refused. */
const isRandom = (key: Buffer): boolean => new Set(key).size >= 12;

const NONCE = 12;
const TAG = 16;

/** Encrypts with AES-256-GCM under a derived key: nonce (random), ciphertext, tag. `context` is authenticated. */
export function keySealer(master: Buffer): Sealer {
  const key = Buffer.from(hkdfSync('sha256', master, '', 'tokenkeep keychain item 1', 32));
  return {
    seal: (plain, context) => {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
      return Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    },
    open: (sealed, context) => {
      if (sealed.length < NONCE + TAG) return null;
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE), {
        authTagLength: TAG,
      });
      decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(-TAG));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(NONCE, -TAG)), decipher.final()]).toString(
          'utf8',
        );
      } catch {
        return null;
      }
    },
  };
}
