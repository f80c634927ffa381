/** A signal stops waiting, wherever one waits. What has begun is finished. */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { acquireTokenSilent } from '../src-main/cache/acquire.ts';
import { inMemory } from '../src-main/cache/handle.ts';
import { TokenCache } from '../src-main/cache/token-cache.ts';
import { memoryKeychain } from '../src-main/keychain/keychain.ts';
import { memoryStore, partitionedCaches } from '../src-main/partitions/index.ts';
import type { Vault } from '../src-main/vault/api.ts';
import { openVault } from '../src-main/vault/vault.ts';
import { jwt, signIn } from './cache/events.ts';
import { FakeKeychain } from './vault/fakes.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

interface Waitable {
  read: Vault['read'];
  update: Vault['update'];
  exclusively: NonNullable<ReturnType<typeof inMemory>['exclusively']>;
}

async function open(): Promise<Vault> {
  const folder = temporaryFolder();
  const vault = await openVault({ file: join(folder, 'a.vault'), keychain: memoryKeychain() });
  onTestFinished(() => vault.close());
  return vault;
}

const handles: readonly [string, () => Promise<Waitable>][] = [
  ['a vault', open],
  ['a cache in memory', () => Promise.resolve(inMemory(new TokenCache()) as Waitable)],
  [
    'a partition',
    () =>
      Promise.resolve(partitionedCaches({ store: memoryStore(), sealingKeys: 'plain-text' }).partition('id')),
  ],
];

it.each(handles)('an aborted signal stops each call of %s before it does anything', async (_name, make) => {
  const handle = await make();
  const signal = AbortSignal.abort();
  let calls = 0;
  const count = (): number => (calls += 1);
  for (const call of [
    handle.read(count, { signal }),
    handle.update(count, { signal }),
    handle.exclusively('name', () => Promise.resolve(count()), { signal }),
  ]) {
    await expect(call).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  }
  expect(calls).toBe(0);
});

it.each(handles)('waiting for a turn of %s ends at once; the turn of others goes on', async (_name, make) => {
  const handle = await make();
  let finish = (): void => undefined;
  let holding: Promise<void> = Promise.resolve();
  await new Promise<void>((begun) => {
    holding = handle.exclusively('name', () => {
      begun();
      return new Promise<void>((resolve) => (finish = resolve));
    });
  });
  const controller = new AbortController();
  let ran = false;
  const waiting = handle.exclusively('name', () => Promise.resolve((ran = true)), {
    signal: controller.signal,
  });
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  finish();
  await holding;
  await expect(handle.exclusively('name', () => Promise.resolve('next'))).resolves.toBe('next');
  expect(ran).toBe(false);
});

it('a task that has begun is told, and its outcome is the outcome', async () => {
  for (const [, make] of handles) {
    const handle = await make();
    const controller = new AbortController();
    const outcome = await handle.exclusively(
      'name',
      (signal) => {
        controller.abort();
        return Promise.resolve(signal?.aborted);
      },
      { signal: controller.signal },
    );
    expect(outcome).toBe(true);
  }
});

it('an update that waits behind another is called off; one that has run is saved', async () => {
  const vault = await open();
  const controller = new AbortController();
  const { signal } = controller;
  const first = vault.update((cache) => void cache.add(signIn()), { signal });
  const second = vault.update((cache) => {
    controller.abort();
    return cache.accounts().length;
  });
  const third = vault.update((cache) => void cache.signOutAll(), { signal });
  const calledOff = expect(third).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  await first;
  await expect(second).resolves.toBe(1);
  await calledOff;
  expect(await vault.read((cache) => cache.accounts().length)).toBe(1);
});

const changes: readonly [string, (vault: Vault, options: { signal: AbortSignal }) => Promise<unknown>][] = [
  [
    'signOut',
    async (vault, options) => vault.signOut((await vault.read((cache) => cache.accounts()))[0]!, options),
  ],
  ['erase', (vault, options) => vault.erase((cache) => cache.signOutAll(), options)],
  ['rotateKey', (vault, options) => vault.rotateKey(options)],
  ['compact', (vault, options) => vault.compact(options)],
];

it.each(changes)('%s is called off until it begins, and the vault is as it was', async (_name, change) => {
  const vault = await open();
  await vault.update((cache) => void cache.add(signIn()));
  const { epoch } = vault;
  await expect(change(vault, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
  const controller = new AbortController();
  // It waits behind an update, in whose function the caller changes its mind.
  const busy = vault.update(() => controller.abort(new Error('enough')));
  const calledOff = expect(change(vault, { signal: controller.signal })).rejects.toThrow('enough');
  await busy;
  await calledOff;
  expect(await vault.read((cache) => cache.accounts().length)).toBe(1);
  expect(vault.status).toMatchObject({ state: 'ready' });
  expect(epoch).toBeGreaterThanOrEqual(0);
  await change(vault, { signal: new AbortController().signal });
});

/** Answers when the test says so. */
class SlowKeychain extends FakeKeychain {
  question = (): Promise<void> => Promise.resolve();
  override async get(service: string, account: string): Promise<string | null> {
    await this.question();
    return super.get(service, account);
  }
}

it('who does not want to wait for the keychain need not, at opening and at a retry', async () => {
  const [file, keychain] = [join(temporaryFolder(), 'a.vault'), new SlowKeychain()];
  const first = await openVault({ file, keychain });
  await first.update((cache) => void cache.add(signIn()));
  await first.close();
  const givenUp = async (wait: (signal: AbortSignal) => Promise<unknown>): Promise<void> => {
    const controller = new AbortController();
    let answer = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      keychain.question = () => new Promise((answered) => resolve(void (answer = answered)));
    });
    const gaveUp = expect(wait(controller.signal)).rejects.toThrow('enough');
    await asked;
    controller.abort(new Error('enough'));
    await gaveUp;
    keychain.mood = 'open';
    keychain.question = () => Promise.resolve();
    answer();
  };
  await givenUp((signal) => openVault({ file, keychain, signal }));
  keychain.mood = 'locked';
  const vault = await openVault({ file, keychain });
  onTestFinished(() => vault.close());
  await givenUp((signal) => vault.retry({ signal }));
  await expect.poll(() => vault.status.state).toBe('ready'); // The keychain has answered since.
});

it('an export or import that was called off leaves nothing behind', async () => {
  const vault = await open();
  await vault.update((cache) => void cache.add(signIn()));
  const file = join(temporaryFolder(), 'export.age');
  const passphrase = 'correct horse battery staple';
  const controller = new AbortController();
  const exporting = vault.exportTo(file, passphrase, { signal: controller.signal });
  controller.abort();
  await expect(exporting).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  await expect(vault.importFrom(file, passphrase)).rejects.toMatchObject({ code: 'document_unreadable' });
  await expect(vault.verify(undefined, { signal: controller.signal })).rejects.toThrow(
    expect.objectContaining({ name: 'AbortError' }),
  );
});

it('who gives up on a refresh does not lose what the provider answers', async () => {
  const handle = inMemory(new TokenCache());
  const account = await handle.update((cache) => {
    cache.add({
      ...signIn({
        refresh_token: 'old',
        id_token: jwt({ sub: 'subject', oid: 'object1234' }),
        access_token: 'expired',
        expires_in: 0,
      }),
    });
    const [summary] = cache.accounts();
    return summary!;
  });
  const controller = new AbortController();
  let answer = (): void => undefined;
  const sent = new Promise<void>((resolve) => (answer = resolve));
  const request = { ...account, client_id: 'my_client_id', scopes: ['s2'] };
  let call: Promise<unknown> | undefined;
  const asked = new Promise<void>((resolve) => {
    call = acquireTokenSilent(
      handle,
      request,
      async () => {
        resolve();
        await sent;
        const { token_endpoint } = signIn();
        return {
          token_endpoint,
          response: { access_token: 'fresh', refresh_token: 'new', expires_in: 3600, scope: 's2' },
        };
      },
      () => Math.floor(Date.now() / 1000),
      { signal: controller.signal },
    );
  });
  await asked;
  const gaveUp = expect(call).rejects.toThrow('enough');
  controller.abort(new Error('enough'));
  await gaveUp;
  answer();
  await expect
    .poll(() => handle.read((cache) => cache.find('RefreshToken').map(({ secret }) => secret)))
    .toEqual(['new']);
});

it('a vault is closed by `await using`', async () => {
  const vault = await open();
  await vault[Symbol.asyncDispose]();
  await expect(vault.read(() => 1)).rejects.toMatchObject({ code: 'vault_closed' });
});
