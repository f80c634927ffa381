/**
 * Files in the age format (age-encryption.org/v1) that open with a passphrase: what `age --passphrase` writes and
 * `age --decrypt` reads. The format is the work of `age-encryption`; only the one stanza is made and read here, because
 * there its key is derived in one go, and holds up the whole process for as long as that takes.
 */
import { randomBytes } from 'node:crypto';
import type { Identity, Recipient, Stanza } from 'age-encryption';
import { DocumentError, PassphraseError, TokenkeepError } from '../../errors.ts';
import { scrypt } from '../../keychain/scrypt.ts';

const MAGIC = Buffer.from('age-encryption.org/v1\n');
/** How a file begins that was encrypted here. */
export const AGE_BEGINS = Buffer.concat([MAGIC, Buffer.from('-> scrypt ')]);
const ARMOR = Buffer.from('-----BEGIN AGE ENCRYPTED FILE-----');

/** What `age` itself writes: 2^18 rounds, 256 MB. */
const WORK_FACTOR = 18;
/** More than this a file may not ask for: 2^20 rounds take a gigabyte of memory. */
const HIGHEST_WORK_FACTOR = 20;

/** Bytes that are encrypted or decrypted before others get their turn. */
const SLICE = 512 * 1024;

/** Loaded when they are needed: most programs never export. */
const library = () => import('age-encryption');
const cipherOf = async (key: Buffer) =>
  (await import('@noble/ciphers/chacha.js')).chacha20poly1305(key, NONCE);

/** Whether this is an age file, in either of its two forms, however it may end. */
export function isAge(content: Buffer): boolean {
  return startsWith(content, MAGIC) || startsWith(content, ARMOR);
}

const startsWith = (content: Buffer, start: Buffer): boolean =>
  content.subarray(0, start.length).equals(start);

/** The whole encrypted file. `work` is lowered in tests only. */
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
 * @param name the file's, for the error
 * @throws PassphraseError `passphrase_wrong`; DocumentError `document_damaged` or `document_not_supported`
 */
export async function decrypt(content: Buffer, passphrase: string, name: string): Promise<Buffer> {
  const { Decrypter, armor } = await library();
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity(passphrase, name));
  try {
    const binary = startsWith(content, ARMOR)
      ? Buffer.from(armor.decode(content.toString('latin1')))
      : content;
    return await collect(await decrypter.decrypt(inSlices(binary)));
  } catch (cause) {
    // With a code it comes from the system, such as one that has no memory left.
    if (cause instanceof TokenkeepError || (cause instanceof Error && 'code' in cause)) throw cause;
    throw new DocumentError(
      'document_damaged',
      `“${name}” was cut off or changed since it was written, so it can’t be opened. Nothing was imported. Use another copy of it.`,
      { cause },
    );
  }
}

/** age, "The scrypt recipient type": the only stanza of its file. */
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
      `“${name}” asks for more work and memory than this program spends on a passphrase. Nothing was imported. Decrypt it with age itself.`,
    );
  }
  return { salt: bytes, work: Number(work), body: stanza.body };
}

/** A file key is encrypted once under a key of its own. */
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
