/** Updates for Linux: the app installs only files that the release has signed. */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SIGNED_FEED, signatureCheck, signedFiles, UnsignedUpdateError } from '../../app/signed-updates.ts';
import { ownerOptions } from '../../scripts/packaging/electron-builder.mjs';
import { publicKeyOf, signingKey, signUpdates } from '../../scripts/packaging/sign-updates.mjs';

let folder: string;
let key: KeyObject;
let publicKey: string;
const deb = () => join(folder, 'tokenkeep_2.0.0_amd64.deb');
const feed = () => readFileSync(join(folder, SIGNED_FEED), 'utf8');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeep-signed-'));
  const file = join(folder, 'key.pem');
  const made = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(file, made);
  key = signingKey({ TOKENKEEP_UPDATES_SIGNING_KEY: file }) as KeyObject;
  publicKey = publicKeyOf(key) as string;
  writeFileSync(deb(), 'the package');
  writeFileSync(join(folder, 'tokenkeep_1.0.0_amd64.deb'), 'an older one, still there');
  expect(signUpdates(folder, { key, version: '2.0.0' })).toEqual(['tokenkeep_2.0.0_amd64.deb']);
});
afterEach(() => rmSync(folder, { recursive: true }));

const check = (text: string | null) =>
  signatureCheck({
    url: 'https://updates.example/linux',
    publicKey,
    fetch: (url) => {
      expect(url).toBe(`https://updates.example/linux/${SIGNED_FEED}`);
      return Promise.resolve(new Response(text, { status: text === null ? 404 : 200 }));
    },
  });

it('accepts the file that was signed for the version', async () => {
  await check(feed())('2.0.0', deb());
  expect(existsSync(deb())).toBe(true);
});

/** A feed that says what it likes, signed with the right key or another one. */
function forged(signed: unknown, by: KeyObject = key, prefix = 'tokenkeep updates v1\n'): string {
  const text = JSON.stringify(signed);
  return JSON.stringify({
    signed: text,
    signature: sign(null, Buffer.from(prefix + text), by).toString('base64'),
  });
}
const sha512 = () => [createHash('sha512').update('the package').digest('base64')];
const another = () => generateKeyPairSync('ed25519').privateKey;

describe('refuses, and removes the file:', () => {
  it.each<[string, () => string]>([
    ['one without a signature', () => JSON.stringify({ signed: JSON.parse(feed()).signed as string })],
    ['an empty signature', () => JSON.stringify({ ...(JSON.parse(feed()) as object), signature: '' })],
    ['another key', () => forged({ version: '2.0.0', sha512: sha512() }, another())],
    ['a changed text', () => feed().replace('2.0.0', '2.0.1')],
    ['a signature of something else', () => forged({ version: '2.0.0', sha512: sha512() }, key, '')],
    ['a feed without files', () => forged({ version: '2.0.0' })],
    ['another file', () => forged({ version: '2.0.0', sha512: ['x', 5, null] })],
  ])('%s', async (_what, text) => {
    await expect(check(text())('2.0.0', deb())).rejects.toBeInstanceOf(UnsignedUpdateError);
    expect(existsSync(deb())).toBe(false);
  });

  it('a file that was changed after it was signed', async () => {
    writeFileSync(deb(), 'the packagE');
    await expect(check(feed())('2.0.0', deb())).rejects.toBeInstanceOf(UnsignedUpdateError);
  });

  it.each(['', 'AAAA', 'x'.repeat(43)])('everything, with a public key that is none: %j', (none) => {
    expect(() => signedFiles(feed(), none, '2.0.0')).toThrow(UnsignedUpdateError);
  });
});

describe('a release', () => {
  it('signs the packages of its version alone, of each architecture', () => {
    const own = [
      'Tokenkeep-2.0.0-arm64.AppImage',
      'Tokenkeep-2.0.0-x86_64.AppImage',
      'Tokenkeep-2.0.0.AppImage',
      'tokenkeep_2.0.0_amd64.deb',
      'tokenkeep_2.0.0_arm64.deb',
    ];
    const beta = ['Tokenkeep-2.0.0-beta.1-arm64.AppImage', 'Tokenkeep-2.0.0-beta.1.AppImage'];
    const others = [
      ...['Tokenkeep-12.0.0.AppImage', 'Tokenkeep-2.0.01.AppImage', 'Tokenkeep-2.0.0.1.AppImage'],
      ...['Tokenkeep-1.0.0-2.0.0.AppImage', 'Tokenkeep-2x0x0.AppImage', 'tokenkeep_2.0.0~beta.1_amd64.deb'],
      ...['tokenkeep_2.0.0-beta.1_amd64.deb', 'Tokenkeep-development_2.0.0-development_amd64.deb'],
      ...['tokenkeep-2.0.0.tar.gz', 'Tokenkeep-2.0.0.AppImage.blockmap', 'latest-linux.yml'],
    ];
    for (const name of [...own, ...beta, ...others]) writeFileSync(join(folder, name), name);
    expect(signUpdates(folder, { key, version: '2.0.0' })).toEqual(own);
    const signed = signedFiles(feed(), publicKey, '2.0.0');
    expect([...signed]).toEqual(
      own.map((name) =>
        createHash('sha512')
          .update(readFileSync(join(folder, name)))
          .digest('base64'),
      ),
    );
    expect(signUpdates(folder, { key, version: '2.0.0-beta.1' })).toEqual([
      ...beta,
      'tokenkeep_2.0.0-beta.1_amd64.deb',
    ]);
  });

  it('has the public key in the package.json of the app, and the private one nowhere', () => {
    const options = ownerOptions({ TOKENKEEP_UPDATES_SIGNING_KEY: join(folder, 'key.pem') });
    expect(options).toEqual([`-c.extraMetadata.updatesKey=${publicKey}`]);
    const { d } = createPrivateKey(readFileSync(join(folder, 'key.pem'))).export({ format: 'jwk' });
    expect(JSON.stringify(options) + feed()).not.toContain(d);
  });

  it('takes no key of another kind, and signs no empty folder', () => {
    const file = join(folder, 'rsa.pem');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(() => signingKey({ TOKENKEEP_UPDATES_SIGNING_KEY: file }) as unknown).toThrow('ed25519');
    expect(() => signingKey({ TOKENKEEP_UPDATES_SIGNING_KEY: '/nowhere' }) as unknown).toThrow('ed25519');
    expect(() => signUpdates(folder, { key, version: '9.0.0' })).toThrow('no package of version 9.0.0');
  });
});

/** A feed that never ends: it sends a part each time it is asked to. */
const endless = (part: Uint8Array, sent = { parts: 0 }) => {
  const body = new ReadableStream({
    pull(controller) {
      sent.parts += 1;
      controller.enqueue(part);
    },
  });
  return { body, sent };
};

it('reads no more of an endless feed than a feed may have', async () => {
  const { body, sent } = endless(Buffer.alloc(10_000, 32));
  const checking = signatureCheck({
    ...{ url: 'https://updates.example/linux', publicKey },
    fetch: () => Promise.resolve(new Response(body)),
  });
  await expect(checking('2.0.0', deb())).rejects.toThrow('too long');
  expect(sent.parts).toBeLessThan(20);
});

describe('keeps the file, and calls nothing unsigned,', () => {
  const silent = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from(' ')) });
  it.each<[string, (signal: AbortSignal) => Promise<Response>]>([
    ['without a network', () => Promise.reject(new TypeError('fetch failed'))],
    ...[403, 404, 429, 500, 503].map((status): [string, () => Promise<Response>] => [
      `when the server answers ${status}`,
      () => Promise.resolve(new Response('', { status })),
    ]),
    ...['', '<html>', 'null', '[]', ' '.repeat(200_000)].map((text): [string, () => Promise<Response>] => [
      `when the answer is no feed: ${text.slice(0, 9)}`,
      () => Promise.resolve(new Response(text)),
    ]),
    ...['1.0.0', '3.0.0'].map((version): [string, () => Promise<Response>] => [
      `when the signed feed is that of ${version}`,
      () => Promise.resolve(new Response(forged({ version, sha512: sha512() }))),
    ]),
    [
      'when the server accepts and does not answer',
      (signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        ),
    ],
    ['when the answer never ends', () => Promise.resolve(new Response(silent))],
  ])('%s', async (_what, fetch) => {
    const limit = new AbortController();
    const checking = signatureCheck({
      ...{ url: 'https://updates.example/linux', publicKey, limit: () => limit.signal },
      fetch(_url, signal) {
        setImmediate(() => limit.abort(new Error('20 seconds have passed')));
        return fetch(signal);
      },
    })('2.0.0', deb()).catch((error: unknown) => error);
    const failure = await checking;
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(UnsignedUpdateError);
    expect(existsSync(deb())).toBe(true);
  });
});

describe('a file that passed', () => {
  it('passes again, unchanged, whatever the server says by then', async () => {
    let answer = (): Promise<Response> => Promise.resolve(new Response(feed()));
    const checking = signatureCheck({
      ...{ url: 'https://updates.example/linux', publicKey },
      fetch: () => answer(),
    });
    await checking('2.0.0', deb());
    for (const later of [
      () => Promise.reject(new TypeError('fetch failed')),
      () => Promise.resolve(new Response(forged({ version: '3.0.0', sha512: ['x'] }))),
    ]) {
      answer = later;
      await checking('2.0.0', deb());
      // What passed as one version passes as no other.
      await expect(checking('2.0.1', deb())).rejects.toThrow();
    }
    answer = () => Promise.resolve(new Response(feed()));
    writeFileSync(deb(), 'the packagE');
    await expect(checking('2.0.0', deb())).rejects.toBeInstanceOf(UnsignedUpdateError);
    expect(existsSync(deb())).toBe(false);
  });
});
