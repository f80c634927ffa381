/** Opens and replaces caches protected by the system: in a keyring, with DPAPI, or in a macOS keychain. */
import { loadKeytar } from '../keychain/keytar.ts';
import { isRecord } from '../cache/json.ts';
import { type Dpapi, windowsDpapi } from './dpapi.ts';
import type { FoundSource } from './find.ts';
import { decodedText, notText, prepareWhole, readBytes } from './program-file.ts';
import { KeyringError, type SecretItem, secretService, type SecretService } from './secret-service.ts';
import type { Unread } from './source-state.ts';
import type { OpenVault } from './vault-source.ts';

/**
 * Passwords by service and account, as the macOS keychain keeps them. keytar has this shape.
 *
 * @example
 * import keytar from 'keytar';
 * import type { PasswordStore, SecretReaders } from 'tokenkeep/sources';
 *
 * const keychain: PasswordStore = keytar;
 * const secrets: SecretReaders = { keychain: async () => keychain };
 */
export interface PasswordStore {
  /** Resolves with null if there is no such item. macOS asks the user first, unless they chose Always Allow before. */
  getPassword(service: string, account: string): Promise<string | null>;
  /** Changes the item in place: one that is deleted and added again would lose its access list. */
  setPassword(service: string, account: string, password: string): Promise<void>;
}

/**
 * The mechanisms that open sealed caches. Default: those of this computer.
 *
 * @example
 * import { findSources, readSource, type SecretReaders } from 'tokenkeep/sources';
 *
 * const secrets: SecretReaders = { secretService: async () => null }; // leave the keyring alone
 * for (const source of await findSources()) console.log(source.name, (await readSource(source, { secrets })).state);
 */
export interface SecretReaders {
  /** Linux: connects to the desktop's keyring over D-Bus. Returns null if there is none. */
  secretService?: () => Promise<SecretService | null>;
  /** Windows: encrypts and decrypts for the current user. Returns null on other systems. */
  dpapi?: () => Dpapi | null;
  /** macOS: opens the user's keychain. Returns null on other systems. */
  keychain?: () => Promise<PasswordStore | null>;
  /** Opens a vault of Tokenkeep that is a source. Default: `openVault` with the system keychain. */
  vault?: OpenVault;
}

/** A result, or the reason why there is none. */
export type Result<T> = { readonly value: T } | Unread;

/** A sealed cache. The text is the document, without its seal and encoding. */
export interface SealedStore {
  read(): Promise<Result<{ readonly text: string; readonly raw: Buffer }>>;
  /** Returns what is stored, with its seal. This is quick: what `read` unsealed can be compared with it under a lock. */
  raw(): Promise<Result<Buffer>>;
  /** Seals a document in the encoding that `read` found. `put` then replaces the stored one, and is quick. */
  prepare(text: string): Promise<Result<PreparedSecret>>;
}

interface PreparedSecret {
  put: () => Promise<Result<undefined>>;
  discard: () => Promise<void>;
}

/** What is replaced in memory and by one call needs no preparation. */
const inMemory = (put: PreparedSecret['put']): Promise<Result<PreparedSecret>> =>
  Promise.resolve({ value: { put, discard: () => Promise.resolve() } });

/** @returns why this system cannot open the cache, if it cannot */
export function sealedStore(source: FoundSource, readers: SecretReaders = {}): SealedStore | Unread {
  const { sealing, item, password } = source.place;
  if (sealing === 'secret-service' && item !== undefined)
    return keyringStore(source, item, readers.secretService ?? secretService);
  if (sealing === 'keychain' && password !== undefined)
    return keychainStore(source, password, readers.keychain ?? macKeychain);
  const dpapi = sealing === 'dpapi' ? (readers.dpapi ?? windowsDpapi)() : null;
  if (dpapi !== null) return dpapiStore(source, dpapi);
  return {
    state: 'sealed',
    problem: `${source.name} keeps this sealed by ${SEALERS[sealing]}, which Tokenkeep can’t open on this system.`,
  };
}

const SEALERS: Readonly<Record<FoundSource['sealing'], string>> = {
  none: 'nothing',
  dpapi: 'Windows',
  'secret-service': 'the system keyring',
  keychain: 'the macOS keychain',
  vault: 'Tokenkeep',
  program: 'the program itself',
};

type Item = NonNullable<FoundSource['place']['item']>;

function keyringStore(
  source: FoundSource,
  { encoding }: Item,
  connect: () => Promise<SecretService | null>,
): SealedStore {
  let before: Buffer = Buffer.alloc(0);
  const raw = () => withItem(source, connect, (service, item) => service.secretOf(item));
  return {
    async read() {
      const found = await raw();
      if (!('value' in found)) return found;
      before = found.value;
      const text = decoded(before, encoding);
      return text === null ? notText(`The keyring item of ${source.name}`) : { value: { text, raw: before } };
    },
    raw,
    prepare: (text) =>
      inMemory(() =>
        withItem(source, connect, async (service, item) => {
          await service.setSecret(item, encodedLike(before, text, encoding));
          return undefined;
        }),
      ),
  };
}

/** @returns null if the document is not UTF-8 */
function decoded(secret: Buffer, encoding: Item['encoding']): string | null {
  const text = decodedText(secret);
  return text === null || encoding === 'text' || text.trimStart().startsWith('{')
    ? text
    : decodedText(Buffer.from(text, 'base64'));
}

/** Encodes a document like the existing secret: programs that share an item may write base64 or text. */
function encodedLike(before: Buffer, text: string, encoding: Item['encoding']): Buffer {
  const plain = encoding === 'text' || before.toString('utf8').trimStart().startsWith('{');
  return Buffer.from(plain ? text : Buffer.from(text, 'utf8').toString('base64'), 'utf8');
}

/** Finds the keyring item of a source and runs a function on it. Never unlocks the keyring, since that prompts the user. */
async function withItem<T>(
  source: FoundSource,
  connect: () => Promise<SecretService | null>,
  action: (service: SecretService, item: SecretItem) => Promise<T>,
): Promise<Result<T>> {
  const attributes = source.place.item?.attributes ?? {};
  let service: SecretService | null;
  try {
    service = await connect();
  } catch (error) {
    return keyringProblem(source, error);
  }
  if (service === null)
    return { state: 'sealed', problem: 'The system keyring is not running, so this can’t be opened.' };
  try {
    const { unlocked, locked } = await service.search(attributes);
    const [item] = unlocked;
    if (item !== undefined) return { value: await action(service, item) };
    if (locked.length > 0)
      return { state: 'locked', problem: 'The system keyring is locked. Unlock it, then open this again.' };
    return { state: 'gone', problem: `The system keyring holds nothing of ${source.name} any more.` };
  } catch (error) {
    return keyringProblem(source, error);
  } finally {
    service.close();
  }
}

function keyringProblem(source: FoundSource, error: unknown): Unread {
  if (error instanceof KeyringError && error.isLocked)
    return { state: 'locked', problem: 'The system keyring is locked. Unlock it, then open this again.' };
  return {
    state: 'sealed',
    problem: `The system keyring did not open what ${source.name} keeps: ${wordsOf(error)}`,
  };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** keytar reads other programs' items on macOS, where an item has a service and an account and nothing else. */
async function macKeychain(): Promise<PasswordStore | null> {
  return process.platform === 'darwin' ? loadKeytar() : null;
}

/** What macOS says if the user did not allow access: errSecUserCanceled, errSecAuthFailed, errSecInteractionNotAllowed. */
const NOT_ALLOWED =
  /user cancell?ed|passphrase you entered is not correct|interaction is not allowed|\(-(?:128|25293|25308)\)/i;

function keychainStore(
  source: FoundSource,
  { service, account }: NonNullable<FoundSource['place']['password']>,
  open: () => Promise<PasswordStore | null>,
): SealedStore {
  const asked = async <T>(action: (keychain: PasswordStore) => Promise<T>): Promise<Result<T>> => {
    try {
      const keychain = await open();
      if (keychain !== null) return { value: await action(keychain) };
      return {
        state: 'sealed',
        problem: `${source.name} keeps this in the macOS keychain, which this system does not have.`,
      };
    } catch (error) {
      return NOT_ALLOWED.test(wordsOf(error))
        ? {
            state: 'no-permission',
            problem: `macOS did not give access to the keychain item of ${source.name}. Open this again and choose Allow.`,
          }
        : {
            state: 'sealed',
            problem: `The macOS keychain did not open what ${source.name} keeps: ${wordsOf(error)}`,
          };
    }
  };
  const stored = async (): Promise<Result<string>> => {
    const found = await asked((keychain) => keychain.getPassword(service, account));
    if (!('value' in found)) return found;
    if (found.value !== null) return { value: found.value };
    return { state: 'gone', problem: `The macOS keychain holds nothing of ${source.name} any more.` };
  };
  return {
    async read() {
      const found = await stored();
      return 'value' in found ? { value: { text: found.value, raw: Buffer.from(found.value) } } : found;
    },
    async raw() {
      const found = await stored();
      return 'value' in found ? { value: Buffer.from(found.value) } : found;
    },
    prepare: (text) =>
      inMemory(() =>
        asked(async (keychain) => {
          await keychain.setPassword(service, account, text);
          return undefined;
        }),
      ),
  };
}

/** azd puts the encrypted bytes into a JSON envelope; everyone else writes them as they are. */
const ENVELOPE = 'CryptProtectData';

function dpapiStore(source: FoundSource, dpapi: Dpapi): SealedStore {
  const { file } = source;
  let isInEnvelope = false;
  const refused = (error: unknown): Unread => ({
    state: 'sealed',
    problem: `Windows did not open or seal ${file}, which another user or computer may have sealed: ${wordsOf(error)}`,
  });
  return {
    async read() {
      const found = await readBytes(file, source.name);
      if ('state' in found) return found;
      const raw = found.bytes;
      if (raw.length === 0) return { value: { text: '', raw } };
      const inside = insideEnvelope(raw);
      isInEnvelope = inside !== null;
      try {
        const text = decodedText(await dpapi.unprotect(inside ?? raw));
        return text === null ? notText(file) : { value: { text, raw } };
      } catch (error) {
        return refused(error);
      }
    },
    async raw() {
      const found = await readBytes(file, source.name);
      return 'state' in found ? found : { value: found.bytes };
    },
    async prepare(text) {
      let sealed: Buffer;
      try {
        sealed = await dpapi.protect(Buffer.from(text, 'utf8'));
      } catch (error) {
        return refused(error);
      }
      const envelope = { type: ENVELOPE, data: sealed.toString('base64') };
      const whole = isInEnvelope ? Buffer.from(JSON.stringify(envelope), 'utf8') : sealed;
      const { put, discard } = await prepareWhole(file, whole);
      return { value: { put: () => put().then(() => ({ value: undefined })), discard } };
    },
  };
}

function insideEnvelope(bytes: Buffer): Buffer | null {
  if (bytes[0] !== 0x7b) return null;
  try {
    const json: unknown = JSON.parse(bytes.toString('utf8'));
    const data = isRecord(json) && json['type'] === ENVELOPE ? json['data'] : undefined;
    return typeof data === 'string' ? Buffer.from(data, 'base64') : null;
  } catch {
    return null;
  }
}
