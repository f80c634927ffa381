/**
 * Signed updates on Linux, where no publisher's signature is checked by the system. The feed is signed with ed25519; the public key is in
 * the app's package.json, inside the asar. Nothing is installed whose SHA-512 is not in a feed with a valid signature.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';

/** The file beside `latest-linux.yml`. scripts/packaging/sign-updates.mjs writes it. */
export const SIGNED_FEED = 'updates-linux.signed.json';

/** The signature of an update is missing or wrong, or the signed feed does not name the update. */
export class UnsignedUpdateError extends Error {}

const PREFIX = 'tokenkeep updates v1\n';
/** Bytes; a feed has a few hundred. */
const MOST = 100_000;
/** Milliseconds for the feed. */
const LONGEST = 20_000;

/**
 * Returns the base64 SHA-512 of the files of a version.
 *
 * @param text the signed feed: `{ "signed": JSON text, "signature": base64 }`
 * @param publicKey base64url, 32 bytes
 * @throws UnsignedUpdateError
 */
export function signedFiles(text: string, publicKey: string, version: string): ReadonlySet<string> {
  let feed: unknown;
  try {
    const { signed, signature } = JSON.parse(text) as Record<string, unknown>;
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
    const isValid =
      typeof signed === 'string' &&
      typeof signature === 'string' &&
      verify(null, Buffer.from(PREFIX + signed), key, Buffer.from(signature, 'base64'));
    if (isValid) feed = JSON.parse(signed);
  } catch (cause) {
    throw new UnsignedUpdateError('The feed of updates can’t be read.', { cause });
  }
  const named: unknown = Reflect.get(Object(feed), 'version');
  const files: unknown = Reflect.get(Object(feed), 'sha512');
  if (!Array.isArray(files)) throw new UnsignedUpdateError('The feed of updates has no valid signature.');
  // Otherwise an older feed, correctly signed, could be offered under a newer number.
  if (named !== version) throw new UnsignedUpdateError('The signed feed is for another version.');
  return new Set(files.filter((file) => typeof file === 'string'));
}

export interface SignatureOptions {
  /** URL of the folder in which the app looks for updates. */
  url: string;
  /** Base64url, 32 bytes. */
  publicKey: string;
  fetch: (url: string, signal: AbortSignal) => Promise<Response>;
  /** Returns a signal that ends the request. Default: after 20 seconds. */
  limit?: () => AbortSignal;
}

/**
 * Returns a check of downloaded files. It rejects with an UnsignedUpdateError, and removes the file, if the file is not the one that was
 * signed for this version. The file stays if that could not be found out, such as without a network.
 */
export function signatureCheck({ url, publicKey, fetch, limit = longest }: SignatureOptions) {
  return async (version: string, file: string): Promise<void> => {
    try {
      const signal = limit();
      const answer = await fetch(new URL(SIGNED_FEED, url.endsWith('/') ? url : `${url}/`).href, signal);
      if (isForNow(answer.status)) throw new Error(`The signed feed was answered with ${answer.status}.`);
      if (!answer.ok) throw new UnsignedUpdateError(`The signed feed is missing: status ${answer.status}.`);
      const files = signedFiles(await textOf(answer, signal), publicKey, version);
      if (!files.has(await sha512Of(file))) throw new UnsignedUpdateError('The file is not the signed one.');
    } catch (error) {
      if (error instanceof UnsignedUpdateError) await rm(file, { force: true });
      throw error;
    }
  };
}

const longest = (): AbortSignal => AbortSignal.timeout(LONGEST);

/** Reads a text of at most `MOST` bytes, however slowly and endlessly it is sent. */
async function textOf({ body }: Response, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body?.getReader();
  const stop = (): void => void reader?.cancel().catch(() => undefined);
  signal.throwIfAborted();
  signal.addEventListener('abort', stop);
  try {
    for (;;) {
      const next = await reader?.read();
      signal.throwIfAborted();
      if (next?.value === undefined) return Buffer.concat(chunks).toString();
      length += next.value.length;
      if (length > MOST) throw new UnsignedUpdateError('The feed of updates is too long.');
      chunks.push(next.value);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/** Whether the server may answer otherwise later: it has a fault, or was asked too often. */
const isForNow = (status: number): boolean => status === 408 || status === 429 || status >= 500;

async function sha512Of(file: string): Promise<string> {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('base64');
}
