/** `tokenkeep/azure-identity` with the real `@azure/identity`, against a stand-in for Entra on loopback. */
import { join } from 'node:path';
import {
  type AuthenticationRecord,
  DeviceCodeCredential,
  type DeviceCodeCredentialOptions,
  useIdentityPlugin,
} from '@azure/identity';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryKeychain, openVault, type Vault } from '../../src-main/index.ts';
import { identityCachePlugin } from '../../src-main/msal/azure-identity.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type Entra, startEntra, TENANT } from './entra.ts';

const SCOPE = 'https://graph.microsoft.com/.default';
let entra: Entra;
beforeAll(async () => {
  entra = await startEntra();
});
afterAll(() => entra.stop());
afterEach(() => vi.useRealTimers());
beforeEach(() => Object.assign(entra.counts, { device: 0, refreshed: 0, reused: 0 }));

/** A program: the plugin, the vaults that it has opened, and credentials. */
function program(folder: string, keychain = memoryKeychain()) {
  const vaults = new Map<string, Promise<Vault>>();
  useIdentityPlugin(
    identityCachePlugin((name) => {
      const vault = openVault({ file: join(folder, `${name}.vault`), keychain, name });
      expect(vaults.has(name)).toBe(false); // once for each name
      vaults.set(name, vault);
      return vault;
    }),
  );
  let prompts = 0;
  const credential = (options: DeviceCodeCredentialOptions = {}) =>
    new DeviceCodeCredential({
      tenantId: TENANT,
      clientId: '11111111-2222-3333-4444-555555555555',
      authorityHost: entra.authorityHost,
      disableInstanceDiscovery: true,
      httpClient: entra.httpClient as never,
      tokenCachePersistenceOptions: { enabled: true },
      userPromptCallback: () => void (prompts += 1),
      ...options,
    });
  const close = async (): Promise<void> => {
    for (const vault of vaults.values()) await (await vault).close();
  };
  return { vaults, credential, keychain, close, prompts: () => prompts };
}

/** How often the user is asked. */
const silent = (authenticationRecord: AuthenticationRecord | undefined) => ({
  ...(authenticationRecord === undefined ? {} : { authenticationRecord }),
  disableAutomaticAuthentication: true,
});

describe('DeviceCodeCredential', () => {
  it('two credentials share a sign-in, and a restart needs none', async () => {
    const folder = temporaryFolder();
    const first = program(folder);
    const one = first.credential();
    const record = await one.authenticate(SCOPE);
    const { token } = await one.getToken(SCOPE);
    const two = first.credential(silent(record));
    expect((await two.getToken(SCOPE)).token).toBe(token);
    await first.close();

    const again = program(folder, first.keychain);
    expect((await again.credential(silent(record)).getToken(SCOPE)).token).toBe(token);
    expect(entra.counts).toEqual({ device: 1, refreshed: 0, reused: 0 });
    expect([...again.vaults.keys()]).toEqual(['msal.cache.nocae', 'msal.cache.cae']);
    await again.close();
  });

  it('tokens with continuous access evaluation are kept apart from those without', async () => {
    const folder = temporaryFolder();
    const first = program(folder);
    const one = first.credential();
    const record = await one.authenticate(SCOPE, { enableCae: true });
    const cae = await one.getToken(SCOPE, { enableCae: true });
    await expect(first.credential(silent(record)).getToken(SCOPE)).rejects.toThrow(/[Aa]utomatic/);
    await one.authenticate(SCOPE);
    const plain = await one.getToken(SCOPE);
    expect(plain.token).not.toBe(cae.token);
    await first.close();

    const again = program(folder, first.keychain);
    const two = again.credential(silent(record));
    expect((await two.getToken(SCOPE, { enableCae: true })).token).toBe(cae.token);
    expect((await two.getToken(SCOPE)).token).toBe(plain.token);
    expect(entra.counts).toEqual({ device: 2, refreshed: 0, reused: 0 });
    for (const vault of again.vaults.values())
      expect(await (await vault).read((cache) => cache.find('AccessToken').length)).toBe(1);
    await again.close();
  });

  it('two credentials refresh the expired tokens of both caches once each, after a restart, until the sign-out', async () => {
    const folder = temporaryFolder();
    const first = program(folder);
    const record = await first.credential().authenticate(SCOPE, { enableCae: true });
    await first.credential().authenticate(SCOPE);
    await first.close();

    const again = program(folder, first.keychain);
    const both = [again.credential(silent(record)), again.credential(silent(record))] as const;
    const tokens = async (enableCae: boolean): Promise<string[]> => {
      const got: string[] = [];
      for (const one of both) got.push((await one.getToken(SCOPE, { enableCae })).token);
      return got;
    };
    const before = [...(await tokens(true)), ...(await tokens(false))];
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_590_000 });
    const after = [...(await tokens(true)), ...(await tokens(false))];
    expect(entra.counts).toEqual({ device: 2, refreshed: 2, reused: 0 });
    // One token of each cache, for both credentials.
    expect([new Set(before).size, new Set(after).size, new Set([...before, ...after]).size]).toEqual([
      2, 2, 4,
    ]);
    await again.close();

    const last = program(folder, first.keychain);
    const third = last.credential(silent(record));
    expect((await third.getToken(SCOPE, { enableCae: true })).token).toBe(after[0]);
    expect((await third.getToken(SCOPE)).token).toBe(after[2]);
    for (const vault of last.vaults.values()) {
      const opened = await vault;
      for (const account of await opened.read((cache) => cache.accounts())) await opened.signOut(account);
    }
    for (const enableCae of [true, false])
      await expect(third.getToken(SCOPE, { enableCae })).rejects.toThrow(/[Aa]utomatic/);
    expect(entra.counts).toEqual({ device: 2, refreshed: 2, reused: 0 });
    await last.close();
  });

  it('a name of the app’s own has two caches as well', async () => {
    const { credential, vaults, close } = program(temporaryFolder());
    const options = { tokenCachePersistenceOptions: { enabled: true, name: 'my-tool' } };
    await credential(options).authenticate(SCOPE);
    await credential(options).authenticate(SCOPE, { enableCae: true });
    expect([...vaults.keys()]).toEqual(['my-tool.nocae', 'my-tool.cae']);
    for (const vault of vaults.values())
      expect(await (await vault).read((cache) => cache.accounts().length)).toBe(1);
    await close();
  });

  it('after a sign-out, the next token needs a sign-in', async () => {
    const { credential, vaults, close } = program(temporaryFolder());
    const record = await credential().authenticate(SCOPE);
    for (const vault of vaults.values()) {
      const opened = await vault;
      for (const account of await opened.read((cache) => cache.accounts()))
        expect(await opened.signOut(account)).toMatchObject({ remaining: 0 });
    }
    await expect(credential(silent(record)).getToken(SCOPE)).rejects.toThrow(/[Aa]utomatic/);
    expect(entra.counts).toEqual({ device: 1, refreshed: 0, reused: 0 });
    await close();
  });

  it('a cache that can’t be opened is the error of each call, and not of the constructor', async () => {
    useIdentityPlugin(identityCachePlugin(() => Promise.reject(new Error('no vault'))));
    const credential = new DeviceCodeCredential({
      tenantId: TENANT,
      authorityHost: entra.authorityHost,
      disableInstanceDiscovery: true,
      httpClient: entra.httpClient as never,
      tokenCachePersistenceOptions: { enabled: true },
    });
    await expect(credential.authenticate(SCOPE)).rejects.toThrow(/no vault/);
    expect(() => identityCachePlugin(undefined as never)).toThrow(/function/);
  });
});
