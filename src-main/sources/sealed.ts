/** Reads and writes caches protected by the system: in a keyring, with DPAPI, or in a macOS keychain. */
import type { FoundSource } from './find.ts';
import { KeyringError, type SecretItem, secretService, type SecretService } from './secret-service.ts';
import type { Content, Unread } from './source-state.ts';

/**
 * The mechanisms that open sealed caches. Each may be absent.
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
  /** Windows: decrypts data that was encrypted for the current user (`CryptUnprotectData`). */
  unprotect?: (bytes: Uint8Array) => Promise<Uint8Array>;
}

export async function readSecret(
  source: FoundSource,
  { secretService: connect = secretService }: SecretReaders = {},
): Promise<Content> {
  const { sealing, item } = source.place;
  if (sealing !== 'secret-service' || item === undefined) {
    return {
      state: 'sealed',
      problem: `${source.name} keeps this sealed by ${SEALERS[sealing]}, which Tokenkeep can’t open on this system.`,
    };
  }
  const found = await withItem(source, connect, (service, one) => service.secretOf(one));
  if (!('value' in found)) return found;
  return { text: decoded(found.value, item.encoding), writtenAt: source.writtenAt };
}

const SEALERS: Readonly<Record<FoundSource['sealing'], string>> = {
  none: 'nothing',
  dpapi: 'Windows',
  'secret-service': 'the system keyring',
  keychain: 'the macOS keychain',
  program: 'the program itself',
};

export function decoded(secret: Buffer, encoding: 'text' | 'base64'): string {
  const text = secret.toString('utf8');
  return encoding === 'text' || text.trimStart().startsWith('{')
    ? text
    : Buffer.from(text, 'base64').toString('utf8');
}

/** Encodes a document like the existing secret: programs that share an item may write base64 or text. */
export function encodedLike(before: Buffer, text: string, encoding: 'text' | 'base64'): Buffer {
  const plain = encoding === 'text' || before.toString('utf8').trimStart().startsWith('{');
  return Buffer.from(plain ? text : Buffer.from(text, 'utf8').toString('base64'), 'utf8');
}

/** Finds the keyring item of a source and runs a function on it. Never unlocks the keyring, since that prompts the user. */
export async function withItem<T>(
  source: FoundSource,
  connect: () => Promise<SecretService | null>,
  action: (service: SecretService, item: SecretItem) => Promise<T>,
): Promise<{ value: T } | Unread> {
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
  const words = error instanceof Error ? error.message : String(error);
  return { state: 'sealed', problem: `The system keyring did not open what ${source.name} keeps: ${words}` };
}
