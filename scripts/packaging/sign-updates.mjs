import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetUpError } from '../setup/say.mjs';

/** The same as in app/signed-updates.ts. */
const feed = 'updates-linux.signed.json';
const prefix = 'tokenkeep updates v1\n';

/**
 * The key that signs updates for Linux: a PEM file with an Ed25519 private key, as `openssl genpkey -algorithm ed25519` creates it.
 *
 * @param {NodeJS.ProcessEnv} env TOKENKEEP_UPDATES_SIGNING_KEY: the file's path
 * @returns {import('node:crypto').KeyObject | undefined}
 * @throws {SetUpError} if the file has no such key
 */
export function signingKey({ TOKENKEEP_UPDATES_SIGNING_KEY: file }) {
  if (!file) return undefined;
  try {
    const key = createPrivateKey(readFileSync(file));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // The error below has no cause, which might quote the key.
  }
  throw new SetUpError('TOKENKEEP_UPDATES_SIGNING_KEY must name a PEM file with an ed25519 private key.');
}

/** Returns the public key in the form of the package.json inside the asar: 32 bytes in base64url. */
export function publicKeyOf(key) {
  return createPublicKey(key).export({ format: 'jwk' }).x;
}

/**
 * Writes the signed feed of a release beside its files: the version and the SHA-512 of each package for Linux.
 *
 * @param {string} folder with the packages, of all architectures
 * @param {{ key: import('node:crypto').KeyObject, version: string }} options
 * @returns {string[]} the names of the signed files
 */
export function signUpdates(folder, { key, version }) {
  const names = readdirSync(folder)
    .filter((name) => versionIn(name) === version)
    .sort();
  if (names.length === 0)
    throw new SetUpError(`there is no package of version ${version} in ${folder} to sign.`);
  const sha512 = names.map((name) =>
    createHash('sha512')
      .update(readFileSync(join(folder, name)))
      .digest('base64'),
  );
  const signed = JSON.stringify({ version, names, sha512 });
  const signature = sign(null, Buffer.from(prefix + signed), key).toString('base64');
  writeFileSync(join(folder, feed), `${JSON.stringify({ signed, signature })}\n`);
  return names;
}

/**
 * Returns the version in the file name of a package for Linux; undefined if it is none. A folder may also have packages of earlier versions,
 * and a pre-release has its release's version in its name: `Tokenkeep-1.0.0-beta.1-arm64.AppImage`, `tokenkeep_1.0.0-beta.1_amd64.deb`.
 */
function versionIn(name) {
  return /^[A-Za-z]+[-_](\d.*?)(?:[-_](?:arm64|amd64|x86_64))?\.(?:AppImage|deb)$/.exec(name)?.[1];
}
