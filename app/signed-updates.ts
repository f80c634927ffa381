/**
 * Signed updates on Linux, where no publisher's signature is checked by the system. The feed is signed with ed25519; the public key is in
 * the app's package.json, inside the asar. Nothing is installed whose SHA-512 is not in a feed with a valid signature.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';

/** The file beside `latest-linux.yml`. scripts/packaging/sign-updates.mjs writes it. */
export const SIGNED_FEED = 'updates-linux.signed.json';

/** A downloaded file is not signed with the publisher's key that is in this app. */
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
 * @throws UnsignedUpdateError if the signature is missing or invalid
 * @throws Error if that can't be told, because the text is no feed or is signed for another version
 */
export function signedFiles(text: string, publicKey: string, version: string): ReadonlySet<string> {
  const { signed, signature } = Object(JSON.parse(text)) as Record<string, unknown>;
  if (typeof signed !== 'string') throw new Error('The answer is no feed of updates.');
  if (!isSignedBy(publicKey, signed, signature)) {
    throw new UnsignedUpdateError('The feed of updates has no valid signature.');
  }
  const feed = Object(JSON.parse(signed)) as Record<string, unknown>;
  // Otherwise an older feed, correctly signed, could be offered under a newer number. The folder holds the feed of the newest release alone,
  // so a newer one does not mean that this version was not signed.
  if (feed['version'] !== version) throw new Error('The signed feed is for another version.');
  const files = Array.isArray(feed['sha512']) ? feed['sha512'] : [];
  return new Set(files.filter((file) => typeof file === 'string'));
}

function isSignedBy(publicKey: string, signed: string, signature: unknown): boolean {
  if (typeof signature !== 'string') return false;
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
    return verify(null, Buffer.from(PREFIX + signed), key, Buffer.from(signature, 'base64'));
  } catch {
    return false; // The key is none, and nothing is signed with it.
  }
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
 * Returns a check of downloaded files. It rejects with an UnsignedUpdateError, and removes the file, if the file is not signed for this
 * version. With any other error that could not be found out, such as without a network, and the file stays. A file that passed once passes
 * again without asking, while it is unchanged: by then, the feed may be that of a newer release.
 */
export function signatureCheck({ url, publicKey, fetch, limit = longest }: SignatureOptions) {
  const passed = new Set<string>();
  return async (version: string, file: string): Promise<void> => {
    const sha512 = await sha512Of(file);
    if (passed.has(`${version} ${sha512}`)) return;
    try {
      const signal = limit();
      const answer = await fetch(new URL(SIGNED_FEED, url.endsWith('/') ? url : `${url}/`).href, signal);
      if (!answer.ok) throw new Error(`The signed feed was answered with ${answer.status}.`);
      const files = signedFiles(await textOf(answer, signal), publicKey, version);
      if (!files.has(sha512)) throw new UnsignedUpdateError('The file is not the signed one.');
    } catch (error) {
      if (error instanceof UnsignedUpdateError) await rm(file, { force: true });
      throw error;
    }
    passed.add(`${version} ${sha512}`);
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
      if (length > MOST) throw new Error('The feed of updates is too long.');
      chunks.push(next.value);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

async function sha512Of(file: string): Promise<string> {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('base64');
}
