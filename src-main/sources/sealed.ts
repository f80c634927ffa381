/** Opens and replaces caches protected by the system: in a keyring, with DPAPI, or in a macOS keychain. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { loadKeytar } from '../keychain/keytar.ts';
import { isRecord } from '../cache/json.ts';
import { type Dpapi, windowsDpapi } from './dpapi.ts';
import type { FoundSource } from './find.ts';
import { decodedText, notText, prepareWhole, readBytes } from './program-file.ts';
import { KeyringError, type SecretItem, secretService, type SecretService } from './secret-service.ts';
import type { NamedSignIn } from './names.ts';
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
  /** Linux: asks a running broker for the names of its accounts. Returns null if none is running. */
  broker?: () => Promise<NamedSignIn[] | null>;
  /** Opens a vault of Tokenkeep that is a source. Default: `openVault` with the system keychain. */
  vault?: OpenVault;
}

/** A result, or the reason why there is none. */
export type Result<T> = { readonly value: T } | Unread;

/** A sealed cache. Its text is the document, decrypted and decoded. */
export interface SealedStore {
  read(): Promise<Result<{ readonly text: string; readonly raw: Buffer }>>;
  /** Returns the stored value, still sealed. This is quick, so under a lock it can be compared with what `read` unsealed. */
  raw(): Promise<Result<Buffer>>;
  /** Seals a document in the encoding that `read` found. `put` then replaces the stored one, and is quick. */
  prepare(text: string): Promise<Result<PreparedSecret>>;
}

interface PreparedSecret {
  put: () => Promise<Result<undefined>>;
  discard: () => Promise<void>;
}

/** A store that replaces the value in one call needs no preparation. */
const inMemory = (put: PreparedSecret['put']): Promise<Result<PreparedSecret>> =>
  Promise.resolve({ value: { put, discard: () => Promise.resolve() } });

/** What a source keeps sealed. */
export interface SealedStores {
  /** One for each item of the keyring that the source's attributes fit: programs that share a library each have their own. */
  readonly stores: readonly SealedStore[];
  /** A message to display if further items are locked. */
  readonly problem?: string;
}

/** @returns the reason why this system cannot open the cache; else a function that looks for what can be opened */
export function sealedStores(
  source: FoundSource,
  readers: SecretReaders = {},
  unlock = false,
): (() => Promise<Result<SealedStores>>) | Unread {
  const { sealing, item, password, keys } = source.place;
  const only = (store: SealedStore) => () => Promise.resolve({ value: { stores: [store] } });
  if (sealing === 'secret-service' && item !== undefined)
    return () => keyringStores(source, item, readers.secretService ?? secretService, unlock);
  if (sealing === 'keychain' && password !== undefined)
    return only(keychainStore(source, password, readers.keychain ?? macKeychain));
  if (sealing === 'key-in-keyring' && keys !== undefined)
    return only(keyedStore(source, keys, readers, unlock));
  const dpapi = sealing === 'dpapi' ? (readers.dpapi ?? windowsDpapi)() : null;
  if (dpapi !== null) return only(dpapiStore(source, dpapi));
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
  'key-in-keyring': 'the program itself',
  vault: 'Tokenkeep',
  program: 'the program itself',
};

type Item = NonNullable<FoundSource['place']['item']>;

async function keyringStores(
  source: FoundSource,
  { attributes, encoding }: Item,
  connect: () => Promise<SecretService | null>,
  unlock: boolean,
): Promise<Result<SealedStores>> {
  const found = await withKeyring(source, connect, (service) =>
    openItems(source, service, attributes, unlock),
  );
  if (!('value' in found)) return found;
  const { items, isOneLocked } = found.value;
  return {
    value: {
      stores: items.map((item) => itemStore(source, item, encoding, connect)),
      ...(isOneLocked
        ? {
            problem: `Another item of ${source.name} is in a part of the system keyring that is locked, and was left as it is. Unlock it, then try again.`,
          }
        : {}),
    },
  };
}

/** One item, by its path: a second search could find another one first. */
function itemStore(
  source: FoundSource,
  item: SecretItem,
  encoding: Item['encoding'],
  connect: () => Promise<SecretService | null>,
): SealedStore {
  /** Whether the item holds the document itself: programs that share an item may write base64 or text. */
  let isText = true;
  const raw = () =>
    withKeyring(source, connect, async (service) => ({ value: await service.secretOf(item) }));
  return {
    async read() {
      const found = await raw();
      if (!('value' in found)) return found;
      isText = encoding === 'text' || found.value.toString('utf8').trimStart().startsWith('{');
      const text = decoded(found.value, isText);
      return text === null
        ? notText(`The keyring item of ${source.name}`)
        : { value: { text, raw: found.value } };
    },
    raw,
    prepare: (text) =>
      inMemory(() =>
        withKeyring(source, connect, async (service) => {
          const document = Buffer.from(text, 'utf8');
          await service.setSecret(item, isText ? document : Buffer.from(document.toString('base64'), 'utf8'));
          return { value: undefined };
        }),
      ),
  };
}

/** @returns null if the document is not UTF-8 */
function decoded(secret: Buffer, isText: boolean): string | null {
  const text = decodedText(secret);
  return text === null || isText ? text : decodedText(Buffer.from(text, 'base64'));
}

/** Connects to the keyring for one task. */
async function withKeyring<T>(
  source: FoundSource,
  connect: () => Promise<SecretService | null>,
  action: (service: SecretService) => Promise<Result<T>>,
): Promise<Result<T>> {
  let service: SecretService | null;
  try {
    service = await connect();
  } catch (error) {
    return keyringProblem(source, error);
  }
  if (service === null)
    return { state: 'sealed', problem: 'The system keyring is not running, so this can’t be opened.' };
  try {
    return await action(service);
  } catch (error) {
    return keyringProblem(source, error);
  } finally {
    service.close();
  }
}

/** @param unlock prompts the user if an item is locked */
async function openItems(
  { name }: FoundSource,
  service: SecretService,
  attributes: Readonly<Record<string, string>>,
  unlock: boolean,
): Promise<Result<{ readonly items: readonly SecretItem[]; readonly isOneLocked: boolean }>> {
  const { unlocked, locked } = await service.search(attributes);
  if (locked.length > 0 && unlock && (await service.unlock?.(locked)) === true)
    return { value: { items: [...unlocked, ...locked], isOneLocked: false } };
  if (unlocked.length > 0) return { value: { items: unlocked, isOneLocked: locked.length > 0 } };
  if (locked.length > 0)
    return { state: 'locked', problem: 'The system keyring is locked. Unlock it, then open this again.' };
  return { state: 'gone', problem: `The system keyring holds nothing of ${name} any more.` };
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

/** keytar reads other programs' items on macOS, where an item has only a service and an account. */
async function macKeychain(): Promise<PasswordStore | null> {
  return process.platform === 'darwin' ? loadKeytar() : null;
}

/** keytar also reads what keytar wrote on Windows, such as the keys of Teams Toolkit. */
async function keytarStore(): Promise<PasswordStore | null> {
  return process.platform === 'linux' ? null : loadKeytar();
}

/** What macOS says if the user did not allow access: errSecUserCanceled, errSecAuthFailed, errSecInteractionNotAllowed. */
const NOT_ALLOWED =
  /user cancell?ed|passphrase you entered is not correct|interaction is not allowed|\(-(?:128|25293|25308)\)/i;

function keychainStore(
  source: FoundSource,
  password: NonNullable<FoundSource['place']['password']>,
  open: () => Promise<PasswordStore | null>,
): SealedStore {
  const { service, account } = password;
  const stored = () => passwordIn(source, password, open);
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
        askKeychain(source, open, async (keychain) => {
          await keychain.setPassword(service, account, text);
          return undefined;
        }),
      ),
  };
}

async function askKeychain<T>(
  source: FoundSource,
  open: () => Promise<PasswordStore | null>,
  action: (keychain: PasswordStore) => Promise<T>,
): Promise<Result<T>> {
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
}

async function passwordIn(
  source: FoundSource,
  { service, account }: NonNullable<FoundSource['place']['password']>,
  open: () => Promise<PasswordStore | null>,
): Promise<Result<string>> {
  const found = await askKeychain(source, open, (keychain) => keychain.getPassword(service, account));
  if (!('value' in found)) return found;
  if (found.value !== null) return { value: found.value };
  return { state: 'gone', problem: `The macOS keychain holds nothing of ${source.name} any more.` };
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

/** The envelope of Teams Toolkit: AES-256-GCM, with nonce, ciphertext and tag in hexadecimal digits. */
interface Envelope {
  readonly i: string;
  readonly c: string;
  readonly t: string;
}

/** Keys are 32 characters, used as they are. */
const KEY_LENGTH = 32;

function keyedStore(
  source: FoundSource,
  keys: NonNullable<FoundSource['place']['keys']>,
  readers: SecretReaders,
  unlock: boolean,
): SealedStore {
  const { file, name } = source;
  /** undefined: the document is not encrypted, as the program writes it where there is no keyring. */
  let key: string | undefined;
  const find = async (envelope: Envelope): Promise<Result<{ key: string; text: string }>> => {
    const found = await keysFor(source, keys, readers, unlock);
    if (!('value' in found)) return found;
    for (const one of found.value) {
      const text = openedWith(one, envelope);
      if (text !== null) return { value: { key: one, text } };
    }
    return {
      state: 'sealed',
      problem: `${name} keeps the key of ${file} where only it can read it, such as in VS Code. Sign out in the program: open Accounts there.`,
    };
  };
  const raw = async (): Promise<Result<Buffer>> => {
    const found = await readBytes(file, name);
    return 'state' in found ? found : { value: found.bytes };
  };
  return {
    async read() {
      const found = await raw();
      if (!('value' in found)) return found;
      const bytes = found.value;
      const text = decodedText(bytes);
      if (text === null) return notText(file);
      const envelope = envelopeIn(text);
      key = undefined;
      if (envelope === null) return { value: { text, raw: bytes } };
      const opened = await find(envelope);
      if (!('value' in opened)) return opened;
      ({ key } = opened.value);
      return { value: { text: opened.value.text, raw: bytes } };
    },
    raw,
    async prepare(text) {
      const whole = key === undefined ? text : JSON.stringify(sealedWith(key, text));
      const { put, discard } = await prepareWhole(file, Buffer.from(whole, 'utf8'));
      return { value: { put: () => put().then(() => ({ value: undefined })), discard } };
    },
  };
}

function envelopeIn(text: string): Envelope | null {
  try {
    const json: unknown = JSON.parse(text);
    if (!isRecord(json)) return null;
    const { i, c, t } = json;
    return typeof i === 'string' && typeof c === 'string' && typeof t === 'string' ? { i, c, t } : null;
  } catch {
    return null;
  }
}

/** Returns the text; null if the key is the wrong one, or the envelope is damaged. */
function openedWith(key: string, { i, c, t }: Envelope): string | null {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(i, 'hex'), { authTagLength: 16 });
    decipher.setAuthTag(Buffer.from(t, 'hex'));
    return decodedText(Buffer.concat([decipher.update(Buffer.from(c, 'hex')), decipher.final()]));
  } catch {
    return null;
  }
}

function sealedWith(key: string, text: string): Envelope {
  const nonce = randomBytes(16);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return { i: nonce.toString('hex'), c: sealed.toString('hex'), t: cipher.getAuthTag().toString('hex') };
}

/** Returns the program's keys, under each of its names. */
async function keysFor(
  source: FoundSource,
  { store, services, account }: NonNullable<FoundSource['place']['keys']>,
  readers: SecretReaders,
  unlock: boolean,
): Promise<Result<string[]>> {
  const found: string[] = [];
  let problem: Unread | undefined;
  for (const service of services) {
    const attributes = { 'xdg:schema': 'org.freedesktop.Secret.Generic', service, account };
    const one =
      store === 'secret-service'
        ? await keysInKeyring(source, readers.secretService ?? secretService, attributes, unlock)
        : await passwordIn(source, { service, account }, readers.keychain ?? keytarStore);
    if ('value' in one) found.push(...[one.value].flat());
    else if (one.state !== 'gone') problem ??= one;
    if (problem?.state === 'locked') break; // One prompt is enough.
  }
  const keys = found.filter((key) => Buffer.byteLength(key) === KEY_LENGTH);
  return keys.length === 0 && problem !== undefined ? problem : { value: keys };
}

function keysInKeyring(
  source: FoundSource,
  connect: () => Promise<SecretService | null>,
  attributes: Readonly<Record<string, string>>,
  unlock: boolean,
): Promise<Result<string[]>> {
  return withKeyring(source, connect, async (service) => {
    const found = await openItems(source, service, attributes, unlock);
    if (!('value' in found)) return found;
    const keys: string[] = [];
    for (const item of found.value.items) keys.push((await service.secretOf(item)).toString('utf8'));
    return { value: keys };
  });
}
