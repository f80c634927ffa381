import { describe, expect, test, vi } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { placeOf } from '../../src-main/cache/entry.ts';
import { inMemory } from '../../src-main/cache/handle.ts';
import { dialectOf } from '../../src-main/cache/store.ts';
import type { CacheChange } from '../../src-main/cache/schema/entities.ts';
import { apply, storeOf, TokenCache, transact } from '../../src-main/cache/token-cache.ts';
import { InvalidArgumentError } from '../../src-main/errors.ts';
import { itemsIn, signIn } from './events.ts';

function cacheWith(...events: Parameters<typeof signIn>[]): TokenCache {
  const cache = new TokenCache({ now: () => 1000 });
  for (const event of events) cache.add(signIn(...event));
  return cache;
}

const content = (cache: TokenCache): unknown[] => itemsIn(cache);

describe('a transaction', () => {
  test('gives the value and one change for each place', () => {
    const cache = cacheWith([]);
    const before = cache.find('RefreshToken')[0];
    const { value, changes } = transact(cache, () => {
      cache.add(signIn({ refresh_token: 'second' }));
      cache.add(signIn({ refresh_token: 'third' }));
      return 'done';
    });
    expect(value).toBe('done');
    const own = changes.filter((change) => placeOf(change).section === 'RefreshToken');
    expect(own).toHaveLength(1);
    expect(own[0]?.after?.key).toBe('uid.utid-login.example.com-refreshtoken-my_client_id--s1 s2 s3');
    expect(own[0]?.before?.value).toEqual({ ...before, secret: before?.secret });
    expect(own[0]?.after?.value).toEqual({ ...before, secret: 'third' });
  });

  test('an entry that was set and removed again is no change', () => {
    const cache = cacheWith();
    const { changes } = transact(cache, () => {
      cache.add(signIn({}, { client_id: 'x' }));
      cache.signOut('uid.utid');
      for (const app of cache.find('AppMetadata')) cache.modify('AppMetadata', app, null);
    });
    expect(changes).toEqual([]);
  });

  test('that throws changes nothing and emits no event', () => {
    const cache = cacheWith([]);
    const before = content(cache);
    const listener = vi.fn();
    cache.on('change', listener);
    const fail = (): never => {
      cache.add(signIn({}, { client_id: 'x' }));
      cache.signOut('uid.utid');
      throw new RangeError('on purpose');
    };
    expect(() => transact(cache, fail)).toThrow(RangeError);
    expect(content(cache)).toEqual(before);
    expect(cache.find('RefreshToken', { query: { home_account_id: 'uid.utid' } })).toHaveLength(1);
    expect(listener).not.toHaveBeenCalled();
  });

  test('must not be async', async () => {
    const cache = cacheWith([]);
    const before = content(cache);
    const late = async (): Promise<void> => {
      cache.signOut('uid.utid');
      await Promise.reject(new Error('heard by nobody'));
    };
    expect(() => transact(cache, late)).toThrow(InvalidArgumentError);
    expect(content(cache)).toEqual(before);
    // @ts-expect-error -- it does not compile either
    await expect(inMemory(cache).update(late)).rejects.toThrow(InvalidArgumentError);
  });

  test('can be undone, with an event', () => {
    const cache = cacheWith([]);
    const before = new Set(content(cache).map((record) => JSON.stringify(record)));
    const transaction = transact(cache, () => {
      cache.signOut('uid.utid');
      cache.add(signIn({}, { client_id: 'x' }, { uid: 'other' }));
    });
    const listener = vi.fn<(change: CacheChange) => void>();
    cache.on('change', listener);
    transaction.undo();
    expect(new Set(content(cache).map((record) => JSON.stringify(record)))).toEqual(before);
    expect(listener).toHaveBeenCalledTimes(1);
  });

  test('inside another transaction is part of it', () => {
    const cache = cacheWith();
    const fail = (): never => {
      transact(cache, () => cache.add(signIn()));
      throw new Error('on purpose');
    };
    expect(() => transact(cache, fail)).toThrow('on purpose');
    expect(content(cache)).toEqual([]);
  });

  test('undoes the reading of a document, with its dialect', () => {
    const cache = new SerializableTokenCache();
    cache.deserialize(
      '{"Account":{},"IdToken":{},"AccessToken":{},"RefreshToken":{},"AppMetadata":{},"x":1}',
    );
    const before = cache.serialize();
    const fail = (): never => {
      cache.deserialize('{\n    "AccessToken": {}\n}');
      throw new Error('on purpose');
    };
    expect(() => transact(cache, fail)).toThrow('on purpose');
    expect(dialectOf(storeOf(cache))).toBe('msal-node');
    expect(JSON.parse(cache.serialize())).toMatchObject({ x: 1 });
    expect(cache.serialize()).not.toContain('\n');
    expect(before).toContain('"x":1');
  });
});

test('changes can be replayed on another cache', () => {
  const one = cacheWith([]);
  const other = cacheWith([]);
  const { changes } = transact(one, () => {
    one.add(signIn({}, { client_id: 'x' }, { uid: 'other' }));
    one.signOut('uid.utid');
  });
  apply(other, changes);
  expect(new Set(content(other))).toEqual(new Set(content(one)));
  expect(Object.isFrozen(other.find('RefreshToken')[0])).toBe(true);
});

describe('the change event', () => {
  test('is emitted once per call, with all changes of the call', () => {
    const cache = cacheWith();
    const changes: CacheChange[] = [];
    const stop = cache.on('change', (change) => changes.push(change));
    cache.add(signIn());
    expect(changes).toHaveLength(1);
    expect(changes[0]?.entities.map(({ type }) => type).sort()).toEqual([
      'AccessToken',
      'Account',
      'AppMetadata',
      'IdToken',
      'RefreshToken',
    ]);
    expect(
      changes[0]?.entities.every(({ before, after }) => before === undefined && after !== undefined),
    ).toBe(true);
    cache.signOut('uid.utid');
    expect(changes[1]?.entities.map(({ after }) => after)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    cache.signOut('uid.utid');
    expect(changes).toHaveLength(2);
    stop();
    cache.add(signIn());
    expect(changes).toHaveLength(2);
  });

  test('reports unrecognized entries separately', () => {
    const cache = new SerializableTokenCache();
    const changes: CacheChange[] = [];
    cache.on('change', (change) => changes.push(change));
    cache.deserialize('{"AccessToken":{"k":{"foo":1}},"other":2}');
    expect(changes).toEqual([
      {
        entities: [],
        kept: [
          { section: 'AccessToken', key: 'k', after: { foo: 1 } },
          { section: 'other', key: null, after: 2 },
        ],
      },
    ]);
    cache.deserialize('');
    expect(changes[1]?.kept).toMatchObject([{ before: { foo: 1 } }, { before: 2 }]);
  });

  test('a listener that throws stops neither the cache nor the others, and is reported', async () => {
    const cache = cacheWith();
    const mistake = new Error('a listener threw');
    const heard = vi.fn();
    cache.on('change', () => {
      throw mistake;
    });
    cache.on('change', heard);
    const reported = new Promise((resolve) => {
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        for (const listener of others) process.on('uncaughtException', listener);
        resolve(error);
      });
    });
    cache.add(signIn());
    expect(cache.find('AccessToken')).toHaveLength(1);
    expect(heard).toHaveBeenCalledTimes(1);
    expect(await reported).toBe(mistake);
  });

  test('a listener may change the cache', () => {
    const cache = cacheWith();
    cache.on('change', () => {
      if (cache.find('RefreshToken').length > 0) cache.signOut('uid.utid');
    });
    cache.add(signIn());
    expect(cache.find('RefreshToken')).toEqual([]);
  });
});
