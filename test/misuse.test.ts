/** Wrong functions for `read`, `update`, `erase` and `exclusively`, and a cache that is used after its function has ended. */
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SerializableTokenCache } from '../src-main/cache/document/serializable-token-cache.ts';
import { type CacheHandle, inMemory } from '../src-main/cache/handle.ts';
import { setAppData, TokenCache } from '../src-main/cache/token-cache.ts';
import { environmentKey, firstOf, keyFile, memoryKeychain, passphrase } from '../src-main/keychain/index.ts';
import { memoryStore, partitionedCaches } from '../src-main/partitions/index.ts';
import type { Vault } from '../src-main/vault/api.ts';
import { openVault } from '../src-main/vault/vault.ts';
import { signIn } from './cache/events.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

type Handle = CacheHandle & Required<Pick<CacheHandle, 'exclusively'>>;

/** A handle, and another one of the same stored cache, which knows only what was stored. */
interface Opened<T extends CacheHandle = Handle> {
  readonly handle: T;
  readonly stored: () => Promise<CacheHandle>;
}

async function vault(): Promise<Opened<Vault>> {
  const keychain = memoryKeychain();
  const file = join(temporaryFolder(), 'a.vault');
  const open = async (): Promise<Vault> => {
    const opened = await openVault({ file, keychain });
    onTestFinished(() => opened.close());
    return opened;
  };
  return { handle: await open(), stored: open };
}

function partition(): Promise<Opened> {
  const store = memoryStore();
  const open = (): Handle => partitionedCaches({ store, sealingKeys: 'plain-text' }).partition('id');
  return Promise.resolve({ handle: open(), stored: () => Promise.resolve(open()) });
}

const handles: readonly [string, () => Promise<Opened>][] = [
  ['a vault', vault],
  ['a partition', partition],
];
const memory: readonly [string, () => Promise<Opened>] = [
  'a cache in memory',
  () =>
    Promise.resolve({
      handle: inMemory(new TokenCache()) as Handle,
      stored: () => Promise.reject(new Error()),
    }),
];

const accounts = (handle: CacheHandle): Promise<number> =>
  handle.read((cache) => cache.find('RefreshToken').length);
const refusal = expect.objectContaining({ code: 'invalid_argument' }) as Error;

it.each(handles)('a cache that was kept from %s takes no change', async (_name, open) => {
  const { handle, stored } = await open();
  const kept: TokenCache[] = [];
  await handle.update((cache) => {
    kept.push(cache);
    cache.add(signIn());
  });
  await handle.read((cache) => kept.push(cache));
  for (const cache of kept) {
    const [account] = cache.accounts();
    const [token] = cache.find('RefreshToken');
    if (account === undefined || token === undefined) throw new Error('The account is not there.');
    for (const change of [
      () => cache.add(signIn({}, { client_id: 'other' })),
      () => cache.signOut(account),
      () => cache.signOutAll(),
      () => cache.modify('RefreshToken', token, null),
      () => setAppData(cache, 'x', 1),
    ])
      expect(change).toThrow(
        expect.objectContaining({
          code: 'invalid_argument',
          message: expect.stringContaining('update') as string,
        }) as Error,
      );
  }
  expect(await accounts(handle)).toBe(1);
  expect(await accounts(await stored())).toBe(1);
  await handle.update((cache) => cache.add(signIn({}, { client_id: 'other' })));
  expect(await accounts(handle)).toBe(2);
  expect(await accounts(await stored())).toBe(2);
});

it.each(handles)(
  'a handle on a cache that was kept from %s refuses before a token is redeemed',
  async (_name, open) => {
    const { handle } = await open();
    await handle.update((cache) => cache.add(signIn()));
    const kept = inMemory(await handle.read((cache) => cache));
    const refused = expect.objectContaining({ code: 'invalid_argument' }) as Error;
    await expect(kept.update((cache) => void cache.signOutAll())).rejects.toEqual(refused);
    let isRun = false;
    const task = async (): Promise<void> => {
      isRun = true;
      await Promise.resolve();
    };
    await expect(kept.exclusively!('refresh', task)).rejects.toEqual(refused);
    expect(isRun).toBe(false);
    expect(await accounts(handle)).toBe(1);
  },
);

it.each(handles)('an async function changes nothing of %s, now or later', async (_name, open) => {
  const { handle, stored } = await open();
  await handle.update((cache) => cache.add(signIn()));
  let late: Promise<void> | undefined;
  const asyncFunction = ((cache: TokenCache) => {
    late = (async () => {
      cache.add(signIn({}, { client_id: 'first' }));
      await Promise.resolve();
      cache.add(signIn({}, { client_id: 'second' }));
    })();
    return late;
  }) as unknown as () => undefined;
  await expect(handle.update(asyncFunction)).rejects.toThrow(refusal);
  await expect(late).rejects.toThrow(refusal);
  await expect(handle.read(asyncFunction)).rejects.toThrow(refusal);
  await expect(late).rejects.toThrow(refusal);
  expect(await accounts(handle)).toBe(1);
  expect(await accounts(await stored())).toBe(1);
});

it.each([...handles, memory])(
  '%s refuses what is not a function of a cache, and names it',
  async (_name, open) => {
    const { handle } = await open();
    const wrong: unknown[] = [undefined, null, 'fn', {}, function* () {}, async function* () {}];
    for (const fn of wrong as (() => undefined)[]) {
      const named = expect.objectContaining({ code: 'invalid_argument', field: 'fn' }) as Error;
      await expect(handle.read(fn)).rejects.toThrow(named);
      await expect(handle.update(fn)).rejects.toThrow(named);
      if (handle.erase !== undefined) await expect(handle.erase(fn)).rejects.toThrow(named);
    }
    const task = () => Promise.resolve();
    const any = handle.exclusively.bind(handle) as (...args: unknown[]) => Promise<void>;
    for (const [args, field] of [
      [[], 'name'],
      [[3, task], 'name'],
      [['n'], 'task'],
      [['n', {}], 'task'],
    ] as const)
      await expect(any(...args)).rejects.toThrow(
        expect.objectContaining({ code: 'invalid_argument', field }) as Error,
      );
    await any('n', task); // nobody holds the name
  },
);

it('a vault names the wrong argument of an export, an import and a check', async () => {
  const { handle } = await vault();
  const call = handle as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  for (const [name, args, field] of [
    ['exportTo', [undefined, 'seven-warm-lanterns-drift-north'], 'file'],
    ['exportTo', ['relative.age', 'seven-warm-lanterns-drift-north'], 'file'],
    ['exportTo', [new URL('file:///tmp/x.age'), 'seven-warm-lanterns-drift-north'], 'file'],
    ['exportTo', [], 'passphrase'],
    ['exportTo', ['/tmp/x.age'], 'passphrase'],
    ['exportTo', ['/tmp/x.age', Buffer.from('seven-warm-lanterns')], 'passphrase'],
    ['importFrom', [], 'file'],
    ['importFrom', ['/tmp/x.age', 7], 'passphrase'],
    ['verify', ['fast'], 'progress'],
  ] as const)
    await expect(call[name]?.(...args), `${name} ${field}`).rejects.toThrow(
      expect.objectContaining({ code: 'invalid_argument', field }) as Error,
    );
});

it('app data that is set in a cache without a handle counts as a change', () => {
  const cache = new SerializableTokenCache();
  setAppData(cache, 'x', { theme: 'dark' });
  expect(cache.hasStateChanged).toBe(true);
  expect(cache.serialize()).toContain('dark');
});

it.each(['renderer', 'worker'])(
  'a vault is not opened in a %s of Electron, and says where it is',
  async (type) => {
    const electron = process as { type?: string };
    electron.type = type;
    try {
      await expect(openVault({ file: '/tmp/a.vault', keychain: memoryKeychain() })).rejects.toThrow(
        /main process of Electron, not in a window\. Nothing was opened/,
      );
    } finally {
      delete electron.type;
    }
  },
);

describe('an option or argument with a wrong value is named', () => {
  const store = memoryStore();
  const key = { id: 'a', key: new Uint8Array(32).map((_, index) => index) };
  const caches = (given: object) => partitionedCaches({ store, sealingKeys: [key], ...given } as never);
  const partitionOf = (given: object) => caches({}).partition('id', given);
  const wrong: readonly [string, () => unknown][] = [
    ...['0', 'soon', -1, NaN, null].map((timeout): [string, () => unknown] => [
      'timeout',
      () => caches({ timeout }),
    ]),
    ['openCaches', () => caches({ openCaches: 1.5 })],
    ['store', () => caches({ store: null })],
    ['store', () => caches({ store: {} })],
    ['importFrom', () => caches({ importFrom: {} })],
    ['sealWith', () => caches({ sealWith: 'b' })],
    ['sealWith', () => caches({ sealingKeys: 'plain-text', sealWith: 'a' })],
    ...[
      undefined,
      'secret',
      {},
      [],
      [null],
      ['a'],
      [{}],
      [{ id: '', key: key.key }],
      [{ id: 'a', key: 'text' }],
      [{ id: 'a', key: new Uint8Array(32) }],
      [key, key],
    ].map((sealingKeys): [string, () => unknown] => ['sealingKeys', () => caches({ sealingKeys })]),
    ...[null, 0, 'long', {}, { sliding: null }, { refreshTokens: 'x' }].map(
      (ttl): [string, () => unknown] => ['ttl', () => caches({ ttl })],
    ),
    ...[null, 3, {}, { home_account_id: '' }, { ownId: 7 }].map((user): [string, () => unknown] => [
      'user',
      () => partitionOf({ user }),
    ]),
    ...['tomorrow', NaN, new Date(NaN)].map((expires): [string, () => unknown] => [
      'expires',
      () => partitionOf({ expires }),
    ]),
    ['file', () => keyFile('relative')],
    ['items', () => keyFile('/tmp/key', { items: 'relative' })],
    ['name', () => environmentKey('', { items: '/tmp/keys' })],
    ['passphrase', () => passphrase(null as never, { items: '/tmp/keys' })],
    ['work', () => passphrase('text', { items: '/tmp/keys', work: 9 })],
    ['keychains', () => firstOf([], { remember: '/tmp/remember' })],
    ['remember', () => firstOf([memoryKeychain()], { remember: 'relative' })],
  ];
  it.each(wrong.map(([field, call]) => [field, String(call), call] as const))(
    '%s: %s',
    (field, _text, call) => {
      expect(call).toThrow(expect.objectContaining({ code: 'invalid_argument', field }) as Error);
    },
  );
});
