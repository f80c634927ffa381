import { describe, expect, test } from 'vitest';
import { changeHistory, historyOf, storedHistories } from '../../src-main/accounts/account-history.ts';
import { type AccountId, cachedAccounts } from '../../src-main/accounts/cached-accounts.ts';
import { appData, setAppData } from '../../src-main/cache/token-cache.ts';
import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import { type Io, nodeIo } from '../../src-main/vault/disk/file.ts';
import { withDifference } from '../../src-main/vault/held.ts';
import { errno } from './disk.ts';
import { Scene } from './fakes.ts';
import { homeOf, signIn } from './people.ts';

describe('the difference between two values, applied to a third', () => {
  test.each([
    ['nothing changed here', { a: 1 }, { b: 1 }, { b: 1 }, { a: 1 }],
    ['nothing changed there', { a: 1 }, { a: 1 }, { a: 2 }, { a: 2 }],
    ['members', { a: 1, b: 9 }, { a: 1, b: 2 }, { a: 3, b: 2 }, { a: 3, b: 9 }],
    ['members of members', { a: { x: 1, y: 5 } }, { a: { x: 1 } }, { a: { x: 2 } }, { a: { x: 2, y: 5 } }],
    ['the same member: this one', { a: 9 }, { a: 1 }, { a: 2 }, { a: 2 }],
    ['a member added on each side', { b: 1 }, {}, { a: 1 }, { b: 1, a: 1 }],
    ['a member removed here', { a: 1, b: 9 }, { a: 1, b: 2 }, { b: 2 }, { b: 9 }],
    ['a member removed there', { b: 2 }, { a: 1, b: 2 }, { a: 5, b: 2 }, { b: 2 }],
    ['items', ['a', 'x'], ['a', 'b'], ['b', 'c'], ['x', 'c']],
    ['the same item added on each side', ['a', 'x'], ['a'], ['a', 'x'], ['a', 'x']],
    ['lists that are new on both sides', [{ n: 1 }], undefined, [{ n: 2 }], [{ n: 1 }, { n: 2 }]],
    ['a list that was removed there', undefined, ['a'], ['a', 'b'], ['b']],
    ['an object that was lost', undefined, { a: 1, b: 2 }, { a: 1, b: 3 }, { a: 1, b: 3 }],
    ['kinds that differ: this one', ['a'], { a: 1 }, { a: 2 }, { a: 2 }],
  ])('%s', (_what, current, before, after, expected) => {
    expect(withDifference(current, before, after)).toEqual(expected);
  });
});

/** The stored histories, also of accounts that are gone. */
const historiesIn = (cache: TokenCache): unknown => Object.fromEntries(storedHistories(cache));

describe('changes held in memory while another program writes', () => {
  const idOf = (cache: TokenCache, user: string): AccountId => {
    const account = [...cachedAccounts(cache).byId.values()].find(
      (one) => one.home_account_id === homeOf(user),
    );
    if (account === undefined) throw new Error(`${user} is not there`);
    return account.id;
  };
  const historyIn = (vault: Vault, user: string) =>
    vault.read((cache) => historyOf(cache, idOf(cache, user)));

  /** Two programs on a real disk, one of which can't write while `full` is set. */
  async function two() {
    const scene = new Scene();
    const disk = { full: false };
    const io: Io = {
      ...nodeIo,
      open: (file, flags, mode) =>
        disk.full && flags !== 'r' ? Promise.reject(errno('ENOSPC')) : nodeIo.open(file, flags, mode),
    };
    const theirs = await scene.open({}, { io: nodeIo });
    await theirs.update((cache) => ['ada', 'ben', 'cas'].forEach((user) => signIn(cache, user)));
    const mine = await scene.open({ unprotected: 'memory' }, { io });
    await mine.read(() => undefined);
    return { scene, disk, mine, theirs };
  }
  const refusal = { reason: 'revoked', at: 1, code: 'invalid_grant' } as const;

  test('the histories of accounts are merged: each account has what either program noted', async () => {
    const { scene, disk, mine, theirs } = await two();
    await theirs.update((cache) => {
      changeHistory(cache, idOf(cache, 'ada'), { sharedGrants: ['one'] });
    });
    await mine.read(() => undefined);
    disk.full = true;
    await mine.update((cache) => {
      changeHistory(cache, idOf(cache, 'ada'), { refusal, sharedGrants: ['one', 'mine'] });
      changeHistory(cache, idOf(cache, 'cas'), { refusal });
    });
    expect(mine.status).toMatchObject({ held: 'memory' });
    await theirs.update((cache) => {
      changeHistory(cache, idOf(cache, 'ada'), {
        shared: true,
        source: '/a',
        sharedGrants: ['one', 'theirs'],
      });
      changeHistory(cache, idOf(cache, 'ben'), { shared: true, source: '/b' });
    });
    disk.full = false;
    expect(await mine.retry()).toMatchObject({ state: 'ready', held: 'disk', unsaved: 0 });
    for (const vault of [mine, theirs, await scene.open({}, { io: nodeIo })]) {
      expect(await historyIn(vault, 'ada')).toMatchObject({
        refusal,
        shared: true,
        source: '/a',
        sharedGrants: ['one', 'theirs', 'mine'],
      });
      expect(await historyIn(vault, 'ben')).toMatchObject({ shared: true, source: '/b', refusal: null });
      expect(await historyIn(vault, 'cas')).toMatchObject({ refusal, shared: false });
    }
  });

  test('a history that was new here does not outlive the account that the other program signed out', async () => {
    const { scene, disk, mine, theirs } = await two();
    disk.full = true;
    await mine.update((cache) => {
      changeHistory(cache, idOf(cache, 'ada'), { refusal });
      changeHistory(cache, idOf(cache, 'ben'), { refusal });
    });
    await theirs.signOut(homeOf('ada'));
    const ben = await theirs.read((cache) => idOf(cache, 'ben'));
    disk.full = false;
    expect(await mine.retry()).toMatchObject({ state: 'ready', held: 'disk', unsaved: 0 });
    for (const vault of [mine, theirs, await scene.open({}, { io: nodeIo })])
      expect(await vault.read(historiesIn)).toEqual({ [ben]: { refusal } });
  });

  test('what the other program removed stays removed, also the history of an account that it signed out', async () => {
    const { disk, mine, theirs } = await two();
    await theirs.update((cache) => {
      changeHistory(cache, idOf(cache, 'ada'), { shared: true });
      changeHistory(cache, idOf(cache, 'ben'), { shared: true });
      setAppData(cache, 'list', ['first']);
    });
    await mine.read(() => undefined);
    disk.full = true;
    await mine.update((cache) => {
      changeHistory(cache, idOf(cache, 'ada'), { refusal });
      setAppData(cache, 'list', ['first', 'mine']);
      setAppData(cache, 'own', { added: true });
    });
    await theirs.signOut(homeOf('ada'));
    await theirs.update((cache) => setAppData(cache, 'list', undefined));
    disk.full = false;
    await mine.retry();
    expect(await theirs.read((cache) => Object.keys(historiesIn(cache) as object))).toEqual([
      await theirs.read((cache) => idOf(cache, 'ben')),
    ]);
    expect(await theirs.read((cache) => [appData(cache, 'list'), appData(cache, 'own')])).toEqual([
      ['mine'],
      { added: true },
    ]);
  });
});

describe('the history of an account that is gone', () => {
  const refusal = { reason: 'revoked', at: 1, code: 'invalid_grant' } as const;
  const only = (cache: TokenCache): AccountId => {
    const [id, ...others] = cachedAccounts(cache).byId.keys();
    if (id === undefined || others.length > 0) throw new Error('There must be one account.');
    return id;
  };

  test('a refresh that ends after the sign-out brings back neither', async () => {
    const scene = new Scene();
    const vault = await scene.open();
    await vault.update((cache) => signIn(cache, 'ada'));
    const id = await vault.read(only);
    const since = vault.epoch;
    await vault.signOut(homeOf('ada'));
    await vault.update(
      (cache) => {
        signIn(cache, 'ada', 'late');
        changeHistory(cache, id, { refusal });
      },
      { since },
    );
    expect(await vault.read((cache) => [cache.accounts(), historiesIn(cache)])).toEqual([[], {}]);
  });

  test('an update that removes the account removes it too, also where another issuer has a user of the same ID', async () => {
    const scene = new Scene();
    const vault = await scene.open();
    const [alpha, beta] = ['https://id.example/alpha', 'https://id.example/beta'];
    await vault.update((cache) => {
      for (const issuer of [alpha, beta]) cache.add(tokenResponse({ issuer }));
      for (const id of cachedAccounts(cache).byId.keys()) changeHistory(cache, id, { refusal });
    });
    expect(await vault.read((cache) => Object.keys(Object(historiesIn(cache))))).toHaveLength(2);
    await vault.update((cache) => {
      for (const account of cache.accounts({ issuer: alpha })) cache.signOut(account);
    });
    expect(await vault.read((cache) => cache.accounts().map(({ issuer }) => issuer))).toEqual([beta]);
    expect(await vault.read((cache) => Object.keys(Object(historiesIn(cache))))).toHaveLength(1);
  });

  test('an update that removes the account removes it too; one that removes a token does not', async () => {
    const scene = new Scene();
    const vault = await scene.open();
    await vault.update((cache) => signIn(cache, 'ada'));
    const id = await vault.read(only);
    await vault.update((cache) => changeHistory(cache, id, { refusal }));
    await vault.update((cache) => {
      for (const token of cache.find('AccessToken')) cache.modify('AccessToken', token, null);
    });
    expect(await vault.read(historiesIn)).toEqual({ [id]: { refusal } });
    await vault.update((cache) => cache.signOut(homeOf('ada')));
    expect(await vault.read(historiesIn)).toEqual({});
  });

  test('an older file from before the sign-out brings back neither', async () => {
    const scene = new Scene();
    const vault = await scene.open();
    await vault.update((cache) => signIn(cache, 'ada'));
    const id = await vault.read(only);
    await vault.update((cache) => changeHistory(cache, id, { refusal }));
    const older = Buffer.from(scene.bytes);
    scene.keychain.mood = 'locked'; // The older file can still be opened.
    expect(await vault.signOut(homeOf('ada'))).toMatchObject({ oldKey: 'pending' });
    scene.keychain.mood = 'open';
    scene.disk.put(scene.file, older);
    await vault.read(() => undefined);
    expect(vault.status.state).toBe('older');
    await vault.takeFile();
    expect(await vault.read((cache) => [cache.accounts(), historiesIn(cache)])).toEqual([[], {}]);
  });
});
