/** The file of Teams Toolkit, sealed as its source does it: AES-256-GCM under a key that keytar keeps. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { findSources, type FoundSource } from '../../src-main/sources/find.ts';
import { readSource } from '../../src-main/sources/read.ts';
import type { SecretReaders } from '../../src-main/sources/sealed.ts';
import type { SecretService } from '../../src-main/sources/secret-service.ts';
import { signOutAtSource } from '../../src-main/sources/sign-out.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';

const KEY = 'abcdefghijklmnopqrstuvwxyz012345';
const NAMES = ['ada@contoso.example', 'ben@contoso.example'];
const ISSUER = 'https://login.microsoftonline.com/72f988bf-0000-4000-8000-2d7cd011db47/v2.0';

let home: string;
let file: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-teams-'));
  mkdirSync(join(home, '.fx', 'account'), { recursive: true });
  file = join(home, '.fx', 'account', 'token.cache.m365.json');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const cache = new SerializableTokenCache();
for (const username of NAMES)
  cache.add(tokenResponse({ username, issuer: ISSUER, refresh_token: `rt-${username}` }));
const DOCUMENT = cache.serialize({ dialect: 'msal-node' });

function sealed(text: string): string {
  const nonce = randomBytes(16);
  const cipher = createCipheriv('aes-256-gcm', KEY, nonce);
  const c = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]).toString('hex');
  return JSON.stringify({ i: nonce.toString('hex'), c, t: cipher.getAuthTag().toString('hex') });
}
function opened(envelope: string): string {
  const { i, c, t } = JSON.parse(envelope) as { i: string; c: string; t: string };
  const decipher = createDecipheriv('aes-256-gcm', KEY, Buffer.from(i, 'hex'));
  decipher.setAuthTag(Buffer.from(t, 'hex'));
  return Buffer.concat([decipher.update(Buffer.from(c, 'hex')), decipher.final()]).toString('utf8');
}

/** keytar's items by service and account. */
type Items = Readonly<Record<string, string>>;
function linux(items: Items, isLocked = false): SecretReaders {
  const service: SecretService = {
    search(attributes) {
      const item = `${attributes['service']}/${attributes['account']}`;
      const all = items[item] === undefined ? [] : [item];
      return Promise.resolve({ unlocked: isLocked ? [] : all, locked: isLocked ? all : [] });
    },
    labelOf: () => Promise.resolve(''),
    secretOf: (item) => Promise.resolve(Buffer.from(items[item] ?? '')),
    setSecret: () => Promise.reject(new Error('The key is not changed.')),
    close: () => undefined,
  };
  return { secretService: () => Promise.resolve(service) };
}
function others(items: Items): SecretReaders {
  const keychain = {
    getPassword: (service: string, account: string) =>
      Promise.resolve(items[`${service}/${account}`] ?? null),
    setPassword: () => Promise.reject(new Error('The key is not changed.')),
  };
  return { keychain: () => Promise.resolve(keychain) };
}
async function only(platform: NodeJS.Platform): Promise<FoundSource> {
  const found = (await findSources({ home, platform })).filter(({ program }) => program === 'teams-toolkit');
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({ sealing: 'key-in-keyring', file });
  return found[0]!;
}

it.each([
  ['linux', 'Microsoft Microsoft 365 Agents Toolkit/m365', linux],
  ['linux', 'Microsoft Teams Toolkit/m365', linux],
  ['darwin', 'Microsoft 365 Agents Toolkit/m365', others],
] as const)(
  'on %s, with its key under %s, is read, signed out of, and sealed with the same key',
  async (platform, item, readers) => {
    writeFileSync(file, sealed(DOCUMENT), { mode: 0o600 });
    const source = await only(platform);
    // A key of an earlier version, and one that is none.
    const secrets = readers({ [item]: KEY, 'Microsoft Teams Toolkit/azure': 'x' });
    const { state, accounts } = await readSource(source, { secrets });
    expect([state, accounts.map(({ username }) => username).sort()]).toEqual(['accounts', NAMES]);
    const receipt = await signOutAtSource(source, accounts.find(({ username }) => username === NAMES[0])!, {
      secrets,
    });
    expect(receipt).toMatchObject({
      remaining: 0,
      removed: { RefreshToken: 1 },
      left: expect.stringContaining('id') as string,
    });
    const left = opened(readFileSync(file, 'utf8'));
    expect(left).toContain(`rt-${NAMES[1]}`);
    expect(left).not.toContain(`rt-${NAMES[0]}`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await receipt.undo();
    expect(opened(readFileSync(file, 'utf8'))).toContain(`rt-${NAMES[0]}`);
  },
);

it('that is plain, since there was no keyring, stays plain', async () => {
  writeFileSync(file, DOCUMENT);
  const source = await only('linux');
  const secrets: SecretReaders = { secretService: () => Promise.resolve(null) };
  const { accounts } = await readSource(source, { secrets });
  await signOutAtSource(source, accounts[0]!, { secrets });
  expect(readFileSync(file, 'utf8')).toContain('"RefreshToken"');
});

it.each([
  ['its key is in VS Code', sealed(DOCUMENT), linux({}), 'sealed', 'open Accounts'],
  [
    'the key is another one',
    sealed(DOCUMENT),
    linux({ 'Microsoft Teams Toolkit/m365': KEY.toUpperCase() }),
    'sealed',
    'open Accounts',
  ],
  [
    'it was changed',
    sealed(DOCUMENT).replace(/"t":"../, '"t":"zz'),
    linux({ 'Microsoft Teams Toolkit/m365': KEY }),
    'sealed',
    'open Accounts',
  ],
  [
    'the keyring is locked',
    sealed(DOCUMENT),
    linux({ 'Microsoft Teams Toolkit/m365': KEY }, true),
    'locked',
    'Unlock',
  ],
  [
    'no keyring runs',
    sealed(DOCUMENT),
    { secretService: () => Promise.resolve(null) },
    'sealed',
    'not running',
  ],
  ['the program signed out', '', linux({}), 'empty', undefined],
  [
    'it is none',
    sealed('<html>'),
    linux({ 'Microsoft Teams Toolkit/m365': KEY }),
    'not-understood',
    'not a document',
  ],
])('has a state where %s, and is not changed', async (_, text, secrets, state, says) => {
  writeFileSync(file, text);
  const source = await only('linux');
  const reading = await readSource(source, { secrets, pause: 1 });
  expect(reading.state).toBe(state);
  expect(reading.problem ?? '').toContain(says ?? '');
  expect(readFileSync(file, 'utf8')).toBe(text);
});
