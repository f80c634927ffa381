/** A vault that could not be opened is opened again by the next request: no error outlives its cause. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ServedTokenCache, serveTokenCache } from 'tokenkeep/electron';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Serving, serving } from '../../app/serving.ts';
import { openVault, type Vault } from '../../src-main/index.ts';
import { type TestKeychain, testKeychain, tokenResponse } from '../../src-main/testing/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** What the windows are answered from at the moment. */
let served: () => Promise<Vault>;
vi.mock('../../src-main/electron/index.ts', () => ({
  serveTokenCache(vault: Parameters<typeof serveTokenCache>[0]): ServedTokenCache {
    if (typeof vault !== 'function') throw new TypeError('A promise that was rejected stays so.');
    served = vault;
    return Object.assign(() => undefined, {
      planImport: () => Promise.resolve(),
      copyChosen: () => Promise.resolve(),
      placesChanged: () => undefined,
      clearClipboard: () => Promise.resolve(),
    });
  },
}));

let folder: string;
let opened: number;
let failure: Error | null;
let keychain: TestKeychain;
let shown: Serving;

beforeEach(() => {
  folder = temporaryFolder();
  [opened, failure, keychain] = [0, null, testKeychain()];
  shown = serving({
    windows: () => [],
    openOwn: async () => {
      opened += 1;
      if (failure !== null) throw failure;
      return openVault({ file: join(folder, 'accounts.vault'), keychain, unprotected: 'memory' });
    },
    places: () => [],
    beforeRetry: () => undefined,
    afterForget: () => undefined,
    alsoForgets: () => null,
    asksRarely: () => false,
    onUnexpected: () => undefined,
    explain: (error) => error,
  });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await shown.close();
});

describe('the user’s vault', () => {
  it('is opened once for all who ask', async () => {
    await shown.showOwn();
    const [window, menuBar, file] = await Promise.all([served(), shown.own(), shown.file()]);
    expect(window).toBe(menuBar);
    expect(file).toBe(join(folder, 'accounts.vault'));
    expect(opened).toBe(1);
  });

  it('is opened again, for the window as well as the menu bar, after it could not be opened', async () => {
    failure = new Error('The network drive is not there.');
    await shown.showOwn();
    await expect(Promise.all([served(), shown.own()])).rejects.toBe(failure);
    await expect(shown.vault()).rejects.toBe(failure);
    failure = null;
    const vault = await shown.own();
    expect(await served()).toBe(vault);
    expect(await shown.vault()).toBe(vault);
  });

  it('is closed without an error if it could never be opened', async () => {
    failure = new Error('The network drive is not there.');
    await shown.showOwn();
    await expect(served()).rejects.toBe(failure);
    await shown.close();
  });

  it('is not called unsaved by an opening that ended after the vault was locked', async () => {
    await shown.showOwn();
    const opening = shown.own();
    const locking = shown.lock(new Error('locked'), Promise.resolve());
    await expect(served()).rejects.toThrow('locked');
    await Promise.all([opening, locking]);
    expect(shown.unsaved()).toBeUndefined();
    await shown.showOwn();
    expect(await served()).not.toBe(await opening);
  });

  it('is locked for requests at once, and closed when the work in progress has ended; a quit waits for that', async () => {
    await shown.showOwn();
    const vault = await shown.own();
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const locking = shown.lock(new Error('locked'), ended);
    await expect(served()).rejects.toThrow('locked');
    await expect(shown.own()).rejects.toThrow('locked');
    await vault.update(() => undefined);
    const quitting = shown.close();
    end();
    await quitting;
    await expect(vault.read(() => undefined)).rejects.toMatchObject({ code: 'vault_closed' });
    await locking;
  });
});

describe('a locked vault that holds changes in memory', () => {
  /** Makes a change that can't be saved until the keychain is unlocked. */
  async function hold(): Promise<Vault> {
    await shown.showOwn();
    const vault = await shown.own();
    keychain.mode = 'locked';
    await vault.update((cache) => void cache.add(tokenResponse()));
    expect(shown.unsaved()).toBe(vault);
    return vault;
  }

  it('refuses at once, and is closed when they are saved', async () => {
    const vault = await hold();
    await shown.lock(new Error('locked'), Promise.resolve());
    await expect(served()).rejects.toThrow('locked');
    await expect(shown.own()).rejects.toThrow('locked');
    expect(shown.unsaved()).toBe(vault); // a quit asks
    keychain.mode = 'open';
    await vault.retry();
    expect(shown.unsaved()).toBeUndefined();
    await expect(vault.read(() => undefined)).rejects.toMatchObject({ code: 'vault_closed' });
    await shown.showOwn();
    expect(await (await shown.own()).read((cache) => cache.accounts())).toHaveLength(1);
  });

  it('is the same one after it is unlocked, and then stays open when they are saved', async () => {
    const vault = await hold();
    await shown.lock(new Error('locked'), Promise.resolve());
    await shown.showOwn();
    expect(await served()).toBe(vault);
    keychain.mode = 'open';
    await vault.retry();
    expect(await vault.read((cache) => cache.accounts())).toHaveLength(1);
  });

  it('stays open for a change that the work in progress made and could not save', async () => {
    await shown.showOwn();
    const vault = await shown.own();
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const locking = shown.lock(new Error('locked'), ended);
    keychain.mode = 'locked';
    await vault.update((cache) => void cache.add(tokenResponse()));
    end();
    await locking;
    await shown.showOwn();
    expect(await shown.own()).toBe(vault);
    expect(vault.status.unsaved).toBe(1);
  });
});

describe('the demo', () => {
  it('that can’t be opened gives way to the user’s vault, says why, and can be opened later', async () => {
    const missing = join(folder, 'no such folder');
    await shown.showOwn();
    vi.stubEnv('TMPDIR', missing);
    vi.stubEnv('TEMP', missing);
    await expect(shown.showDemo()).rejects.toMatchObject({ code: 'ENOENT' });
    expect(shown.demo).toBe(false);
    expect(await served()).toBe(await shown.own());
    mkdirSync(missing);
    await shown.showDemo();
    expect(shown.demo).toBe(true);
    expect(await served()).not.toBe(await shown.own());
    await shown.showOwn();
    expect(existsSync(missing) && readdirSync(missing)).toEqual([]);
  });

  it.each<[string, () => Promise<void>]>([
    ['a lock', () => shown.lock(new Error('locked'), Promise.resolve())],
    ['a quit', () => shown.close()],
  ])('that can’t be closed does not keep %s from closing the user’s vault', async (_what, leave) => {
    await shown.showOwn();
    const vault = await shown.own();
    await shown.showDemo();
    const demo = await shown.vault();
    const stuck = vi.spyOn(demo, 'close').mockRejectedValueOnce(new Error('The disk is full.'));
    await expect(leave()).rejects.toThrow('The disk is full.');
    await expect(vault.read(() => undefined)).rejects.toMatchObject({ code: 'vault_closed' });
    stuck.mockRestore();
    await demo.close();
  });
});
