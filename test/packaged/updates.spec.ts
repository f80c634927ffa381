/**
 * Updates of the packaged app itself, from a server with a feed on loopback: checking, offering, downloading, comparing with the feed's
 * SHA-512 and the publisher's signature, refusing files that differ, installing and restarting. The administrator's password and dpkg's own
 * list are replaced with stand-ins. The signature checks of macOS and Windows are not tested.
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { removePatiently } from '../support/remove.ts';
import { test as base, importDocument, profileFolder, vector } from '../e2e/app.ts';
import { attach, type startPackaged as Start, startPackaged } from '../e2e/packaged.ts';
import { copyOf } from './copy.ts';
import { SIGNED_FEED } from '../../app/signed-updates.ts';
import { publicKeyOf } from '../../scripts/packaging/sign-updates.mjs';
import { nextVersion, putUpdatesKey, systemAround } from './next-version.ts';
import { processesOf } from './processes.ts';

interface Feed {
  version: string;
  /** What is sent, and what the feed says that it is. */
  sent: Buffer;
  promised: Buffer;
  /** What the publisher has signed; `promised` unless said. null: nothing. */
  signed?: Buffer | null;
}

const KEYS = generateKeyPairSync('ed25519');

interface Shop {
  asked: string[];
  /** The app, told where updates are as a build with TOKENKEEP_UPDATES_URL is. */
  start: (feed: Feed | null, args?: string[]) => ReturnType<typeof Start>;
  /** Somebody gives the administrator's password. */
  agree: () => void;
  /** For files of the test's own. */
  folder: string;
}

const test = base.extend<{ shop: Shop }>({
  shop: async ({ packagedApp, keyring }, use) => {
    const { folder, program, remove } = copyOf(packagedApp);
    const own = mkdtempSync(join(tmpdir(), 'updates-'));
    await putUpdatesKey(folder, publicKeyOf(KEYS.privateKey) as string, own);
    const system = systemAround(program, own, keyring.env);
    const asked: string[] = [];
    const ends: (() => void)[] = [];
    await use({
      asked,
      agree: system.agree,
      folder: own,
      async start(feed, args = ['--demo']) {
        if (feed !== null) {
          const server = await serve(feed, asked);
          ends.push(() => {
            server.closeAllConnections();
            server.close();
          });
          const { port } = server.address() as AddressInfo;
          const settings = `provider: generic\nurl: http://127.0.0.1:${port}/\nupdaterCacheDirName: tokenkeep-updater\n`;
          writeFileSync(join(folder, 'resources/app-update.yml'), settings);
          writeFileSync(join(folder, 'resources/package-type'), 'deb');
        }
        const running = await startPackaged(program, system.env, args);
        ends.unshift(() => running.child.kill('SIGKILL'));
        return running;
      },
    });
    for (const end of ends) end();
    remove();
    removePatiently(own);
  },
});

/** The feed is read at each request, so that a newer release can take its place. */
async function serve(feed: Feed, asked: string[]): Promise<Server> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    asked.push(path);
    const { version, sent, promised, signed = promised } = feed;
    const file = fileOf(version);
    if (/^\/latest-linux.*\.yml$/.test(path)) response.end(listOf(version, promised));
    else if (path === `/${file}`) response.end(sent);
    else if (path === `/${SIGNED_FEED}` && signed !== null) response.end(signedFeed(version, signed));
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const fileOf = (version: string): string => `tokenkeep_${version}_amd64.deb`;

function listOf(version: string, promised: Buffer): string {
  const sha512 = createHash('sha512').update(promised).digest('base64');
  return `version: ${version}
files:
  - url: ${fileOf(version)}
    sha512: ${sha512}
    size: ${promised.length}
path: ${fileOf(version)}
sha512: ${sha512}
releaseDate: '2026-01-01T00:00:00.000Z'
`;
}

function signedFeed(version: string, content: Buffer): string {
  const sha512 = [createHash('sha512').update(content).digest('base64')];
  const signed = JSON.stringify({ version, sha512 });
  const signature = sign(null, Buffer.from(`tokenkeep updates v1\n${signed}`), KEYS.privateKey);
  return JSON.stringify({ signed, signature: signature.toString('base64') });
}

/** Everything that an updater has kept on the disk. */
const kept = (home: string): string[] =>
  existsSync(join(home, '.cache'))
    ? readdirSync(join(home, '.cache'), { recursive: true, encoding: 'utf8' })
        .map((name) => join(home, '.cache', name))
        .filter((path) => path.endsWith('.deb'))
    : [];

test.skip(process.platform !== 'linux', 'the feed is one for Linux');

test('a newer version is offered, downloaded when told to, and waits', async ({ shop, keyring }) => {
  const deb = randomBytes(300_000);
  const { started, child } = await shop.start({ version: '0.2.0', sent: deb, promised: deb });
  const { window } = started;
  await expect(window.getByText('Update available: 0.2.0')).toBeVisible();
  expect(shop.asked.filter((path) => path.endsWith('.deb'))).toEqual([]);
  await window.getByRole('button', { name: 'Download' }).click();
  await expect(window.getByRole('button', { name: 'Restart and install' })).toBeVisible();
  const files = kept(keyring.env['HOME'] ?? '');
  expect(files.map((file) => readFileSync(file).equals(deb))).toEqual([true]);
  // No restart, no installer: quitting only quits.
  expect(child.exitCode).toBeNull();
  await started.quit();
  expect(child.exitCode).toBe(0);
});

test('installed when told to, and only with the password; the new version has the sign-ins', async ({
  shop,
  keyring,
  packagedApp,
}) => {
  const deb = await nextVersion(packagedApp, '0.2.0-development', shop.folder);
  const { started, child } = await shop.start({ version: '0.2.0-development', sent: deb, promised: deb }, []);
  const { window } = started;
  await importDocument(started, vector('documents', 'msal-python-aad-several.json'));
  await expect(window.getByRole('option')).toHaveCount(5);
  const accounts = await window.getByRole('option').allTextContents();
  await window.getByRole('button', { name: 'Download' }).click();
  await window.getByRole('button', { name: 'Restart and install' }).click();
  await expect(
    window.getByText('0.2.0-development was not installed. You keep the current version.'),
  ).toBeVisible();
  expect(child.exitCode).toBeNull();

  shop.agree();
  const portFile = join(profileFolder(keyring.env), 'DevToolsActivePort');
  const before = readFileSync(portFile, 'utf8');
  const ended = once(child, 'exit');
  await window.getByRole('button', { name: 'Try again' }).click();
  await ended;
  expect(child.exitCode).toBe(0);
  let now = '';
  // Chromium empties the file, and then writes it.
  await expect(() => {
    now = readFileSync(portFile, 'utf8');
    expect(now).toMatch(/^\d+\n\S/);
    expect(now).not.toBe(before);
  }).toPass();
  const [port = '', path = ''] = now.split('\n');
  const next = await attach(`ws://127.0.0.1:${port}${path}`);
  try {
    await expect(next.window.getByRole('option')).toHaveText(accounts);
    // What it starts may gain privileges: the sandbox's helper now, and pkexec at the next update.
    const main = (await processesOf(next.window)).find(({ type }) => type === 'browser');
    expect(main?.status).toMatch(/^NoNewPrivs:\s+0$/m);
    await next.window.getByRole('button', { name: 'More' }).click();
    await next.window.getByRole('menuitem', { name: /About/ }).click();
    await expect(next.window.getByRole('dialog')).toContainText('0.2.0');
    await expect(next.window.getByText(/Update available/)).toHaveCount(0);
  } finally {
    await next.end();
  }
});

test('a download that is not what the feed promised is refused', async ({ shop, keyring }) => {
  const promised = randomBytes(300_000);
  const sent = Buffer.from(promised);
  sent.writeUInt8(sent.readUInt8(1000) ^ 1, 1000);
  const { started } = await shop.start({ version: '0.2.0', sent, promised });
  const { window } = started;
  await window.getByRole('button', { name: 'Download' }).click();
  await expect(window.getByText('could not be downloaded and verified. Nothing was changed.')).toBeVisible();
  expect(kept(keyring.env['HOME'] ?? '')).toEqual([]);
  await expect(window.getByRole('button', { name: 'Restart and install' })).toHaveCount(0);
  await started.quit();
});

test('a download that the publisher has not signed is deleted, whatever the feed promises', async ({
  shop,
  keyring,
}) => {
  const deb = randomBytes(300_000);
  const { started } = await shop.start({
    version: '0.2.0',
    sent: deb,
    promised: deb,
    signed: randomBytes(300_000),
  });
  const { window } = started;
  await window.getByRole('button', { name: 'Download' }).click();
  await expect(
    window.getByText('isn’t signed with the key that this version trusts, so it was deleted.'),
  ).toBeVisible();
  expect(kept(keyring.env['HOME'] ?? '')).toEqual([]);
  await expect(window.getByRole('button', { name: 'Restart and install' })).toHaveCount(0);
  await started.quit();
});

test('a download whose signature is missing is not installed', async ({ shop }) => {
  const deb = randomBytes(300_000);
  const { started } = await shop.start({ version: '0.2.0', sent: deb, promised: deb, signed: null });
  const { window } = started;
  await window.getByRole('button', { name: 'Download' }).click();
  await expect(window.getByText('could not be downloaded and verified. Nothing was changed.')).toBeVisible();
  await expect(window.getByRole('button', { name: 'Restart and install' })).toHaveCount(0);
  await started.quit();
});

test('a downloaded update is installed although a newer one was released, or downloaded anew', async ({
  shop,
}) => {
  const [deb, newer] = [randomBytes(300_000), randomBytes(300_000)];
  const feed: Feed = { version: '0.2.0', sent: deb, promised: deb };
  const { started } = await shop.start(feed);
  const { window } = started;
  await expect(window.getByText('Update available: 0.2.0')).toBeVisible();
  Object.assign(feed, { version: '0.3.0', sent: newer, promised: newer });
  await window.getByRole('button', { name: 'Download' }).click(); // the files of 0.2.0 are gone
  await expect(window.getByText('0.3.0 is ready to install')).toBeVisible();
  Object.assign(feed, { version: '0.4.0' });
  await window.getByRole('button', { name: 'Restart and install' }).click();
  await expect(window.getByText('0.3.0 was not installed. You keep the current version.')).toBeVisible(); // no password
  await started.quit();
});

test('an older version is no update', async ({ shop }) => {
  const deb = randomBytes(1000);
  const { started } = await shop.start({ version: '0.0.9', sent: deb, promised: deb });
  await expect.poll(() => shop.asked.some((path) => path.endsWith('.yml'))).toBe(true);
  await started.window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  await expect(started.window.getByText(/Update available/)).toHaveCount(0);
  await started.quit();
});
