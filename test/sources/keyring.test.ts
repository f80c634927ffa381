/** Caches in a real keyring, of an item that libsecret's own tool has written, as the libraries of other programs do. */
import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { Bus, busSocket } from '../../src-main/sources/dbus.ts';
import { findSources } from '../../src-main/sources/find.ts';
import { readSource } from '../../src-main/sources/read.ts';
import { secretService } from '../../src-main/sources/secret-service.ts';
import { signOutAtSource } from '../../src-main/sources/sign-out.ts';
import { storedItem, storeItem } from '../support/keyring-items.ts';
import { type OwnKeyring, startKeyring } from '../support/keyring.ts';

let keyring: OwnKeyring;
let home: string;
let server: Server | undefined;
const python = (names: readonly string[]): string => {
  const cache = new SerializableTokenCache();
  for (const name of names)
    cache.add({
      client_id: 'c',
      scope: ['s'],
      token_endpoint: 'https://login.microsoftonline.com/t/oauth2/v2.0/token',
      response: {
        access_token: `at-${name}`,
        refresh_token: `rt-${name}`,
        expires_in: 3600,
        client_info: Buffer.from(JSON.stringify({ uid: name, utid: 't' })).toString('base64url'),
      },
    });
  return cache.serialize({ dialect: 'msal-python' });
};
const stored = (attributes: readonly string[]): string => storedItem(keyring.env, attributes);
const store = (label: string, secret: string, attributes: readonly string[]): void =>
  storeItem(keyring.env, label, secret, attributes);

const AZ = ['xdg:schema=Microsoft Azure CLI', 'type=Token cache'];
const NET = [
  'xdg:schema=msal.cache',
  'MsalClientID=Microsoft.Developer.IdentityService',
  'Microsoft.Developer.IdentityService=1.0.0.0',
];

const KEYTAR = [
  'xdg:schema=org.freedesktop.Secret.Generic',
  'service=Microsoft.Developer.IdentityService',
  'account=MSALCache',
];

beforeAll(async () => {
  keyring = await startKeyring();
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-keyring-'));
  mkdirSync(join(home, '.azure'));
  writeFileSync(join(home, '.azure/msal_token_cache.sig'), '');
  mkdirSync(join(home, '.local/share/.IdentityService'), { recursive: true });
});
afterAll(async () => {
  rmSync(home, { recursive: true, force: true });
  await keyring.close();
});

const secrets = { secretService: () => secretService(keyring.env) };
const found = async (program: string) =>
  (await findSources({ home, platform: 'linux' })).find(
    (source) => source.program === program && source.sealing === 'secret-service',
  )!;

describe('a cache in the keyring', () => {
  it('is read as its program stored it, and an account is signed out of the same item', async () => {
    store('Azure CLI', python(['ada', 'ben']), AZ);
    const signal = join(home, '.azure/msal_token_cache.sig');
    utimesSync(signal, 1, 1);
    const source = await found('azure-cli');
    const reading = await readSource(source, { secrets });
    expect(reading).toMatchObject({ state: 'accounts' });
    expect(reading.accounts).toHaveLength(2);
    const ada = reading.accounts.find(({ home_account_id }) => home_account_id === 'ada.t')!;
    const receipt = await signOutAtSource(source, ada, { secrets });
    expect(receipt).toMatchObject({ remaining: 0, removed: { RefreshToken: 1 } });
    expect(stored(AZ)).not.toContain('rt-ada');
    expect(stored(AZ)).toContain('rt-ben');
    // A running program checks this time, and would restore the account without it.
    expect(statSync(signal).mtimeMs).toBeGreaterThan(Date.now() - 10_000);
    await receipt.undo();
    expect(stored(AZ)).toContain('rt-ada');
  });

  it('is opened where nothing but the source is given: the session’s own keyring is asked', async () => {
    store('Azure CLI', python(['ada']), AZ);
    const source = await found('azure-cli');
    vi.stubEnv('DBUS_SESSION_BUS_ADDRESS', keyring.env['DBUS_SESSION_BUS_ADDRESS']);
    vi.stubEnv('XDG_RUNTIME_DIR', keyring.env['XDG_RUNTIME_DIR']);
    try {
      expect(await readSource(source)).toMatchObject({ state: 'accounts' });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('is base64 where .NET wrote it, and stays so', async () => {
    store('MSALCache', Buffer.from(python(['ada', 'ben'])).toString('base64'), NET);
    writeFileSync(join(home, '.local/share/.IdentityService/msal.cache'), '');
    const source = await found('identity-service');
    const { accounts } = await readSource(source, { secrets });
    await signOutAtSource(source, accounts.find(({ home_account_id }) => home_account_id === 'ada.t')!, {
      secrets,
    });
    const text = Buffer.from(stored(NET), 'base64').toString('utf8');
    expect(text).not.toContain('rt-ada');
    expect(JSON.parse(text)).toHaveProperty('RefreshToken');
  });

  it('is found under the service and account that keytar stores, as @azure/identity writes it', async () => {
    store('MSALCache', python(['ada', 'ben']), KEYTAR);
    mkdirSync(join(home, '.IdentityService'), { recursive: true });
    writeFileSync(join(home, '.IdentityService/msal.cache.nocae'), '{}');
    const source = await found('azure-identity-js');
    const { accounts } = await readSource(source, { secrets });
    expect(accounts).toHaveLength(2);
    await signOutAtSource(source, accounts.find(({ home_account_id }) => home_account_id === 'ada.t')!, {
      secrets,
    });
    expect(stored(KEYTAR)).not.toContain('rt-ada');
    expect(stored(KEYTAR)).toContain('rt-ben');
    rmSync(join(home, '.IdentityService'), { recursive: true });
  });

  it('is every item that its attributes fit, each in its own encoding', async () => {
    const PYTHON = ['xdg:schema=msal.cache.nocae', 'MsalClientID=Microsoft.Developer.IdentityService'];
    store('msal.cache', Buffer.from(python(['ada', 'ben'])).toString('base64'), NET);
    store('MSALCache', python(['ada', 'carl']), PYTHON);
    writeFileSync(join(home, '.local/share/.IdentityService/msal.cache'), '');
    const net = (): string => Buffer.from(stored(NET), 'base64').toString('utf8');
    const source = await found('identity-service');
    const { accounts } = await readSource(source, { secrets });
    const ids = accounts.map(({ home_account_id }) => home_account_id);
    expect(ids.sort()).toEqual(['ada.t', 'ben.t', 'carl.t']);
    const ada = accounts.find(({ home_account_id }) => home_account_id === 'ada.t')!;
    const receipt = await signOutAtSource(source, ada, { secrets });
    expect(receipt).toMatchObject({ remaining: 0, removed: { RefreshToken: 2 } });
    expect(net()).toContain('rt-ben');
    expect(stored(PYTHON)).toContain('rt-carl');
    expect(`${net()} ${stored(PYTHON)}`).not.toContain('rt-ada');
    await receipt.undo();
    for (const [own, other] of [
      [net(), 'rt-carl'],
      [stored(PYTHON), 'rt-ben'],
    ] as const) {
      expect(own).toContain('rt-ada');
      expect(own).not.toContain(other);
    }
  });

  it('is locked with the keyring: nothing is asked, and nothing is changed', async () => {
    store('Azure CLI', python(['ada']), AZ);
    const source = await found('azure-cli');
    const { accounts } = await readSource(source, { secrets });
    await keyring.lock();
    expect((await readSource(source, { secrets })).state).toBe('locked');
    // This session has no display for the prompt, so it counts as declined.
    expect((await readSource(source, { secrets, unlock: true })).state).toBe('locked');
    await expect(signOutAtSource(source, accounts[0]!, { secrets })).rejects.toMatchObject({
      code: 'source_locked',
    });
    await keyring.unlock();
    expect(stored(AZ)).toContain('rt-ada');
  });

  it('is sealed where no keyring runs', async () => {
    const source = await found('azure-cli');
    const without = {
      secretService: () => secretService({ DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' }),
    };
    expect((await readSource(source, { secrets: without })).state).toBe('sealed');
  });
});

it('leaves no connection open to a bus that takes a user and then says nothing', async () => {
  const path = join(home, 'silent-bus');
  const ended = new Promise<void>((resolve) => {
    server = createServer((socket) => {
      socket.once('data', () => socket.write('OK 0123456789abcdef\r\n'));
      socket.on('data', () => undefined);
      socket.on('close', () => resolve());
      socket.on('error', () => undefined);
    }).listen(path);
  });
  await expect(Bus.connect(path, 2_000)).rejects.toThrow('did not answer');
  await ended; // it would keep the process alive
  server?.close();
});

it.each([
  ['unix:path=/run/user/0/bus,guid=1', '/run/user/0/bus'],
  ['unix:abstract=/tmp/dbus-x', '\0/tmp/dbus-x'],
  ['tcp:host=x;unix:path=/a%20b', '/a b'],
  ['tcp:host=x', undefined],
])('finds the socket in %s', (address, path) => {
  expect(busSocket({ DBUS_SESSION_BUS_ADDRESS: address })).toBe(path);
});
