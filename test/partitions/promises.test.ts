/** Promises that partitions once broke, each tested in the way it was broken. */
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { acquireTokenSilent } from '../../src-main/cache/acquire.ts';
import { withoutSignal } from '../../src-main/cache/handle.ts';
import type { TokenCache } from '../../src-main/cache/token-cache.ts';
import { openGrants } from '../../src-main/oauth/index.ts';
import {
  type PartitionStore,
  type SealingKeys,
  memoryStore,
  partitionedCaches,
} from '../../src-main/partitions/index.ts';
import { postgresInvalidation, postgresStore } from '../../src-main/partitions/stores/postgres-store.ts';
import { redisStore } from '../../src-main/partitions/stores/redis-store.ts';
import { sessionStore } from '../../src-main/partitions/stores/session-store.ts';
import { caches, KEYS, namesIn, observed, signIn } from './people.ts';

const scopesIn = (cache: TokenCache): string[] =>
  cache
    .find('AccessToken')
    .map(({ target }) => target)
    .sort();
const refreshTokensIn = (cache: TokenCache): string[] =>
  cache.find('RefreshToken').map(({ secret }) => secret);

describe('an update that was rejected is never written', () => {
  it('after a lost race, it has the outcome of the attempt that was committed', async () => {
    const { store, inner, hooks } = observed();
    const [here, there] = [caches({ store }).partition('a'), caches({ store: inner }).partition('a')];
    await here.update((cache) => signIn(cache, 'noor', 'zero'));
    hooks.beforeWrite = async () => {
      delete hooks.beforeWrite;
      await there.update((cache) => signIn(cache, 'noor', 'theirs'));
    };
    let attempts = 0;
    const [first, second] = await Promise.allSettled([
      here.update((cache) => {
        attempts += 1;
        if (attempts === 1) throw new Error('on the first attempt');
        signIn(cache, 'noor', 'first');
      }),
      here.update((cache) => signIn(cache, 'noor', 'second')),
    ]);
    const stored = await there.read(scopesIn);
    expect(second.status).toBe('fulfilled');
    expect(stored.includes('first')).toBe(first.status === 'fulfilled');
    expect(stored).toEqual(expect.arrayContaining(['second', 'theirs', 'zero']));
  });

  it('one that throws in every attempt rejects with its error, and the others are committed', async () => {
    const { store, inner, hooks } = observed();
    const [here, there] = [caches({ store }).partition('a'), caches({ store: inner }).partition('a')];
    await here.update((cache) => signIn(cache, 'noor', 'zero'));
    hooks.beforeWrite = async () => {
      delete hooks.beforeWrite;
      await there.update((cache) => signIn(cache, 'noor', 'theirs'));
    };
    const bad = here.update((cache) => {
      signIn(cache, 'noor', 'ghost');
      throw new Error('always');
    });
    const good = here.update((cache) => signIn(cache, 'noor', 'good'));
    await expect(bad).rejects.toThrow('always');
    await good;
    expect(await there.read(scopesIn)).toEqual(['good', 'theirs', 'zero']);
  });

  it('an update that ran on an old copy runs again on the stored one', async () => {
    const store = memoryStore();
    const [here, there] = [caches({ store }).partition('a'), caches({ store }).partition('a')];
    await here.update((cache) => signIn(cache, 'noor', 'one'));
    await there.update((cache) => signIn(cache, 'noor', 'two'));
    expect(await here.update((cache) => scopesIn(cache).length)).toBe(2);
    const none = (cache: TokenCache): void => {
      if (cache.accounts().length > 0) throw new Error('somebody is signed in');
    };
    await there.signOut('noor.utid');
    await here.update(none);
    await expect(here.update((cache) => signIn(cache, 'piet'))).resolves.toBeUndefined();
  });
});

describe('a late refresh never overwrites a newer sign-in', () => {
  const request = {
    client_id: 'my_client_id',
    home_account_id: 'noor.utid',
    environment: 'login.example.com',
    scopes: ['orders'],
    forceRefresh: true,
  };
  const late = {
    token_endpoint: 'https://login.example.com/contoso/oauth2/v2.0/token',
    response: { access_token: 'LATE', refresh_token: 'LATE RT', expires_in: 3600, token_type: 'Bearer' },
  };

  it.each([
    { user: 'one' as const, others: [] as string[] },
    { user: 'several' as const, others: ['piet'] },
  ])('signed out and in again meanwhile, partition for $user', async ({ user, others }) => {
    const store = memoryStore();
    const [here, there] = [1, 2].map(() => caches({ store }).partition('a', { user }));
    for (const uid of ['noor', ...others]) await here!.update((cache) => signIn(cache, uid, 'orders', 10));
    let answer = (): void => undefined;
    let asked = (): void => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const waiting = new Promise<void>((resolve) => (answer = resolve));
    const redeem = async () => {
      asked();
      await waiting;
      return late;
    };
    const refresh = acquireTokenSilent(there!, request, redeem, () => Date.now() / 1000).catch(
      () => undefined,
    );
    await isAsked;
    await here!.signOut('noor.utid');
    await here!.update((cache) => signIn(cache, 'noor', 'new'));
    answer();
    await refresh;
    const left = await here!.read(refreshTokensIn);
    expect(left).not.toContain('LATE RT');
    expect(left).toContain('refresh token of noor');
    expect(await here!.read(scopesIn)).toContain('new');
    for (const uid of others) expect(left).toContain(`refresh token of ${uid}`);
  });

  it.each(['orders', 'mail'])(
    'signed in again meanwhile, for %s: the newer refresh token stays',
    async (scope) => {
      const store = memoryStore();
      const [here, there] = [1, 2].map(() => caches({ store }).partition('a'));
      await here!.update((cache) => signIn(cache, 'noor', 'orders', 10));
      const refreshed = await acquireTokenSilent(
        there!,
        request,
        async () => {
          await here!.update((cache) => signIn(cache, 'noor', scope, 3600, 'RT of the new sign-in'));
          return late;
        },
        () => Date.now() / 1000,
      );
      const left = await here!.read(refreshTokensIn);
      expect(left).toContain('RT of the new sign-in');
      expect(left.includes('LATE RT')).toBe(scope === 'mail'); // Tokens of other scopes are kept side by side.
      // The late token does not replace a token of the newer sign-in either.
      expect(refreshed.secret).toBe(scope === 'orders' ? 'access token of noor for orders' : 'LATE');
    },
  );

  it('signed out meanwhile: nothing is restored', async () => {
    const store = memoryStore();
    const [here, there] = [caches({ store }).partition('a'), caches({ store }).partition('a')];
    await here.update((cache) => signIn(cache, 'noor'));
    await there.read(namesIn);
    const since = there.epoch!;
    await here.signOut('noor.utid');
    await there.update((cache) => signIn(cache, 'noor', 'late'), { since });
    expect(await here.read(namesIn)).toEqual([]);
  });

  it('a sign-out does not block another account of the same partition', async () => {
    const partition = caches().partition('a', { user: 'several' });
    for (const uid of ['noor', 'piet']) await partition.update((cache) => signIn(cache, uid));
    await partition.read(namesIn);
    const since = partition.epoch!;
    await partition.signOut('noor.utid');
    await partition.update((cache) => signIn(cache, 'piet', 'refreshed'), { since });
    expect(await partition.read(scopesIn)).toContain('refreshed');
  });

  it('two sign-ins side by side both succeed', async () => {
    const store = memoryStore();
    const [here, there] = [caches({ store }).partition('a'), caches({ store }).partition('a')];
    await Promise.all([here.read(namesIn), there.read(namesIn)]);
    await here.update((cache) => signIn(cache, 'noor', 'tab-1'), { since: here.epoch! });
    await there.update((cache) => signIn(cache, 'noor', 'tab-2'), { since: there.epoch! });
    expect(await here.read(scopesIn)).toEqual(['tab-1', 'tab-2']);
  });
});

describe('a turn', () => {
  it('ends after turnLimit and aborts its signal, and the next one begins', async () => {
    const store = memoryStore();
    const [here, there] = [1, 2].map(() => caches({ store, turnLimit: 60, lease: 1000 }).partition('a'));
    let signal: AbortSignal | undefined;
    const hung = here!.exclusively('refresh', (given) => {
      signal = given;
      return new Promise(() => undefined);
    });
    await expect(hung).rejects.toMatchObject({ code: 'partition_turn_expired', partition: here!.key });
    expect(signal?.aborted).toBe(true);
    expect(await there!.exclusively('refresh', () => Promise.resolve('next'))).toBe('next');
  });

  it('of a session is not blocked by an update whose session store never answered', async () => {
    const stored = new Map<string, object>();
    let [hangs, late] = [false, (): void => undefined];
    const sessions = {
      get: (id: string, done: (error: null, session: unknown) => void) => {
        const answer = (): void => done(null, stored.get(id) ?? null);
        if (hangs) late = answer;
        else answer();
      },
      destroy: () => undefined,
    };
    const request = (): object => {
      const req: Record<string, unknown> = { sessionStore: sessions, sessionID: 's', headers: {} };
      const session: Record<string, unknown> = { ...stored.get('s'), id: 's' };
      Object.defineProperty(session, 'req', { value: req, enumerable: false });
      const save = (done: () => void): void => {
        stored.set('s', structuredClone({ ...session }));
        done();
      };
      Object.defineProperty(session, 'save', { value: save, enumerable: false });
      req['session'] = session;
      return session;
    };
    const partition = (timeout: number) => caches({ store: sessionStore(request()), timeout }).partition('a');
    await partition(5000).update((cache) => signIn(cache, 'noor', 'first'));
    hangs = true;
    const hung = partition(40).update((cache) => signIn(cache, 'noor', 'lost'));
    await expect(hung).rejects.toMatchObject({ code: 'store_timeout' });
    hangs = false;
    await partition(5000).update((cache) => signIn(cache, 'noor', 'next'));
    late();
    expect(await partition(5000).read(scopesIn)).toEqual(['first', 'next']);
  });

  it('creates no AbortController and no timer for a task that takes no signal, nor do reads and updates', async () => {
    const partition = caches({ store: memoryStore() }).partition('a');
    await partition.update((cache) => signIn(cache, 'noor'));
    const [controllers, timers] = [vi.fn(), vi.spyOn(globalThis, 'setTimeout')];
    const Own = AbortController;
    vi.stubGlobal(
      'AbortController',
      class extends Own {
        constructor() {
          super();
          controllers();
        }
      },
    );
    try {
      for (let turn = 0; turn < 5; turn += 1) {
        await partition.exclusively(
          'refresh',
          withoutSignal(() => partition.read(namesIn)),
        );
        await partition.update((cache) => signIn(cache, 'noor', `t${turn}`));
      }
      expect([controllers.mock.calls.length, timers.mock.calls.length]).toEqual([0, 0]);
      // A caller's function receives its signal whatever its parameters look like.
      const wrapped = (...args: [AbortSignal]): Promise<boolean> => Promise.resolve(args[0].aborted);
      expect(await partition.exclusively('refresh', wrapped)).toBe(false);
      expect(controllers).toHaveBeenCalledTimes(1);
    } finally {
      vi.unstubAllGlobals();
      timers.mockRestore();
    }
  });

  it('passes its signal to the function that redeems a refresh token', async () => {
    const partition = caches({ turnLimit: 60 }).partition('a');
    await partition.update((cache) => signIn(cache, 'noor', 'orders', 10));
    const request = {
      client_id: 'my_client_id',
      home_account_id: 'noor.utid',
      environment: 'login.example.com',
      scopes: ['orders'],
      forceRefresh: true,
    };
    const refresh = acquireTokenSilent(
      partition,
      request,
      (_token, _request, signal) =>
        new Promise((_resolve, reject) =>
          signal?.addEventListener('abort', () => reject(new Error('aborted'))),
        ),
      () => Date.now() / 1000,
    );
    await expect(refresh).rejects.toMatchObject({ code: 'partition_turn_expired' });
  });
});

describe('races and touches', () => {
  // Fake timers, because on a busy machine a real deadline might pass before any race is lost.
  const withClockTurned = async (milliseconds: number, task: () => Promise<void>): Promise<void> => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'performance'],
    });
    try {
      const ended = task();
      // Real hashing runs between the calls of the store, so the event loop needs its turns as well.
      for (let left = milliseconds; left > 0; left -= 1) {
        await new Promise((resolve) => setImmediate(resolve));
        await vi.advanceTimersByTimeAsync(1);
      }
      await ended;
    } finally {
      vi.useRealTimers();
    }
  };
  const hanging = () => new Promise<never>(() => undefined);

  it('reports partition_busy if every race is lost, whenever the deadline passes', async () => {
    const lost = { ...memoryStore(), write: () => Promise.resolve(false) };
    for (const timeout of [60, 110, 200])
      await withClockTurned(timeout + 50, async () => {
        const update = caches({ store: lost, timeout })
          .partition('a')
          .update((cache) => signIn(cache, 'noor', 'ours'));
        await expect(update).rejects.toMatchObject({ code: 'partition_busy' });
      });
  });

  /** A store whose writes of the partition lose the first race; after that, `what` is never answered. */
  const slowAfterARace = (what: 'read' | 'index' | 'write' | 'remove', key: () => string) => {
    const inner = memoryStore();
    let races = 0;
    const store: PartitionStore = {
      ...inner,
      read: (name) => {
        const isMeant = what === 'read' ? name === key() : what === 'index' && name !== key();
        return races > 0 && isMeant ? hanging() : inner.read(name);
      },
      write: (name, ...rest) => {
        if (name !== key()) return inner.write(name, ...rest);
        races += 1;
        return races === 1 ? Promise.resolve(false) : hanging();
      },
      remove: (name, ...rest) => {
        if (what !== 'remove') return inner.remove(name, ...rest);
        races += 1;
        return races === 1 ? Promise.resolve(false) : hanging();
      },
    };
    return { inner, store };
  };

  it.each([
    { step: 'a read', what: 'read', code: 'partition_busy' },
    { step: 'the index of users', what: 'index', code: 'partition_busy' },
    // The request was sent and may still take effect, so `partition_busy`, which promises that nothing was written, would be wrong.
    { step: 'a write that was sent', what: 'write', code: 'store_timeout' },
    { step: 'a removal that was sent', what: 'remove', code: 'store_timeout' },
  ] as const)('after a lost race, $step without an answer is $code', async ({ what, code }) => {
    let key = '';
    const { inner, store } = slowAfterARace(what, () => key);
    ({ key } = caches({ store: inner }).partition('a'));
    if (what === 'remove')
      await caches({ store: inner })
        .partition('a')
        .update((cache) => signIn(cache, 'noor'));
    await withClockTurned(400, async () => {
      const partition = caches({ store, timeout: 100, userIndex: what === 'index' }).partition('a');
      const update =
        what === 'remove'
          ? partition.signOut('noor.utid')
          : partition.update((cache) => signIn(cache, 'noor', 'ours'));
      await expect(update).rejects.toMatchObject({ code });
    });
  });

  it('reports store_timeout if a store never answers, also for an update that reads a second time', async () => {
    const inner = memoryStore();
    await caches({ store: inner })
      .partition('a')
      .update((cache) => signIn(cache, 'noor'));
    let reads = 0;
    const store = { ...inner, read: (key: string) => ((reads += 1) > 1 ? hanging() : inner.read(key)) };
    const partition = caches({ store, timeout: 100 }).partition('a');
    await partition.read(namesIn);
    const other = caches({ store: inner }).partition('a');
    await other.update((cache) => signIn(cache, 'noor', 'theirs'));
    await withClockTurned(200, async () => {
      // The cache that was kept open is outdated, which does not count as a lost race.
      const update = partition.update((cache) => signIn(cache, 'noor', 'ours'));
      await expect(update).rejects.toMatchObject({ code: 'store_timeout' });
    });
  });

  it('resolves a read whose touch fails, and retries the touch', async () => {
    const inner = memoryStore();
    let touches = 0;
    const touch = () => Promise.reject(new Error(`NOPERM ${(touches += 1)}`));
    const partition = caches({ store: { ...inner, touch }, ttl: { sliding: 100 } }).partition('a');
    await partition.update((cache) => signIn(cache, 'noor'));
    expect(await partition.read(namesIn)).toEqual(['noor@contoso.example']);
    expect(await partition.read(namesIn)).toEqual(['noor@contoso.example']);
    expect(touches).toBe(2);
  });

  it('refuses a read that changes the cache, and shows the change to nobody', async () => {
    const partition = caches().partition('a');
    await partition.update((cache) => signIn(cache, 'noor'));
    await expect(partition.read((cache) => signIn(cache, 'piet'))).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect(await partition.read(namesIn)).toEqual(['noor@contoso.example']);
  });
});

describe('an error of the server that comes in the packet before the one that is waited for', () => {
  it('postgresInvalidation does not take the connection for a listening one', async () => {
    const listening = new EventEmitter();
    const connectionOf = (events: EventEmitter, query: (text: string, values?: unknown[]) => void) =>
      Object.assign(events, {
        query: (text: string, values?: unknown[]) => {
          query(text, values);
          return Promise.resolve({ rows: [], rowCount: 0 });
        },
        release: () => undefined,
      });
    const first = connectionOf(listening, () => undefined);
    const second = connectionOf(new EventEmitter(), (_text, values) => {
      listening.emit('notification', { payload: values?.[1] });
      listening.emit('error', new Error('terminating connection due to administrator command'));
      listening.emit('end');
    });
    const connections = [first, second];
    const pool = {
      connect: (callback: (error: undefined, connection: unknown) => void) =>
        callback(undefined, connections.shift()),
    };
    const invalidation = postgresInvalidation({ pool: pool as never });
    const subscribed = invalidation.subscribe(
      () => undefined,
      () => undefined,
    );
    await expect(subscribed).rejects.toThrow(/lost before it listened/);
  });
});

describe('sealing keys rotate under a rolling deployment', () => {
  const key = (id: string) => ({ id, key: randomBytes(32) });
  const [old, young] = [key('2026-01'), key('2026-11')];
  const both: SealingKeys = [young, old];

  it('sealWith: an old version opens what a new one writes', async () => {
    const store = memoryStore();
    const before = caches({ store, sealingKeys: [old] }).partition('a');
    const first = caches({ store, sealingKeys: both, sealWith: old.id }).partition('a');
    await first.update((cache) => signIn(cache, 'noor'));
    expect(await before.read(namesIn)).toEqual(['noor@contoso.example']);
    const second = caches({ store, sealingKeys: both, sealWith: young.id }).partition('a');
    await second.update((cache) => signIn(cache, 'noor', 'more'));
    expect(await first.read(scopesIn)).toEqual(['more', 'orders']);
    expect(() => caches({ sealingKeys: both, sealWith: 'none' })).toThrow(/no sealing key has that id/);
  });

  it('reseal: seals every entry by its key in the store alone, and keeps its expiry', async () => {
    let now = 1000;
    const store = memoryStore({ now: () => now });
    const before = caches({ store, sealingKeys: [old], ttl: 600, now: () => now });
    for (const id of ['a', 'b', 'c']) await before.partition(id).update((cache) => signIn(cache, 'noor'));
    const after = caches({ store, sealingKeys: both, ttl: 600, now: () => now });
    await after.partition('c').update((cache) => signIn(cache, 'noor', 'more'));
    const foreign = 'x'.repeat(43);
    await store.write(
      foreign,
      { bytes: Buffer.from('else'), version: 'v'.repeat(16) },
      { expected: null, ttl: null },
    );
    expect(await after.sealingReport()).toEqual({
      entries: 4,
      sealedWith: { [old.id]: 2, [young.id]: 1 },
      plainText: 0,
      unreadable: 1,
    });
    now += 300;
    expect(await after.reseal()).toEqual({
      entries: 4,
      resealed: 2,
      current: 1,
      changedMeanwhile: 0,
      skipped: { partition_foreign: 1 },
    });
    const only = caches({ store, sealingKeys: [young], now: () => now });
    expect(await only.partition('a').read(namesIn)).toEqual(['noor@contoso.example']);
    now += 301;
    expect(await only.partition('a').read(namesIn)).toEqual([]);
    const { leases: _none, maintenance: _neither, ...bare } = memoryStore();
    await expect(caches({ store: bare }).reseal()).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('from plain text: read while it is allowed, sealed at the next update or by reseal', async () => {
    const store = memoryStore();
    const plain = partitionedCaches({ store, sealingKeys: 'plain-text' });
    for (const id of ['a', 'b']) await plain.partition(id).update((cache) => signIn(cache, 'noor'));
    await expect(caches({ store }).partition('a').read(namesIn)).rejects.toMatchObject({
      code: 'partition_plain_text',
    });
    const moving = caches({ store, acceptPlainText: true });
    expect(await moving.partition('a').read(namesIn)).toEqual(['noor@contoso.example']);
    await moving.partition('a').update((cache) => signIn(cache, 'noor', 'more'));
    expect((await moving.reseal()).resealed).toBe(1);
    expect(await caches({ store }).partition('b').read(namesIn)).toEqual(['noor@contoso.example']);
  });

  describe('jobs over all entries', () => {
    const COUNT = 30;
    /** A store of 30 users that answers 8 reads at a time, and notes how many were asked. */
    async function busy() {
      const store = memoryStore();
      const before = caches({ store, sealingKeys: [old] });
      for (let index = 0; index < COUNT; index += 1)
        await before.partition(`user ${index}`).update((cache) => signIn(cache, 'noor'));
      const seen = { asked: 0, answered: 0, most: 0 };
      const waiting: (() => void)[] = [];
      const all = caches({
        sealingKeys: both,
        store: {
          ...store,
          read: async (...call) => {
            seen.asked += 1;
            seen.most = Math.max(seen.most, seen.asked - seen.answered);
            await new Promise<void>((resolve) => {
              waiting.push(resolve);
              if (waiting.length === 8 || seen.asked === COUNT) for (const go of waiting.splice(0)) go();
            });
            seen.answered += 1;
            return store.read(...call);
          },
        },
      });
      return { all, seen };
    }

    it('read 8 entries at once', async () => {
      const { all, seen } = await busy();
      expect(await all.sealingReport()).toMatchObject({ entries: COUNT, sealedWith: { [old.id]: COUNT } });
      expect(seen).toEqual({ asked: COUNT, answered: COUNT, most: 8 });
      seen.asked = seen.answered = 0;
      expect(await all.reseal()).toMatchObject({ entries: COUNT, resealed: COUNT });
      expect(seen).toEqual({ asked: COUNT, answered: COUNT, most: 8 });
    });

    it('finish what is in progress when they are stopped', async () => {
      const { all, seen } = await busy();
      const stop = new AbortController();
      const report = await all.reseal({ signal: stop.signal, onProgress: () => stop.abort() });
      expect(report).toMatchObject({ entries: 8, resealed: 8 });
      expect(seen.asked).toBe(8);
    });

    it('leave nothing running when they fail', async () => {
      const { all, seen } = await busy();
      const failing = all.reseal({
        onProgress: () => {
          throw new Error('from the app');
        },
      });
      await expect(failing).rejects.toThrow('from the app');
      expect(seen).toMatchObject({ asked: 8, answered: 8 });
    });
  });

  it('reseal: leaves plain text that anyone could have made up as it is', async () => {
    const store = memoryStore();
    const forger = partitionedCaches({ store, sealingKeys: 'plain-text' });
    await forger.partition('a').update((cache) => signIn(cache, 'mallory'));
    const all = caches({ store });
    expect(await all.reseal()).toMatchObject({ resealed: 0, skipped: { partition_plain_text: 1 } });
    await expect(all.partition('a').read(namesIn)).rejects.toMatchObject({ code: 'partition_plain_text' });
  });
});

describe('users of an earlier cache move in', () => {
  async function earlier(shape: (text: string) => string | Uint8Array) {
    const text = await caches()
      .partition('x')
      .update((cache) => {
        signIn(cache, 'noor');
        return (cache as { serialize?: () => string }).serialize?.() ?? '';
      });
    const documents = new Map<string, string | Uint8Array>([['a', shape(text)]]);
    const importFrom = {
      read: (id: string) => Promise.resolve(documents.get(id) ?? null),
      remove: (id: string) => Promise.resolve(documents.delete(id)),
    };
    return { documents, importFrom };
  }

  it.each([
    { what: 'DistributedCachePlugin', shape: (text: string) => text },
    { what: 'Microsoft.Identity.Web', shape: (text: string) => Buffer.from(text) },
  ])('of $what, once, at the first read', async ({ shape }) => {
    const { documents, importFrom } = await earlier(shape);
    const all = caches({ importFrom });
    expect(await all.partition('a').read(namesIn)).toEqual(['noor@contoso.example']);
    expect(documents.size).toBe(0);
    expect(await all.partition('a').read(namesIn)).toEqual(['noor@contoso.example']);
    expect(await all.partition('b').read(namesIn)).toEqual([]);
  });

  it.each([null, undefined, '', new Uint8Array()])('%o is no earlier cache', async (nothing) => {
    const read = (): Promise<null> => nothing as never; // A Map of an app in JavaScript returns no promise.
    const importFrom = { read, remove: () => Promise.resolve() };
    const partition = caches({ importFrom }).partition('a');
    expect(await partition.read(namesIn)).toEqual([]);
    await partition.update((cache) => signIn(cache, 'noor'));
    expect(await partition.read(namesIn)).toEqual(['noor@contoso.example']);
  });

  it.each([{}, 5, []])('%o is refused, and not told as an outage', async (document) => {
    const importFrom = { read: () => Promise.resolve(document as never), remove: () => Promise.resolve() };
    const refused = { code: 'invalid_argument', field: 'importFrom' };
    await expect(caches({ importFrom }).partition('a').read(namesIn)).rejects.toMatchObject(refused);
  });

  it('a user who signed out before stays signed out, even if the earlier entry could not be removed at first', async () => {
    const { documents, importFrom } = await earlier((text) => text);
    let fails = 1;
    const flaky = {
      ...importFrom,
      remove: (id: string) => (fails-- > 0 ? Promise.reject(new Error('down')) : importFrom.remove(id)),
    };
    const partition = caches({ importFrom: flaky }).partition('a');
    expect(await partition.read(namesIn)).toEqual(['noor@contoso.example']);
    expect(documents.size).toBe(1);
    await partition.signOut('noor.utid');
    expect(documents.size).toBe(0);
    expect(await partition.read(namesIn)).toEqual([]);
  });

  const twice = (text: string): string =>
    text.replace(/"RefreshToken":\s*\{\s*("[^"]+"):\s*(\{[^}]*\})/, (all, key: string, entity: string) =>
      all.replace(entity, `${entity}, ${key}: ${entity.replace('rt', 'another rt')}`),
    );

  it.each([
    { what: 'not JSON', shape: () => 'CfDJ8 encrypted by ASP.NET', code: 'document_not_json' },
    { what: 'two fields of one name', shape: twice, code: 'document_not_a_cache' },
    {
      what: 'two fields of one name, as bytes',
      shape: (text: string) => Buffer.from(twice(text)),
      code: 'document_not_a_cache',
    },
    { what: 'two sections of one name', shape: twoSections, code: 'document_not_a_cache' },
  ])('imports nothing of a document that it would lose a part of: $what', async ({ shape, code }) => {
    const { documents, importFrom } = await earlier(shape);
    const kept = (): Buffer => Buffer.from(documents.get('a') ?? '');
    const before = kept();
    const partition = caches({ importFrom }).partition('a');
    const refused = { code, message: expect.stringContaining(partition.key) as string };
    await expect(partition.read(namesIn)).rejects.toMatchObject(refused);
    await expect(partition.update((cache) => signIn(cache, 'noor'))).rejects.toMatchObject(refused);
    await expect(partition.signOut('noor.utid')).rejects.toMatchObject(refused);
    expect(kept()).toEqual(before);
    await partition.remove();
    expect(documents.size).toBe(0);
    await partition.update((cache) => signIn(cache, 'noor'));
    expect(await partition.read(namesIn)).toEqual(['noor@contoso.example']);
  });
});

/** The document with an empty section before the one of the same name: JSON.parse keeps only the last. */
function twoSections(text: string): string {
  return text.replace('"RefreshToken"', '"RefreshToken": {}, "RefreshToken"');
}

describe('signing a user out everywhere', () => {
  const issuer = 'https://login.microsoftonline.com/contoso/v2.0';
  const withClaims = (cache: TokenCache, uid: string, claims: object) => {
    cache.add({
      client_id: 'my_client_id',
      scope: ['orders'],
      token_endpoint: 'https://login.microsoftonline.com/contoso/oauth2/v2.0/token',
      response: {
        access_token: 'at',
        refresh_token: `rt ${uid}`,
        token_type: 'Bearer',
        expires_in: 3600,
        client_info: Buffer.from(JSON.stringify({ uid, utid: 'utid' })).toString('base64url'),
        id_token: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ iss: issuer, oid: uid, preferred_username: uid, ...claims })).toString('base64url')}.`,
      },
    });
  };

  it('finds all partitions of a sub, on every server, and no one else’s', async () => {
    const store = memoryStore();
    const [here, there] = [caches({ store, userIndex: true }), caches({ store, userIndex: true })];
    await here.partition('laptop').update((cache) => withClaims(cache, 'noor', { sub: 'n1', sid: 's1' }));
    await there.partition('phone').update((cache) => withClaims(cache, 'noor', { sub: 'n1', sid: 's2' }));
    await there.partition('other').update((cache) => withClaims(cache, 'piet', { sub: 'p1', sid: 's3' }));
    expect(await here.signOutUser({ issuer: 'https://elsewhere.example', sub: 'n1' })).toMatchObject({
      partitions: 0,
    });
    expect(await here.signOutUser({ issuer, sid: 's2' })).toEqual({
      partitions: 1,
      deleted: 0,
      remaining: 0,
    });
    expect(await here.partition('phone').read(namesIn)).toEqual([]);
    expect(await here.partition('laptop').read(namesIn)).toEqual(['noor']);
    expect(await there.signOutUser('n1')).toEqual({ partitions: 1, deleted: 0, remaining: 0 });
    expect(await here.partition('laptop').read(namesIn)).toEqual([]);
    expect(await here.partition('other').read(namesIn)).toEqual(['piet']);
    expect(await here.signOutUser({ home_account_id: 'piet.utid' })).toMatchObject({ partitions: 1 });
    const left: string[] = [];
    for await (const key of store.maintenance!.keys()) left.push(key);
    expect(left).toEqual([]);
  });

  it('removes only that user from a partition for several, and deletes a partition that cannot be opened', async () => {
    const store = memoryStore();
    const all = caches({ store, userIndex: true });
    const partition = all.partition('a', { user: 'several' });
    await partition.update((cache) => withClaims(cache, 'noor', { sub: 'n1' }));
    await partition.update((cache) => withClaims(cache, 'piet', { sub: 'p1' }));
    await all.signOutUser({ issuer, sub: 'n1' });
    expect(await partition.read(namesIn)).toEqual(['piet']);
    const stored = (await store.read(partition.key))!;
    await store.write(
      partition.key,
      { bytes: stored.bytes.subarray(0, 60), version: 'v'.repeat(16) },
      { expected: stored.version, ttl: null },
    );
    expect(await all.signOutUser('p1')).toEqual({ partitions: 1, deleted: 1, remaining: 0 });
    expect(await store.read(partition.key)).toBeNull();
  });

  it('a refresh of a user who was signed out everywhere restores nothing', async () => {
    const all = caches({ userIndex: true });
    const partition = all.partition('a');
    await partition.update((cache) => withClaims(cache, 'noor', { sub: 'n1' }));
    await partition.read(namesIn);
    const since = partition.epoch!;
    await all.signOutUser('n1');
    await partition.update((cache) => withClaims(cache, 'noor', { sub: 'n1' }), { since });
    expect(await partition.read(namesIn)).toEqual([]);
  });

  it.each([
    ['as long as it lives, whatever later ID tokens name', [{ sub: 'n1' }, { sub: 'n1' }, {}], 's1', 1],
    ['until a later sign-in is in another session', [{ sub: 'n1', sid: 's2' }, { sub: 'n1' }], 's1', 0],
    ['also in the other session', [{ sub: 'n1', sid: 's2' }, { sub: 'n1' }], 's2', 1],
  ])('finds a partition by the session of its sign-in %s', async (_how, later, sid, partitions) => {
    let now = 1_700_000_000;
    const clock = { now: () => now };
    const all = caches({ store: memoryStore(clock), ...clock, userIndex: true, ttl: { sliding: 4000 } });
    const partition = all.partition('a');
    await partition.update((cache) => withClaims(cache, 'noor', { sub: 'n1', sid: 's1' }));
    for (const claims of later) {
      for (let minutes = 0; minutes < 120; minutes += 15) {
        now += 900;
        expect(await partition.read(namesIn)).toEqual(['noor']);
      }
      await partition.update((cache) => withClaims(cache, 'noor', claims));
    }
    expect(await all.signOutUser({ issuer, sid })).toEqual({ partitions, deleted: 0, remaining: 0 });
    expect(await partition.read(namesIn)).toEqual(partitions === 1 ? [] : ['noor']);
  });

  it('writes the index at a sign-in, and not in later updates', async () => {
    const { store, counts } = observed();
    const all = caches({ store, userIndex: true });
    const partition = all.partition('a');
    await partition.update((cache) => withClaims(cache, 'noor', { sub: 'n1', sid: 's1' }));
    expect(counts.write).toBe(4);
    await partition.update((cache) => signIn(cache, 'noor', 'more'));
    expect(counts.write).toBe(7); // The second ID token has another sub and no sid, so both its entries are written.
    const before = counts.write;
    await partition.update((cache) => signIn(cache, 'noor', 'even more'));
    expect(counts.write).toBe(before + 1);
    // The session of the second is not known, so it may be any.
    expect(await all.signOutUser({ sub: 'noor', sid: 's2' })).toMatchObject({ partitions: 1 });
  });

  it('an update has one deadline, which includes its index', async () => {
    const inner = memoryStore();
    const own = caches({ store: inner }).partition('a').key;
    const slow = <T>(call: () => Promise<T>): Promise<T> =>
      new Promise((resolve) => setTimeout(() => resolve(call()), 300));
    let reads = 0;
    const store: PartitionStore = {
      ...inner,
      read: (key) => {
        if (key === own) return inner.read(key);
        reads += 1;
        return slow(() => inner.read(key));
      },
      write: (key, entry, condition) => {
        if (key === own) return inner.write(key, entry, condition);
        return slow(() => Promise.resolve(false)); // Other sign-ins always write first.
      },
    };
    // One call takes less than the timeout. Two take more.
    const partition = caches({ store, userIndex: true, timeout: 400 }).partition('a');
    const update = partition.update((cache) => withClaims(cache, 'noor', { sub: 'n1' }));
    await expect(update).rejects.toMatchObject({ code: 'store_timeout' });
    expect(reads).toBe(2); // one read of each index entry
    expect(await inner.read(own)).toBeNull();
  });

  it('a read has one deadline, which includes its index', async () => {
    const inner = memoryStore();
    let now = 1_700_000_000;
    const touched: string[] = [];
    let isHanging = false;
    const store: PartitionStore = {
      ...inner,
      touch: async (key, ttl) => {
        touched.push(key);
        await inner.touch(key, ttl);
      },
      write: (...call) => (isHanging ? new Promise(() => undefined) : inner.write(...call)),
    };
    const partition = caches({
      ...{ store, userIndex: true, timeout: 2000, now: () => now },
      ttl: { sliding: 100_000 },
    }).partition('a');
    await partition.update((cache) => withClaims(cache, 'noor', { sub: 'n1', sid: 's1' }));
    isHanging = true;
    now += 50_000;
    expect(await partition.read(namesIn)).toEqual(['noor']);
    expect(touched).toEqual([partition.key]);
  });

  it('rejects without an index', async () => {
    await expect(caches().signOutUser('n1')).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

describe('an entry does not outlive its session', () => {
  it('expires caps the TTL, and one in the past opens nothing', async () => {
    const { store, ttls } = observed();
    const all = caches({ store, now: () => 1000 });
    await all.partition('a', { expires: 1600 }).update((cache) => signIn(cache, 'noor'));
    await all
      .partition('b', { expires: new Date(2_000_000), ttl: 'none' })
      .update((cache) => signIn(cache, 'noor'));
    expect(ttls).toEqual([600, 1000]);
    expect(() => all.partition('a', { expires: 999 })).toThrow(
      expect.objectContaining({ code: 'session_ended' }),
    );
    expect(() => all.partition('a', { expires: NaN })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
});

describe('clients of other libraries are refused when the store is made', () => {
  it.each([
    ['memcached', { get: () => undefined, set: () => undefined }],
    ['nothing', undefined],
    ['an URL', 'redis://127.0.0.1'],
  ])('redisStore: %s', (_name, client) => {
    expect(() => redisStore({ client: client as never })).toThrow(
      expect.objectContaining({ code: 'store_client' }),
    );
  });

  it('postgresStore: a single connection', () => {
    const client = {
      connect: () => undefined,
      query: () => undefined,
      end: () => undefined,
      escapeLiteral: () => '',
      getTypeParser: () => undefined,
    };
    expect(() => postgresStore({ pool: client })).toThrow(expect.objectContaining({ code: 'store_client' }));
    expect(() => postgresStore({ pool: 'postgres://' as never })).toThrow(
      expect.objectContaining({ code: 'store_client' }),
    );
  });

  it('partitionedCaches: a store that lacks functions', () => {
    expect(() => partitionedCaches({ store: {} as never, sealingKeys: KEYS })).toThrow(
      /read, write, remove, touch/,
    );
  });
});

describe('what is stored', () => {
  it('is restored exactly, whatever its secrets look like, and is smaller', async () => {
    const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const secrets = [
      'short',
      `${base64url({ alg: 'RS256' })}.${base64url({ sub: 'é\n"x"', iat: 1 })}.${randomBytes(256).toString('base64url')}`,
      `${base64url({ alg: 'RS256' })}.${base64url({ sub: 'x' })}.short`,
      `${base64url({ enc: 'A256GCM' })}.a.b.c.d`,
      `M.C5_BAY.0.U.-${randomBytes(99).toString('base64')}*!$`,
      `1.AX${randomBytes(800).toString('base64url')}`,
      'not "quoted" \\ or é 🦊 \u0001',
      'half a pair \ud800 "',
    ];
    for (const secret of secrets) {
      const store = memoryStore();
      const write = caches({ store }).partition('a');
      await write.update((cache) => {
        signIn(cache, 'noor');
        const [token] = cache.find('RefreshToken');
        cache.modify('RefreshToken', token!, { secret });
      });
      expect(await caches({ store }).partition('a').read(refreshTokensIn)).toEqual([secret]);
    }
  });

  it('has a length that reveals nothing about the contents of a secret', async () => {
    const sizes = new Set<number>();
    for (const guess of [
      'a',
      'refresh token of noor',
      randomBytes(24).toString('base64url'),
      'zzzz'.repeat(8),
    ]) {
      const { store, inner } = observed();
      const partition = caches({ store }).partition('a');
      await partition.update((cache) => {
        signIn(cache, 'noor', 'the same scope');
        const secret = guess.repeat(600).slice(0, 512);
        cache.modify('RefreshToken', cache.find('RefreshToken')[0]!, {
          secret: Buffer.from(secret).toString('base64url'),
        });
      });
      sizes.add((await inner.read(partition.key))!.bytes.length);
    }
    // Apart from padding, only the length of the secret counts, and all these secrets have the same length.
    expect(Math.max(...sizes) - Math.min(...sizes)).toBe(0);
  });

  it('has a length that reveals nothing about the tokens of a grant, whose secret is JSON text with escapes', async () => {
    const sizes = new Set<number>();
    const at = { issuer: 'https://id.example/main', client_id: 'my-app' };
    for (const refresh_token of ['guess'.repeat(100), randomBytes(375).toString('base64url').slice(0, 500)]) {
      const { store, inner } = observed();
      const partition = caches({ store }).partition('a');
      const grant = { tokens: { access_token: 'at', refresh_token }, account: { name: 'guess'.repeat(40) } };
      await openGrants(partition, at).add('work', grant);
      sizes.add((await inner.read(partition.key))!.bytes.length);
      const read = openGrants(caches({ store }).partition('a'), at);
      expect(await read.get('work')).toMatchObject({ tokens: grant.tokens });
    }
    expect(sizes.size).toBe(1);
  });
});
