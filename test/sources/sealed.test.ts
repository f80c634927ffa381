/**
 * Caches sealed by Windows and macOS. The protections themselves are replaced with stand-ins, since neither system is available to the
 * tests. The tests check everything around them: where a cache is looked for, its encoding, and what is written back.
 */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { type Dpapi, windowsDpapi } from '../../src-main/sources/dpapi.ts';
import { findSources, type FoundSource } from '../../src-main/sources/find.ts';
import { readSource } from '../../src-main/sources/read.ts';
import type { PasswordStore } from '../../src-main/sources/sealed.ts';
import { signOutAtSource } from '../../src-main/sources/sign-out.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeep-sealed-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function documentOf(dialect: 'msal-python' | 'msal-dotnet', ...names: string[]): string {
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
  return cache.serialize({ dialect });
}

function put(path: string, contents: string | Buffer): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents, { mode: 0o600 });
  return file;
}

/** Bytes begin with the header of a real DPAPI blob (version 1, and the GUID of the provider), then the text, inverted. */
const HEADER = Buffer.from('01000000d08c9ddf0115d1118c7a00c04fc297eb', 'hex');
const inverted = (bytes: Uint8Array): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0xff));
const sealed = (text: string): Buffer => Buffer.concat([HEADER, inverted(Buffer.from(text))]);
const dpapi: Dpapi = {
  protect: (bytes) => Promise.resolve(sealed(Buffer.from(bytes).toString())),
  unprotect(bytes) {
    const all = Buffer.from(bytes);
    return all.subarray(0, HEADER.length).equals(HEADER)
      ? Promise.resolve(inverted(all.subarray(HEADER.length)))
      : Promise.reject(new Error('The data is invalid.'));
  },
};
const windows = { secrets: { dpapi: () => dpapi } };

async function only(platform: NodeJS.Platform, program: string): Promise<FoundSource> {
  const found = (await findSources({ home, platform })).filter((source) => source.program === program);
  expect(found).toHaveLength(1);
  return found[0]!;
}

const accountOf = async (source: FoundSource, name: string, options: object) =>
  (await readSource(source, options)).accounts.find(
    ({ home_account_id }) => home_account_id === `${name}.t`,
  )!;

describe('DPAPI', () => {
  it.each([
    ['azure-cli', '.azure/msal_token_cache.bin', 'msal-python'],
    ['identity-service', 'AppData/Local/.IdentityService/msal.cache.nocae', 'msal-dotnet'],
    ['pnp-powershell', 'AppData/Local/.m365pnppowershell/pnp.msal.cache', 'msal-dotnet'],
  ] as const)('reads what %s keeps, and signs out of it', async (program, path, dialect) => {
    // The folders of Windows, on the file system of the tests.
    const file = put(path, sealed(documentOf(dialect, 'ada', 'ben')));
    const source = { ...(await sourceOnWindows(program, path)), file };
    const at = { ...source, place: { ...source.place, file } };
    expect(await readSource(at, windows)).toMatchObject({ state: 'accounts' });
    const receipt = await signOutAtSource(at, await accountOf(at, 'ada', windows), {
      ...windows,
      profile: false,
    });
    expect(receipt).toMatchObject({ remaining: 0, removed: { RefreshToken: 1 } });
    const left = (await dpapi.unprotect(readFileSync(file))).toString();
    expect(left).toContain('rt-ben');
    expect(left).not.toContain('rt-ada');
    await receipt.undo();
    expect((await dpapi.unprotect(readFileSync(file))).toString()).toContain('rt-ada');
  });

  it('changes what a link leads to, and keeps the link', async () => {
    const target = put('dotfiles/cache.bin', sealed(documentOf('msal-python', 'ada', 'ben')));
    mkdirSync(join(home, '.azure'));
    const file = join(home, '.azure/msal_token_cache.bin');
    symlinkSync(target, file);
    const source = await sourceOnWindows('azure-cli', '.azure/msal_token_cache.bin');
    const at = { ...source, file, place: { ...source.place, file } };
    const receipt = await signOutAtSource(at, await accountOf(at, 'ada', windows), {
      ...windows,
      profile: false,
    });
    expect(receipt.remaining).toBe(0);
    expect((await dpapi.unprotect(readFileSync(target))).toString()).not.toContain('rt-ada');
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
  });

  it('opens the envelope of azd, and writes one back', async () => {
    const envelope = (text: string): string =>
      JSON.stringify({ type: 'CryptProtectData', data: sealed(text).toString('base64') });
    const file = put('.azd/auth/msal/cache.bin', envelope(documentOf('msal-dotnet', 'ada', 'ben')));
    const source = await sourceOnWindows('azd', '.azd/auth/msal/cache.bin');
    const at = { ...source, file, place: { ...source.place, file } };
    await signOutAtSource(at, await accountOf(at, 'ada', windows), windows);
    const { type, data } = JSON.parse(readFileSync(file, 'utf8')) as { type: string; data: string };
    expect(type).toBe('CryptProtectData');
    const left = (await dpapi.unprotect(Buffer.from(data, 'base64'))).toString();
    expect(left).toContain('rt-ben');
    expect(left).not.toContain('rt-ada');
  });

  it.each([
    ['what another user has sealed', Buffer.from('not ours'), 'sealed'],
    ['an empty file', Buffer.alloc(0), 'empty'],
    ['a sealed text that is no document', sealed('<html>'), 'not-understood'],
  ])('has a state for %s', async (_, bytes, state) => {
    const file = put('.azure/msal_token_cache.bin', bytes);
    const source = await sourceOnWindows('azure-cli', '.azure/msal_token_cache.bin');
    const reading = await readSource(
      { ...source, file, place: { ...source.place, file } },
      { ...windows, pause: 1 },
    );
    expect(reading.state).toBe(state);
    if (state === 'sealed') expect(reading.problem).toContain('The data is invalid.');
    expect(readFileSync(file)).toEqual(bytes);
  });

  it('is opened by PowerShell, by its full path, with the data in pipes alone', async () => {
    const calls: { file: string; args: readonly string[]; input: string }[] = [];
    const own = windowsDpapi('win32', { SystemRoot: 'D:\\Windows' }, (file, args, input) => {
      calls.push({ file, args, input });
      return Promise.resolve(Buffer.from('opened').toString('base64'));
    });
    expect((await own?.unprotect(Buffer.from('secret')))?.toString()).toBe('opened');
    await own?.protect(Buffer.from('secret'));
    const [first, second] = calls;
    expect(first?.file).toBe('D:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe');
    expect(first?.args).toContain('-NoProfile');
    expect(first?.args.at(-1)).toContain('::Unprotect(');
    expect(second?.args.at(-1)).toContain('::Protect(');
    expect(first?.input).toBe(Buffer.from('secret').toString('base64'));
    expect(first?.args.join(' ')).not.toContain(first?.input);
    expect(windowsDpapi('linux')).toBeNull();
  });
});

/** Windows paths have backslashes, so they don't lead to a folder of the tests; the location is taken from the table. */
async function sourceOnWindows(program: string, path: string): Promise<FoundSource> {
  const { PROGRAMS } = await import('../../src-main/sources/programs.ts');
  const { id, name, leaving, places } = PROGRAMS.find((one) => one.id === program)!;
  const place = places({ platform: 'win32', home: 'C:\\Users\\ada', env: {} }).find(({ file }) =>
    `C:\\Users\\ada\\${path.replaceAll('/', '\\')}`.startsWith(file),
  );
  expect(place?.sealing).toBe('dpapi');
  return {
    id,
    program,
    name,
    sharedBy: [],
    file: path,
    sealing: 'dpapi',
    size: 1,
    writtenAt: 1,
    leaving,
    place: place!,
  };
}

describe('the macOS keychain', () => {
  function keychainOf(items: Record<string, string>): PasswordStore & { items: Map<string, string> } {
    const kept = new Map(Object.entries(items));
    return {
      items: kept,
      getPassword: (service, account) => Promise.resolve(kept.get(`${service}/${account}`) ?? null),
      setPassword(service, account, password) {
        kept.set(`${service}/${account}`, password);
        return Promise.resolve();
      },
    };
  }

  it.each([
    ['azure-cli', '.azure/msal_token_cache.sig', 'Microsoft Azure CLI/Token cache', ''],
    ['azure-cli', '.azure/msal_token_cache.bin', 'my_service_name/my_account_name', ''],
    [
      'identity-service',
      'Library/Application Support/.IdentityService/mg.msal.cache.nocae',
      'Microsoft.Developer.IdentityService/mg.msal.cache.nocae',
      '',
    ],
    [
      'identity-service',
      '.IdentityService/msal.cache.cae',
      'Microsoft.Developer.IdentityService/MSALCache',
      '{}',
    ],
    [
      'pnp-powershell',
      '.m365pnppowershell/pnp.msal.cache',
      'pnp.powershell.tokencache.service/pnp.powershell.tokencache.account',
      '',
    ],
  ])('opens the item of %s that %s signals', async (program, path, item, signal) => {
    const file = put(path, signal);
    utimesSync(file, 1, 1);
    const keychain = keychainOf({ [item]: documentOf('msal-python', 'ada', 'ben') });
    const mac = { secrets: { keychain: () => Promise.resolve(keychain) } };
    const found = await findSources({ home, platform: 'darwin' });
    expect(found.filter(({ sealing }) => sealing === 'none')).toEqual([]);
    const readings = await Promise.all(found.map((source) => readSource(source, mac)));
    const index = readings.findIndex(({ state }) => state === 'accounts');
    const source = found[index]!;
    expect(source).toMatchObject({ program, sealing: 'keychain', file, size: null });
    expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
    // People tell them apart.
    expect(new Set(found.map((one) => `${one.name} ${one.file}`)).size).toBe(found.length);
    const receipt = await signOutAtSource(source, await accountOf(source, 'ada', mac), {
      ...mac,
      profile: false,
    });
    expect(receipt.remaining).toBe(0);
    expect(keychain.items.get(item)).toContain('rt-ben');
    expect(keychain.items.get(item)).not.toContain('rt-ada');
    expect(source.writtenAt).toBe(1);
    expect((await readSource(source, mac)).writtenAt).toBe(Math.floor(statSync(file).mtimeMs / 1000));
    // A running program checks this time.
    expect(statSync(file).mtimeMs).toBeGreaterThan(Date.now() - 10_000);
    expect(readFileSync(file, 'utf8')).toBe(signal);
  });

  it.each([
    ['User canceled the operation.', 'no-permission', 'choose Allow'],
    ['User interaction is not allowed.', 'no-permission', 'choose Allow'],
    ['The keychain is corrupt.', 'sealed', 'The keychain is corrupt.'],
  ])('has a state where macOS says “%s”', async (words, state, says) => {
    put('.azure/msal_token_cache.sig', '');
    const keychain = () =>
      Promise.resolve({
        getPassword: () => Promise.reject(new Error(words)),
        setPassword: () => Promise.reject(new Error(words)),
      });
    const source = await only('darwin', 'azure-cli');
    const reading = await readSource(source, { secrets: { keychain } });
    expect(reading.state).toBe(state);
    expect(reading.problem).toContain(says);
  });

  it('is not changed if macOS asks for longer than other programs respect the lock', async () => {
    put('.azure/msal_token_cache.sig', '');
    const source = await only('darwin', 'azure-cli');
    const document = documentOf('msal-python', 'ada', 'ben');
    const keychain = keychainOf({ 'Microsoft Azure CLI/Token cache': document });
    let [asked, waited] = [0, 0];
    const secrets = {
      keychain: () =>
        Promise.resolve({
          ...keychain,
          // The third time is under the lock: the account is looked for, then read to be changed, then compared.
          getPassword(service: string, account: string) {
            asked += 1;
            if (asked === 3) waited = 10_000;
            return keychain.getPassword(service, account);
          },
        }),
    };
    const ada = await accountOf(source, 'ada', { secrets });
    const clock = performance.now.bind(performance);
    const spy = vi.spyOn(performance, 'now').mockImplementation(() => clock() + waited);
    try {
      await expect(signOutAtSource(source, ada, { secrets, profile: false })).rejects.toMatchObject({
        code: 'source_busy',
        message: expect.stringContaining('choose Always Allow') as string,
      });
    } finally {
      spy.mockRestore();
    }
    expect(asked).toBe(3);
    expect(keychain.items.get('Microsoft Azure CLI/Token cache')).toBe(document);
  });

  it('says that subscriptions are missing if a sign-out fails and they can’t be put back', async () => {
    put('.azure/msal_token_cache.sig', '');
    const list = JSON.stringify({ subscriptions: [{ user: { name: 'ada@contoso.example' } }] });
    const profile = put('.azure/azureProfile.json', list);
    const document = documentOf('msal-python', 'ada', 'ben');
    const keychain = keychainOf({ 'Microsoft Azure CLI/Token cache': document });
    const source = await only('darwin', 'azure-cli');
    const secrets = (isBroken: boolean) => ({
      keychain: () =>
        Promise.resolve({
          ...keychain,
          setPassword() {
            expect(readFileSync(profile, 'utf8')).not.toContain('ada@');
            if (isBroken) {
              rmSync(profile);
              mkdirSync(profile);
            }
            return Promise.reject(new Error('The keychain is corrupt.'));
          },
        }),
    });
    const read = { secrets: { keychain: () => Promise.resolve(keychain) } };
    const ada = { ...(await accountOf(source, 'ada', read)), username: 'ada@contoso.example' };
    await expect(signOutAtSource(source, ada, { secrets: secrets(false) })).rejects.toThrow('is corrupt');
    expect(readFileSync(profile, 'utf8')).toBe(list);
    await expect(signOutAtSource(source, ada, { secrets: secrets(true) })).rejects.toThrow(
      /is corrupt.* The account is signed in, but .*azureProfile\.json could not be read/,
    );
  });

  it('holds nothing of a program that has signed out', async () => {
    put('.azure/msal_token_cache.sig', '');
    const source = await only('darwin', 'azure-cli');
    const secrets = { keychain: () => Promise.resolve(keychainOf({})) };
    expect((await readSource(source, { secrets })).state).toBe('gone');
  });

  it('is not asked where it is not there', async () => {
    put('.azure/msal_token_cache.sig', '');
    const source = await only('darwin', 'azure-cli');
    expect((await readSource(source, { secrets: { keychain: () => Promise.resolve(null) } })).state).toBe(
      'sealed',
    );
    await expect(
      signOutAtSource(
        source,
        {
          home_account_id: 'ada.t',
          environment: 'login.microsoftonline.com',
          local_account_id: 'ada',
          authority_type: 'MSSTS',
          username: '',
          tenants: [],
        },
        { secrets: { keychain: () => Promise.resolve(null) } },
      ),
    ).rejects.toMatchObject({ name: 'SourceError' });
  });
});
