/**
 * Reads and writes files in the age format (age-encryption.org/v1) that a passphrase opens: what `age --passphrase` writes and
 * `age --decrypt` reads. The package `age-encryption` implements the format. Only the scrypt stanza is written and read here,
 * because the package derives its key on the main thread, which blocks the whole process.
 */
import { randomBytes } from 'node:crypto';
import type { Identity, Recipient, Stanza } from 'age-encryption';
import { DocumentError, PassphraseError, TokenkeepError, UnexpectedError } from '../../errors.ts';
import { scrypt } from '../../keychain/scrypt.ts';
import { RESTART_IF_UPDATED } from '../../native-module.ts';

const MAGIC = Buffer.from('age-encryption.org/v1\n');
/** The first bytes of a file that `encrypt` wrote. */
export const AGE_BEGINS = Buffer.concat([MAGIC, Buffer.from('-> scrypt ')]);
const ARMOR = Buffer.from('-----BEGIN AGE ENCRYPTED FILE-----');
const ARMOR_ENDS = '-----END AGE ENCRYPTED FILE-----';
/** The beginning of the last line of a header. */
const MAC_BEGINS = Buffer.from('\n--- ');

/** The same as `age` uses: 2^18 rounds, 256 MB. */
const WORK_FACTOR = 18;
/** The highest work factor that a file may ask for: 2^20 rounds take a gigabyte of memory. One derivation runs at a time. */
const HIGHEST_WORK_FACTOR = 20;

/** Bytes that are encrypted or decrypted between two pauses. */
const SLICE = 512 * 1024;

/** Loaded when they are needed, because most programs never export: they are half of the package's code. */
const library = () => import('age-encryption').catch(notLoaded);
const cipherOf = async (key: Buffer) =>
  (await import('@noble/ciphers/chacha.js').catch(notLoaded)).chacha20poly1305(key, NONCE);

function notLoaded(cause: unknown): never {
  throw new UnexpectedError(
    `The part of this program that encrypts and decrypts exports can’t be loaded. Nothing was written or imported. ${RESTART_IF_UPDATED}`,
    { cause },
  );
}

/** Returns whether the content begins as an age file, binary or armored. */
export function isAge(content: Buffer): boolean {
  return startsWith(content, MAGIC) || startsWith(content, ARMOR);
}

const startsWith = (content: Buffer, start: Buffer): boolean =>
  content.subarray(0, start.length).equals(start);

/** Returns the whole encrypted file. Only tests lower `work`. */
export async function encrypt(plain: Buffer, passphrase: string, work = WORK_FACTOR): Promise<Buffer> {
  const { Encrypter, Stanza } = await library();
  const encrypter = new Encrypter();
  const recipient: Recipient = {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(16);
      const key = await derive(passphrase, salt, work);
      const body = (await cipherOf(key)).encrypt(fileKey);
      key.fill(0);
      return [new Stanza(['scrypt', unpadded(salt), String(work)], body)];
    },
  };
  encrypter.addRecipient(recipient);
  return collect(await encrypter.encrypt(inSlices(plain)));
}

/**
 * Returns the decrypted content.
 *
 * @param name the file's name, for the error
 * @throws PassphraseError `passphrase_wrong`; DocumentError `document_damaged` or `document_not_supported`
 */
export async function decrypt(content: Buffer, passphrase: string, name: string): Promise<Buffer> {
  const { Decrypter, armor } = await library();
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity(passphrase, name));
  try {
    assertShortHeader(content);
    const binary = startsWith(content, ARMOR)
      ? Buffer.from(armor.decode(content.toString('latin1')))
      : content;
    return await collect(await decrypter.decrypt(inSlices(binary)));
  } catch (cause) {
    // An error with a code comes from the system, such as one that is out of memory.
    if (cause instanceof TokenkeepError || (cause instanceof Error && 'code' in cause)) throw cause;
    throw new DocumentError(
      'document_damaged',
      `“${name}” was cut off or changed since it was written, so it can’t be opened. Nothing was imported. Use another copy of it.`,
      { cause },
    );
  }
}

/** The header of a file with a passphrase has about 160 bytes. With one recipient a line, this is more than 500 keys. */
const LONGEST_HEADER = 64 * 1024;

/**
 * The library reads a header of any length, which for one of a hundred megabytes takes many seconds on the main thread.
 *
 * @throws Error if the header does not end soon, or an armored file does not end as one
 */
function assertShortHeader(content: Buffer): void {
  let start = content.subarray(0, LONGEST_HEADER);
  if (startsWith(content, ARMOR)) {
    const end = content.subarray(-LONGEST_HEADER).toString('latin1').trimEnd();
    if (!end.endsWith(ARMOR_ENDS)) throw new Error('The file does not end as an armored one.');
    const armored = content.subarray(ARMOR.length, 2 * LONGEST_HEADER).toString('latin1');
    start = Buffer.from(armored, 'base64');
  }
  if (!start.includes(MAC_BEGINS)) throw new Error('The header is too long, or does not end.');
}

/** age specification, "The scrypt recipient type": it must be the only stanza of its file. */
function identity(passphrase: string, name: string): Identity {
  return {
    async unwrapFileKey(stanzas) {
      const { salt, work, body } = readStanza(stanzas, name);
      const key = await derive(passphrase, salt, work);
      const cipher = await cipherOf(key);
      try {
        return cipher.decrypt(body);
      } catch {
        throw new PassphraseError(
          'passphrase_wrong',
          `The passphrase does not open “${name}”. Nothing was imported. Check how it is written, and try again.`,
        );
      } finally {
        key.fill(0);
      }
    },
  };
}

function readStanza(
  stanzas: readonly Stanza[],
  name: string,
): { salt: Buffer; work: number; body: Uint8Array } {
  const [stanza] = stanzas;
  if (stanza === undefined || !stanzas.some(({ args }) => args[0] === 'scrypt')) {
    throw new DocumentError(
      'document_not_supported',
      `“${name}” was encrypted to a key and not with a passphrase. Nothing was imported. Decrypt it with the program that made it.`,
    );
  }
  const [kind, salt = '', work = ''] = stanza.args;
  const bytes = Buffer.from(salt, 'base64');
  const sound =
    stanzas.length === 1 &&
    kind === 'scrypt' &&
    stanza.args.length === 3 &&
    bytes.length === 16 &&
    unpadded(bytes) === salt &&
    /^[1-9]\d*$/.test(work) &&
    stanza.body.length === 32;
  if (!sound) throw new Error('The stanza is not what age writes.');
  if (Number(work) > HIGHEST_WORK_FACTOR) {
    throw new DocumentError(
      'document_not_supported',
      `“${name}” asks for more time and memory than this program allows for a passphrase. Nothing was imported. Decrypt it with age itself.`,
    );
  }
  return { salt: bytes, work: Number(work), body: stanza.body };
}

/** Zero, because each key encrypts one file key and nothing else. */
const NONCE = new Uint8Array(12);

const LABEL = Buffer.from('age-encryption.org/v1/scrypt');

const derive = (passphrase: string, salt: Buffer, work: number): Promise<Buffer> =>
  scrypt({ passphrase, salt: Buffer.concat([LABEL, salt]), work });

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

function inSlices(bytes: Buffer): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setImmediate(resolve));
      if (at < bytes.length) controller.enqueue(bytes.subarray(at, (at += SLICE)));
      else controller.close();
    },
  });
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks);
    chunks.push(value);
  }
}
