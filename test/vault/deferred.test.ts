// Accounts are listed from the index, and their frames are read when one of their entries is asked for.

import { crc32 } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { historyOf, markAllAsShared } from '../../src-main/accounts/account-history.ts';
import { cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { outlineForIndex, usersOf } from '../../src-main/cache/accounts.ts';
import { documentText } from '../../src-main/cache/document/document.ts';
import { Entry } from '../../src-main/cache/entry.ts';
import type { AccountSummary } from '../../src-main/cache/schema/entities.ts';
import { GRANT } from '../../src-main/cache/schema/grants.ts';
import { isDeferrable } from '../../src-main/cache/store.ts';
import { storeOf, TokenCache } from '../../src-main/cache/token-cache.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import { look } from '../../src-main/vault/open.ts';
import { settingsFrom } from '../../src-main/vault/settings.ts';
import fc from '../support/fast-check.ts';
import { Scene } from './fakes.ts';
import { homeOf, signIn, usersIn } from './people.ts';
import { forgedAt, startsOf } from './vectors.ts';

const USERS = ['ada', 'ben', 'cas'];

async function written(): Promise<Scene> {
  const scene = new Scene();
  const vault = await scene.open();
  await vault.update((cache) => USERS.forEach((user) => signIn(cache, user)));
  await vault.close();
  return scene;
}

/** Changes a file as someone without the key can, with correct checksums. */
function forge(scene: Scene, ...users: string[]): void {
  for (const user of users) {
    const at = startsOf(scene.bytes)[1 + USERS.indexOf(user)] ?? 0;
    forgedAt(Buffer.from(scene.bytes), at).copy(scene.bytes);
  }
}

const deferredIn = (vault: Vault): Promise<string[]> =>
  vault.read((cache) => [...storeOf(cache).deferred.keys()]);

const secretOf = (vault: Vault, user: string): Promise<string[]> =>
  vault.read((cache) =>
    cache.find('AccessToken', { query: { home_account_id: homeOf(user) } }).map(({ secret }) => secret),
  );

describe('without opening a frame', () => {
  test('accounts are listed as their entries say', async () => {
    const scene = await written();
    const vault = await scene.open();
    const listed = await vault.read((cache) => cache.accounts());
    expect(await deferredIn(vault)).toEqual(USERS.map(homeOf));
    await vault.read((cache) => cache.find('AccessToken'));
    expect(await deferredIn(vault)).toEqual([]);
    expect(await vault.read((cache) => cache.accounts())).toEqual(listed);
    expect(listed.map(({ username }) => username)).toEqual(USERS.map((user) => `${user}@contoso.example`));
  });

  test('a caller who changes what it was given changes nothing else', async () => {
    const vault = await (await written()).open();
    const before = await vault.read((cache) => cache.accounts());
    const given = await vault.read((cache) => cache.accounts());
    for (const summary of given) {
      summary.username = 'changed';
      for (const tenant of summary.tenants) tenant.realm = 'changed';
    }
    expect(await vault.read((cache) => cache.accounts())).toEqual(before);
  });

  test.each([
    [{ username: 'BEN@contoso.example' }, ['ben']],
    [{ home_account_id: homeOf('cas') }, ['cas']],
    [{ environment: 'login.windows.net' }, USERS],
    [{ environment: 'elsewhere.example' }, []],
    [{ issuer: 'https://elsewhere.example' }, []],
  ])('accounts are filtered: %o', async (filter, users) => {
    const vault = await (await written()).open();
    const found = await vault.read((cache) => cache.accounts(filter));
    expect(found.map(({ home_account_id }) => home_account_id)).toEqual(users.map(homeOf));
    expect(await deferredIn(vault)).toHaveLength(USERS.length);
  });
});

describe('one account', () => {
  test('is read when its tokens are asked for, and no other', async () => {
    const scene = await written();
    forge(scene, 'ada', 'cas');
    const vault = await scene.open();
    expect(await secretOf(vault, 'ben')).toEqual(['access secret of ben']);
    await vault.update((cache) => signIn(cache, 'ben', 'newer'));
    expect(vault.status.state).toBe('ready');
    expect(await deferredIn(vault)).toEqual([homeOf('ada'), homeOf('cas')]);
    const again = await scene.open();
    expect(await secretOf(again, 'ben')).toEqual(['access newer']);
    expect(again.status.state).toBe('ready');
  });

  test('is looked up once for a key, however many hyphens the key has', async () => {
    const vault = await (await written()).open();
    const lookups = (key: string): Promise<number> =>
      vault.read((cache) => {
        const get = vi.spyOn(Map.prototype, 'get');
        storeOf(cache).entry('AccessToken', key);
        const { length } = get.mock.calls;
        get.mockRestore();
        return length;
      });
    const few = await lookups('nobody.tenant-part');
    expect(few).toBeGreaterThan(0);
    expect(await lookups(`nobody.tenant${'-part'.repeat(100)}`)).toBe(few);
  });

  test('is read when one of its keys is asked for', async () => {
    const scene = await written();
    const first = await scene.open();
    const keys = await first.read((cache) =>
      storeOf(cache)
        .ofAccount(homeOf('cas'))
        .map(({ key }) => key),
    );
    const vault = await scene.open();
    await vault.read((cache) => expect(storeOf(cache).entry('AccessToken', 'ben-x')).toBeUndefined());
    expect(await deferredIn(vault)).toHaveLength(3);
    await vault.read((cache) => {
      const found = keys.filter((key) =>
        (['Account', 'AccessToken', 'RefreshToken', 'IdToken'] as const).some(
          (type) => storeOf(cache).entry(type, key) !== undefined,
        ),
      );
      expect(found).toEqual(keys);
    });
    expect(await deferredIn(vault)).toEqual([homeOf('ada'), homeOf('ben')]);
  });

  test('under a key that does not begin with its id, it is read at once', async () => {
    const scene = new Scene();
    const vault = await scene.open();
    await vault.update((cache) => {
      USERS.forEach((user) => signIn(cache, user));
      const [token] = cache.find('RefreshToken', { query: { home_account_id: homeOf('ben') } });
      storeOf(cache).put(Entry.of('RefreshToken', 'odd', { ...token, client_id: 'another' }));
    });
    await vault.compact();
    const again = await scene.open();
    expect(await deferredIn(again)).toEqual([homeOf('ada'), homeOf('cas')]);
    await again.read((cache) => expect(storeOf(cache).entry('RefreshToken', 'odd')).toBeDefined());
    expect((await again.verify()).sound).toBe(true);
  });

  test('is signed out, and the others are sealed again without being read', async () => {
    const scene = await written();
    const vault = await scene.open();
    const receipt = await vault.signOut(homeOf('ben'));
    expect(receipt).toMatchObject({ remaining: 0, oldKey: 'destroyed' });
    expect(receipt.removed).toMatchObject({ AccessToken: 1, RefreshToken: 1, IdToken: 1, Account: 1 });
    expect(await deferredIn(vault)).toEqual([homeOf('ada'), homeOf('cas')]);
    await vault.compact();
    expect(await secretOf(vault, 'cas')).toEqual(['access secret of cas']);
    expect(await deferredIn(vault)).toEqual([homeOf('ada')]);
    await vault.compact();
    await vault.rotateKey();
    expect(Object.keys(await vault.read(usersIn))).toEqual([homeOf('ada'), homeOf('cas')]);
    expect(Object.keys(await (await scene.open()).read(usersIn))).toEqual([homeOf('ada'), homeOf('cas')]);
    expect((await vault.verify()).sound).toBe(true);
  });
});

describe('a frame that someone without the key changed', () => {
  test('is named when it is met, and the rest can be kept', async () => {
    const scene = await written();
    forge(scene, 'ada');
    const vault = await scene.open();
    const forged = Buffer.from(scene.bytes);
    const failure = expect.objectContaining({
      code: 'vault_damaged',
      message: expect.stringContaining('ada@contoso.example') as string,
    }) as Error;
    await expect(secretOf(vault, 'ada')).rejects.toEqual(failure);
    expect(vault.status).toMatchObject({
      state: 'damaged',
      recovered: { accounts: 2, of: 3, lost: ['ada@contoso.example'] },
    });
    expect(scene.bytes.equals(forged)).toBe(true);
    expect(Object.keys(await vault.read(usersIn))).toEqual([homeOf('ben'), homeOf('cas')]);
    await expect(vault.update((cache) => signIn(cache, 'dee'))).rejects.toMatchObject({
      code: 'vault_damaged',
    });
    expect((await vault.retry()).state).toBe('damaged');
    await vault.recover();
    expect(vault.status.state).toBe('ready');
    expect((await vault.verify()).sound).toBe(true);
    expect(Object.keys(await (await scene.open()).read(usersIn))).toEqual([homeOf('ben'), homeOf('cas')]);
  });

  test('leaves no history of the account behind, once the rest is kept', async () => {
    const scene = await written();
    const before = await scene.open();
    await before.update((cache) => markAllAsShared(cache, '/elsewhere'));
    await before.compact();
    await before.close();
    forge(scene, 'ada');
    const vault = await scene.open();
    await expect(secretOf(vault, 'ada')).rejects.toMatchObject({ code: 'vault_damaged' });
    await vault.recover();
    await vault.update((cache) => signIn(cache, 'ada'));
    const shared = await vault.read((cache) =>
      [...cachedAccounts(cache).byId].map(([id, account]) => [
        account.home_account_id,
        historyOf(cache, id).shared,
      ]),
    );
    expect(Object.fromEntries(shared)).toEqual({
      [homeOf('ada')]: false,
      [homeOf('ben')]: true,
      [homeOf('cas')]: true,
    });
  });

  test('is found by verify, by an export and by the whole cache', async () => {
    const scene = await written();
    forge(scene, 'cas');
    const vault = await scene.open();
    expect(await vault.verify()).toMatchObject({ sound: false, state: 'damaged', accounts: 2 });
    expect(vault.status.state).toBe('ready');
    await expect(vault.read(usersIn)).rejects.toMatchObject({ code: 'vault_damaged' });
    expect(vault.status.state).toBe('damaged');
  });

  test('does not stop a sign-out of another account, and is named when it is met afterwards', async () => {
    const scene = await written();
    forge(scene, 'ada');
    const vault = await scene.open();
    expect(await vault.signOut(homeOf('ben'))).toMatchObject({ remaining: 0, oldKey: 'destroyed' });
    expect(vault.status.state).toBe('ready');
    expect(await secretOf(vault, 'cas')).toEqual(['access secret of cas']);
    await expect(secretOf(vault, 'ada')).rejects.toMatchObject({ code: 'vault_damaged' });
    expect(Object.keys(await vault.read(usersIn))).toEqual([homeOf('cas')]);
    expect(vault.status).toMatchObject({ state: 'damaged', recovered: { lost: ['ada@contoso.example'] } });
  });

  test('does not keep an update of another account from being saved in the same batch', async () => {
    const scene = await written();
    forge(scene, 'ada');
    const vault = await scene.open();
    const [ada, dee] = await Promise.allSettled([
      vault.update((cache) => signIn(cache, 'ada', 'newer')),
      vault.update((cache) => signIn(cache, 'dee')),
    ]);
    expect(ada).toMatchObject({ status: 'rejected', reason: { code: 'vault_damaged' } });
    expect(dee.status).toBe('fulfilled');
    expect(await secretOf(vault, 'dee')).toEqual(['access secret of dee']);
  });

  test('in a file that is older than the mark: it opens, and says so', async () => {
    const scene = await written();
    const older = Buffer.from(scene.bytes);
    const vault = await scene.open();
    await vault.signOut(homeOf('ben'));
    await vault.close();
    const { text } = scene.keychain.item('b');
    scene.keychain.items.set(scene.keychain.item('b').account.replace(/b$/, 'a'), text);
    scene.disk.put(scene.file, older);
    forge(scene, 'ada', 'ben', 'cas');
    expect((await scene.open()).status.state).toBe('wrong-key');
  });
});

describe('what another program writes', () => {
  /** A vault with a damaged frame of ben, for whom another program stores a new token. */
  async function changedElsewhere(): Promise<{ scene: Scene; vault: Vault; change: () => Promise<void> }> {
    const scene = await written();
    const other = await scene.open();
    await secretOf(other, 'ben');
    forge(scene, 'ben');
    return {
      scene,
      vault: await scene.open(),
      change: () => other.update((cache) => signIn(cache, 'ben', 'newer')),
    };
  }

  test('is taken over without reading the account, until it is asked for', async () => {
    const { scene, vault, change } = await changedElsewhere();
    await change();
    expect(await secretOf(vault, 'ada')).toEqual(['access secret of ada']);
    const opened = await scene.open();
    expect(await secretOf(opened, 'ada')).toEqual(['access secret of ada']);
    for (const each of [vault, opened]) {
      expect(each.status.state).toBe('ready');
      await expect(secretOf(each, 'ben')).rejects.toMatchObject({ code: 'vault_damaged' });
      expect(each.status.state).toBe('damaged');
    }
  });

  test('is told to a listener with what was there before, so the account is read', async () => {
    const { vault, change } = await changedElsewhere();
    vault.on('change', () => undefined);
    await change();
    await vault.read(() => undefined).catch(() => undefined);
    expect(vault.status.state).toBe('damaged');
  });

  test('is in the list, in the tokens, and in the file that is written next', async () => {
    const scene = await written();
    const [vault, other] = [await scene.open(), await scene.open()];
    const names = (): Promise<string[]> =>
      vault.read((cache) => cache.accounts().map(({ name }) => name ?? ''));
    const rename = (name: string): Promise<void> =>
      other.update((cache) => {
        for (const account of cache.find('Account', { query: { home_account_id: homeOf('ben') } }))
          cache.modify('Account', account, { name });
      });
    await rename('Ben');
    expect(await names()).toEqual(['', 'Ben', '']);
    await rename('Benjamin');
    expect(await names()).toEqual(['', 'Benjamin', '']);
    const later = await scene.open();
    await other.update((cache) => signIn(cache, 'cas', 'newer'));
    await later.compact();
    expect(await later.read(documentText)).toBe(await (await scene.open()).read(documentText));
    expect(await secretOf(await scene.open(), 'cas')).toEqual(['access newer']);
  });

  test('does not keep a question about another account from being answered', async () => {
    const { vault, change } = await changedElsewhere();
    const listed = await vault.read((cache) => [...cachedAccounts(cache).byId.values()]);
    await change();
    const filter = { home_account_id: homeOf('ada') };
    const [ada] = await vault.read((cache) => cache.accounts(filter));
    expect(ada).toMatchObject(filter);
    const tokens = await vault.read(() => listed[0]?.accessTokens.map(({ secret }) => secret));
    expect(tokens).toEqual(['access secret of ada']);
    expect(vault.status.state).toBe('ready');
    await expect(vault.read((cache) => cache.accounts())).rejects.toMatchObject({ code: 'vault_damaged' });
  });

  test('and can’t be read here does not keep the file from being read again', async () => {
    const { scene, change } = await changedElsewhere();
    const vault = await scene.open();
    await change();
    await vault.read(() => undefined);
    vault.on('change', () => undefined);
    const healed = await scene.open();
    await expect(secretOf(healed, 'ben')).rejects.toMatchObject({ code: 'vault_damaged' });
    await healed.recover();
    // What this program has read of the other accounts may be more than was recovered, so it is asked.
    await expect(secretOf(vault, 'ben')).rejects.toMatchObject({ code: 'vault_damaged' });
    expect(vault.status.state).toBe('older');
    await vault.takeFile();
    expect(await secretOf(vault, 'ben')).toEqual(['access newer']);
    expect(vault.status.state).toBe('ready');
  });

  test('for an account whose frame has another’s entry too: a rewrite keeps that entry', async () => {
    const scene = await written();
    const other = await scene.open();
    await other.update((cache) => {
      const stray = Entry.of('AccessToken', 'ada.tenant-stray', { ...TOKEN, home_account_id: homeOf('ben') });
      // As a version would file it that tells accounts apart in another way.
      Object.defineProperty(stray, 'account', { value: homeOf('ada') });
      storeOf(cache).put(stray);
    });
    await other.compact();
    await other.close();
    const [vault, third] = [await scene.open(), await scene.open()];
    await third.update((cache) => signIn(cache, 'ada', 'newer'));
    await vault.compact();
    for (const each of [vault, await scene.open()]) {
      const keys = await each.read((cache) =>
        storeOf(cache)
          .ofAccount(homeOf('ben'))
          .map(({ key }) => key),
      );
      expect(keys).toContain('ada.tenant-stray');
      expect(keys).toHaveLength(5);
    }
  });

  test.each(['ada', 'cas'])('in the frame of %s does not come back with an older file', async (host) => {
    const scene = await written();
    const vault = await scene.open();
    await vault.update((cache) => {
      const ofBen = { ...TOKEN, home_account_id: homeOf('ben') };
      const stray = Entry.of('AccessToken', `${host}.tenant-stray`, ofBen);
      Object.defineProperty(stray, 'account', { value: homeOf(host) });
      storeOf(cache).put(stray);
    });
    await vault.compact();
    const older = Buffer.from(scene.bytes);
    scene.keychain.mood = 'locked';
    await vault.signOut(homeOf('ben'));
    await vault.close();
    scene.disk.put(scene.file, older);
    scene.keychain.mood = 'open';
    const { disk: io, file, keychain, timers } = scene;
    const { contents } = await look(await settingsFrom({ file, keychain }, { io, timers }));
    const copied = [...(contents?.groups.keys() ?? [])].filter((account) => account !== null);
    expect(copied).toEqual(['ada', 'cas'].filter((user) => user !== host).map(homeOf));
    const again = await scene.open();
    expect(again.status.state).toBe('older');
    await again.takeFile();
    for (const each of [again, await scene.open()]) {
      expect(Object.keys(await each.read(usersIn))).toEqual([homeOf('ada'), homeOf('cas')]);
      const secrets = await each.read((cache) => cache.find('AccessToken').map(({ secret }) => secret));
      expect(secrets).toEqual(['access secret of ada', 'access secret of cas']);
    }
  });

  test('is counted in the share of live entries, once the account has been read', async () => {
    const scene = await written();
    const [vault, heard, other] = [await scene.open(), await scene.open(), await scene.open()];
    heard.on('change', () => undefined);
    const tokens = [1, 2, 3, 4, 5, 6].map((n) =>
      Entry.of('AccessToken', `ada.tenant-${n}`, { ...TOKEN, home_account_id: homeOf('ada'), realm: `${n}` }),
    );
    const shareIn = async (each: Vault): Promise<number> => {
      await secretOf(each, 'ada');
      return each.status.live ?? NaN;
    };
    const agree = async (share: number): Promise<void> => {
      const opened = await scene.open();
      for (const each of [vault, heard, other, opened]) expect(await shareIn(each)).toBe(share);
      expect(await other.verify()).toMatchObject({ live: share });
    };
    const size = await heard.read((cache) => storeOf(cache).size);
    await other.update((cache) => {
      tokens.forEach((token) => storeOf(cache).put(token));
      signIn(cache, 'ada', 'newer');
    });
    const unread = await scene.open();
    expect(unread.status.live).toBeLessThan(1);
    const rows = size + tokens.length + 3; // The sign-in replaces three tokens.
    await agree((size + tokens.length) / rows);
    await other.update((cache) => tokens.forEach((token) => storeOf(cache).drop(token)));
    await agree(size / (rows + tokens.length));
    await unread.compact();
    expect(unread.status.live).toBe(1);
    await agree(1);
  });

  test('and can’t be read here is named by its id where an older file was put back', async () => {
    const scene = new Scene();
    const other = await scene.open();
    await other.update((cache) => signIn(cache, 'ada'));
    const older = Buffer.from(scene.bytes);
    await other.update((cache) => signIn(cache, 'ben'));
    await other.compact();
    forge(scene, 'ben');
    const vault = await scene.open();
    await other.update((cache) => signIn(cache, 'ben', 'newer'));
    await vault.read(() => undefined);
    vault.on('status', () => undefined);
    scene.disk.put(scene.file, older);
    expect((await vault.retry()).older).toMatchObject({
      mine: 2,
      onlyMine: { accounts: 1, names: [homeOf('ben')] },
    });
    await expect(vault.keepMine()).rejects.toThrow('does not have all of the newer version');
    await vault.takeFile();
    expect(Object.keys(await vault.read(usersIn))).toEqual([homeOf('ada')]);
  });

  test('in the place of another account’s entry, it replaces that entry', () => {
    const place = ['AccessToken', 'ada.tenant-x.tenant-token'] as const;
    const entryOf = (home_account_id: string): Entry<'AccessToken'> =>
      Entry.of(...place, { ...TOKEN, home_account_id });
    const given = entryOf('ada.tenant');
    const others = [entryOf('ada.tenant-x.tenant'), entryOf('ben.tenant')];
    for (const isDeferred of [true, false])
      for (const other of others) {
        const store = storeOf(new TokenCache());
        const base = { notUnderstood: 0, grants: [], users: [], outline: null };
        if (isDeferred && isDeferrable(other.account, [other]))
          store.defer({ ...base, account: other.account, size: 1, read: () => [other] });
        else store.put(other);
        store.defer({ ...base, account: 'ada.tenant', size: 0, read: () => [] });
        expect(store.putLater(given)).toBe(false);
        store.put(given);
        expect(store.ofAccount(other.account)).toEqual([]);
        expect(store.all()).toEqual([given]);
      }
  });
});

const TOKEN = {
  credential_type: 'AccessToken',
  environment: 'login.windows.net',
  client_id: 'app',
  realm: 'tenant',
  target: 'read',
  secret: 'made-up',
};

describe('an authentic frame at another position', () => {
  /** Puts a frame in the place of another one, with the checksums and the link that it has to have there. */
  function planted(file: Buffer, place: number, frame: Buffer): Buffer {
    const starts = startsOf(file);
    const [at = 0, end = file.length] = [starts[place], starts[place + 1]];
    const copy = Buffer.from(frame);
    copy.writeUInt32LE(place, 8);
    file.copy(copy, 12, at - 20, at - 4);
    copy.writeUInt32LE(crc32(copy.subarray(0, 60)), 60);
    const after = Buffer.from(file.subarray(end));
    if (after.length > 0) {
      copy.copy(after, 12, copy.length - 20, copy.length - 4);
      after.writeUInt32LE(crc32(after.subarray(0, 60)), 60);
    }
    return Buffer.concat([file.subarray(0, at), copy, after]);
  }

  const frameOf = (file: Buffer, place: number): Buffer => {
    const starts = startsOf(file);
    return Buffer.from(file.subarray(starts[place], starts[place + 1]));
  };

  test.each([
    ['another account of the same file', (now: Buffer) => frameOf(now, 2)],
    ['the same account before a rewrite', (_now: Buffer, before: Buffer) => frameOf(before, 1)],
    ['an account that was signed out', (_now: Buffer, before: Buffer) => frameOf(before, 3)],
  ])('is not opened: %s', async (_what, pick) => {
    const scene = await written();
    const before = Buffer.from(scene.bytes);
    const vault = await scene.open();
    await vault.signOut(homeOf('cas'));
    await vault.close();
    scene.disk.put(scene.file, planted(scene.bytes, 1, pick(scene.bytes, before)));
    const again = await scene.open();
    expect(again.status.state).toBe('ready');
    await expect(secretOf(again, 'ada')).rejects.toMatchObject({ code: 'vault_damaged' });
    expect(again.status).toMatchObject({ state: 'damaged', recovered: { lost: ['ada@contoso.example'] } });
    expect(Object.keys(await again.read(usersIn))).toEqual([homeOf('ben')]);
  });
});

test('a document does not depend on which accounts were asked for first', async () => {
  const scene = await written();
  const [first, second] = [await scene.open(), await scene.open()];
  const text = await first.read(documentText);
  for (const user of ['cas', 'ada']) await secretOf(second, user);
  expect(await second.read(documentText)).toBe(text);
});

const KINDS = ['add', 'out', 'read', 'look', 'fail', 'later'] as const;
type Step = readonly [kind: (typeof KINDS)[number], user: number];

test('a cache with deferred accounts does what any other does', () => {
  const step: fc.Arbitrary<Step> = fc.tuple(fc.constantFrom(...KINDS), fc.nat(5));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const plain = new TokenCache({ now: () => 1_780_000_000 });
      for (const user of ['u0', 'u1', 'u2', 'u3']) signIn(plain, user);
      const lazy = deferred(plain);
      for (const [kind, n] of steps) {
        const [a, b] = [plain, lazy].map((cache) => done(cache, kind, `u${n}`));
        expect(b).toEqual(a);
        if (kind === 'later') continue; // What follows would read the account.
        expect(storeOf(lazy).size).toBe(storeOf(plain).size);
        expect(sorted(lazy.accounts())).toEqual(sorted(plain.accounts()));
      }
      expect(JSON.parse(documentText(lazy))).toEqual(JSON.parse(documentText(plain)));
    }),
  );
});

function done(cache: TokenCache, kind: Step[0], user: string): unknown {
  const query = { home_account_id: homeOf(user) };
  if (kind === 'add') {
    signIn(cache, user, 'again');
    return undefined;
  }
  if (kind === 'later') {
    const other = new TokenCache({ now: () => 1_780_000_000 });
    signIn(other, user, 'elsewhere');
    const store = storeOf(cache);
    for (const entry of storeOf(other).ofAccount(homeOf(user))) if (!store.putLater(entry)) store.put(entry);
    return undefined;
  }
  if (kind === 'out') return cache.signOut(homeOf(user));
  if (kind === 'read') return cache.find('RefreshToken', { query });
  if (kind === 'look') return cache.accounts(query);
  const failing = (): void => {
    cache.signOut(homeOf(user));
    throw new Error('taken back');
  };
  expect(() => storeOf(cache).run(failing)).toThrow('taken back');
  return undefined;
}

function sorted(accounts: AccountSummary[]): AccountSummary[] {
  return accounts.toSorted((a, b) => (a.home_account_id < b.home_account_id ? -1 : 1));
}

function deferred(cache: TokenCache): TokenCache {
  const lazy = new TokenCache({ now: () => 1_780_000_000 });
  const store = storeOf(cache);
  for (const account of store.accounts) {
    const entries = store.ofAccount(account);
    expect(isDeferrable(account, entries)).toBe(true);
    const users = usersOf(store, account);
    storeOf(lazy).defer({
      account,
      size: entries.length,
      notUnderstood: 0,
      grants: entries.flatMap(({ section, key }) => (section === GRANT ? [key] : [])),
      users,
      outline: outlineForIndex(store, account, users),
      read: () => entries,
    });
  }
  for (const entry of store.ofAccount('')) storeOf(lazy).put(entry);
  return lazy;
}
