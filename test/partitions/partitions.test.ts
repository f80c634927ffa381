import { describe, expect, it, vi } from 'vitest';
import { acquireTokenSilent, type Redeem } from '../../src-main/cache/acquire.ts';
import { InvalidArgumentError, PartitionError } from '../../src-main/errors.ts';
import { layered, memoryStore, partitionedCaches } from '../../src-main/partitions/index.ts';
import { caches, namesIn, observed, signIn } from './people.ts';

describe("a partition's id", () => {
  it.each([
    [''],
    ['x'.repeat(513)],
    ['é'.repeat(257)],
    ['a\nb'],
    ['a\u0000'],
    ['a\u007f'],
    ['a\u0085b'],
    ['\ud800'],
  ])('%j is refused', (id) => {
    expect(() => caches().partition(id)).toThrow(InvalidArgumentError);
  });

  it('may be any other text, and appears in no key, error or store', async () => {
    const { store, inner } = observed();
    const id = 'noor@contoso.example / çà 🦊 $(x)';
    const partition = caches({ store }).partition(id);
    await partition.update((cache) => signIn(cache, 'noor'));
    expect(partition.key).toMatch(/^[\w-]{43}$/);
    expect(Buffer.from((await inner.read(partition.key))!.bytes).toString('latin1')).not.toContain('noor');
  });
});

describe('reads and updates', () => {
  it('shares one read of the store among simultaneous reads', async () => {
    const { store, counts } = observed();
    const all = caches({ store });
    await all.partition('a').update((cache) => signIn(cache, 'noor'));
    counts.read = 0;
    const names = await Promise.all(Array.from({ length: 50 }, () => all.partition('a').read(namesIn)));
    expect(new Set(names.flat())).toEqual(new Set(['noor@contoso.example']));
    expect(counts.read).toBe(1);
  });

  it('sees in a read everything that was written before it was called, also while another read is in progress', async () => {
    const { store, counts } = observed();
    const all = caches({ store });
    let go = (): void => undefined;
    const paused = new Promise<void>((resolve) => (go = resolve));
    const slow = {
      ...store,
      read: async (...args: Parameters<typeof store.read>) => {
        const answer = await store.read(...args);
        if (counts.read === 1) await paused;
        return answer;
      },
    };
    const here = caches({ store: slow });
    const early = here.partition('a').read(namesIn);
    while (counts.read === 0) await new Promise(setImmediate);
    await all.partition('a').update((cache) => signIn(cache, 'noor')); // Another process.
    const late = [here.partition('a').read(namesIn), here.partition('a').read(namesIn)];
    counts.read = 1;
    go();
    expect(await early).toEqual([]);
    expect(await Promise.all(late)).toEqual([['noor@contoso.example'], ['noor@contoso.example']]);
  });

  it('commits waiting updates together, each completely or not at all', async () => {
    const { store, counts } = observed();
    const partition = caches({ store }).partition('a');
    const outcomes = await Promise.allSettled([
      partition.update((cache) => signIn(cache, 'noor', 's1')),
      partition.update((cache) => {
        signIn(cache, 'noor', 's2');
        throw new Error('not this one');
      }),
      partition.update((cache) => signIn(cache, 'piet')),
      partition.update((cache) => signIn(cache, 'noor', 's3')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(counts).toMatchObject({ read: 1, write: 1 });
    const scopes = await partition.read((cache) => cache.find('AccessToken').map(({ target }) => target));
    expect(scopes.sort()).toEqual(['s1', 's3']);
  });

  it('repeats an update on top of what another process wrote meanwhile', async () => {
    const { store, inner, hooks, counts } = observed();
    const other = caches({ store: inner });
    hooks.beforeWrite = async () => {
      delete hooks.beforeWrite;
      await other.partition('a').update((cache) => signIn(cache, 'noor', 'theirs'));
    };
    await caches({ store })
      .partition('a')
      .update((cache) => signIn(cache, 'noor', 'ours'));
    expect(counts.write).toBe(2);
    const scopes = await other
      .partition('a')
      .read((cache) => cache.find('AccessToken').map(({ target }) => target));
    expect(scopes.sort()).toEqual(['ours', 'theirs']);
  });

  it('loses nothing and blocks nobody if a process dies between reading and writing', async () => {
    const { store, inner, hooks } = observed();
    const other = caches({ store: inner });
    await other.partition('a').update((cache) => signIn(cache, 'noor', 'before'));
    let isReading = false;
    hooks.beforeWrite = () => {
      isReading = true;
      return new Promise(() => undefined); // The write is never answered.
    };
    void caches({ store })
      .partition('a')
      .update((cache) => signIn(cache, 'noor', 'lost'))
      .catch(() => undefined);
    while (!isReading) await new Promise(setImmediate);
    await other.partition('a').update((cache) => signIn(cache, 'noor', 'after'));
    const scopes = await other
      .partition('a')
      .read((cache) => cache.find('AccessToken').map(({ target }) => target));
    expect(scopes.sort()).toEqual(['after', 'before']);
  });

  it('rejects with a code if other processes win every race', async () => {
    const { store, inner, hooks } = observed();
    let turn = 0;
    const other = caches({ store: inner });
    hooks.beforeWrite = () =>
      other.partition('a').update((cache) => signIn(cache, 'noor', `t${(turn += 1)}`));
    // Fake timers, because a busy machine might get no second turn in 300 ms.
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    });
    try {
      const ended = vi.fn();
      const update = caches({ store, timeout: 300 })
        .partition('a')
        .update((cache) => signIn(cache, 'noor', 'ours'));
      void update.then(ended, ended);
      while (ended.mock.calls.length === 0) {
        await new Promise((resolve) => setImmediate(resolve));
        await vi.advanceTimersByTimeAsync(1);
      }
      await expect(update).rejects.toMatchObject({
        code: expect.stringMatching(/partition_busy|store_timeout/),
      });
    } finally {
      vi.useRealTimers();
    }
    expect(turn).toBeGreaterThan(1);
    expect(
      await other.partition('a').read((cache) => cache.find('AccessToken', { target: ['ours'] })),
    ).toEqual([]);
  });

  it('learns from the version whether a write with a lost answer was made', async () => {
    const { store, inner } = observed();
    let failures = 0;
    const lossy = {
      ...store,
      write: async (...args: Parameters<typeof store.write>) => {
        await inner.write(...args);
        failures += 1;
        throw new Error('connection reset');
      },
    };
    const partition = caches({ store: lossy }).partition('a');
    await partition.update((cache) => signIn(cache, 'noor'));
    expect(failures).toBe(1);
    expect(await partition.read(namesIn)).toEqual(['noor@contoso.example']);
  });

  it('finds a partition gone whose removal was not answered', async () => {
    const { store, inner } = observed();
    let failures = 0;
    const remove = async (...args: Parameters<typeof store.remove>): Promise<never> => {
      await inner.remove(...args);
      failures += 1;
      throw new Error('connection reset');
    };
    const partition = caches({ store: { ...store, remove } }).partition('a');
    await partition.update((cache) => signIn(cache, 'noor'));
    await partition.update((cache) => cache.signOutAll());
    expect(failures).toBe(1);
    expect(await partition.read(namesIn)).toEqual([]);
  });

  it('does not write an update that changes nothing', async () => {
    const { store, counts } = observed();
    const partition = caches({ store }).partition('a');
    expect(await partition.update((cache) => cache.accounts().length)).toBe(0);
    await partition.update((cache) => signIn(cache, 'noor'));
    await partition.update(() => undefined);
    expect(counts).toMatchObject({ write: 1, remove: 0 });
  });

  it('ends a turn that fails, at once or later; other partitions have their own', async () => {
    const { store, inner } = observed();
    const partition = caches({ store: { ...store, leases: inner.leases! } }).partition('a');
    const atOnce = partition.exclusively('x', () => {
      throw new Error('at once');
    });
    await expect(atOnce).rejects.toThrow('at once');
    await expect(partition.exclusively('x', () => Promise.reject(new Error('later')))).rejects.toThrow(
      'later',
    );
    const nested = await partition.exclusively('x', () =>
      partition.exclusively('y', () => Promise.resolve(1)),
    );
    expect(nested).toBe(1);
  });

  it('refuses a task that waits too long behind one of the same process, and does not run it later', async () => {
    const partition = caches({ turnTimeout: 20 }).partition('a');
    let end = (): void => undefined;
    const first = partition.exclusively('x', () => new Promise<void>((resolve) => (end = resolve)));
    let wasRun = false;
    const late = partition.exclusively('x', () => Promise.resolve((wasRun = true)));
    await expect(late).rejects.toMatchObject({ code: 'partition_busy', partition: partition.key });
    end();
    await first;
    await partition.exclusively('x', () => Promise.resolve());
    expect(wasRun).toBe(false);
  });

  it('reads no old copy from memory under a lease', async () => {
    const store = memoryStore();
    const servers = [1, 2].map(() => caches({ store: layered({ store, staleness: 300 }) }).partition('a'));
    const redeemed: string[] = [];
    const redeem: Redeem = ({ secret }) => {
      redeemed.push(secret);
      const response = {
        access_token: `${redeemed.length}`,
        refresh_token: `rt ${redeemed.length}`,
        expires_in: 0,
      };
      return Promise.resolve({
        token_endpoint: 'https://login.example.com/contoso/oauth2/v2.0/token',
        response,
      });
    };
    await servers[0]?.update((cache) => signIn(cache, 'noor', 'orders', 0));
    for (const server of [...servers, ...servers, ...servers]) {
      const request = {
        client_id: 'my_client_id',
        home_account_id: 'noor.utid',
        environment: 'login.example.com',
        scopes: ['orders'],
      };
      await acquireTokenSilent(server, request, redeem, () => Date.now() / 1000);
    }
    expect(redeemed).toEqual(['refresh token of noor', 'rt 1', 'rt 2', 'rt 3', 'rt 4', 'rt 5']);
  });

  it.each([{ lease: 99 }, { lease: NaN }, { turnTimeout: 0 }, { timeout: Infinity }])(
    '%j is refused',
    (options) => {
      expect(() => caches(options)).toThrow(InvalidArgumentError);
    },
  );
});

describe('whose credentials are in it', () => {
  const refused = { code: 'partition_other_user' };

  it('one user: the first to sign in, until signed out', async () => {
    const { store, counts } = observed();
    const partition = caches({ store }).partition('a');
    await partition.update((cache) => signIn(cache, 'noor'));
    await expect(partition.update((cache) => signIn(cache, 'piet'))).rejects.toMatchObject(refused);
    expect(counts.write).toBe(1);
    expect(await partition.read(namesIn)).toEqual(['noor@contoso.example']);
    await partition.signOut('noor.utid');
    await partition.update((cache) => signIn(cache, 'piet'));
    expect(await partition.read(namesIn)).toEqual(['piet@contoso.example']);
  });

  it('a user by account ID: credentials of others are neither written nor returned', async () => {
    const all = caches();
    const partition = all.partition('a', { user: { home_account_id: 'NOOR.utid' } });
    await expect(partition.update((cache) => signIn(cache, 'piet'))).rejects.toMatchObject(refused);
    await partition.update((cache) => signIn(cache, 'noor'));
    const others = all.partition('a', { user: { home_account_id: 'piet.utid' } });
    await expect(others.read(namesIn)).rejects.toMatchObject(refused);
    await expect(others.signOut('noor.utid')).rejects.toMatchObject(refused);
  });

  it("a user by the app's own id: whoever comes with another is refused, before and after", async () => {
    const all = caches();
    const own = (ownId: string) => all.partition('a', { user: { ownId } });
    await own('42').update((cache) => signIn(cache, 'noor'));
    await expect(own('43').read(namesIn)).rejects.toMatchObject(refused);
    await expect(own('43').update((cache) => signIn(cache, 'noor'))).rejects.toMatchObject(refused);
    await expect(own('42').update((cache) => signIn(cache, 'piet'))).rejects.toMatchObject(refused);
    expect(await own('42').read(namesIn)).toEqual(['noor@contoso.example']);
  });

  it('several users, only if requested', async () => {
    const partition = caches().partition('a', { user: 'several' });
    await partition.update((cache) => signIn(cache, 'noor'));
    await partition.update((cache) => signIn(cache, 'piet'));
    expect(await partition.read(namesIn)).toHaveLength(2);
  });

  it('credentials that are not understood count as well', async () => {
    const partition = caches().partition('a');
    await partition.update((cache) => signIn(cache, 'noor'));
    const { SerializableTokenCache, merge } = await import('../../src-main/cache/index.ts');
    const odd = new SerializableTokenCache();
    odd.deserialize('{"RefreshToken":{"k":{"home_account_id":"piet.utid","secret":"of piet"}}}');
    await expect(partition.update((cache) => void merge(cache, odd))).rejects.toMatchObject(refused);
  });

  it("an app's own tokens are in a partition of client and tenant, where no user is let in", async () => {
    const all = caches();
    const app = { client_id: 'C1', realm: 'contoso' };
    await all.appPartition(app).update((cache) =>
      cache.add({
        client_id: 'C1',
        scope: ['.default'],
        token_endpoint: 'https://login.example.com/contoso/oauth2/v2.0/token',
        response: { access_token: 'of the app', expires_in: 3600 },
        home_account_id: null,
      } as never),
    );
    const countIn = (of: typeof app) =>
      all.appPartition(of).read((cache) => cache.find('AccessToken').length);
    expect(await countIn({ ...app })).toBe(1);
    expect(await countIn({ ...app, client_id: 'c1' })).toBe(0);
    expect(await countIn({ ...app, realm: 'fabrikam' })).toBe(0);
    await expect(all.appPartition(app).update((cache) => signIn(cache, 'noor'))).rejects.toMatchObject(
      refused,
    );
    const sameName = all.partition(JSON.stringify(['', 'C1', 'contoso']));
    expect(await sameName.read((cache) => cache.find('AccessToken').length)).toBe(0);
  });
});

describe('how long it lives', () => {
  const day = 24 * 3600;

  it.each([
    ['tokens' as const, 90 * day],
    [{ refreshTokens: day } as const, day],
    [3600, 3600],
    ['none' as const, null],
    [{ sliding: 600 } as const, 600],
  ])('%j', async (ttl, expected) => {
    const { store, ttls } = observed();
    await caches({ store, ttl, now: () => 1000 })
      .partition('a')
      .update((cache) => signIn(cache, 'noor'));
    expect(ttls).toEqual([expected]);
  });

  it('tokens: until the refresh token expires, if the provider said when', async () => {
    const { store, ttls } = observed();
    await caches({ store, now: () => 1000 })
      .partition('a')
      .update((cache) => {
        signIn(cache, 'noor');
        for (const token of cache.find('RefreshToken'))
          cache.modify('RefreshToken', token, { expires_on: String(1000 + day) });
      });
    expect(ttls).toEqual([day]);
  });

  it('tokens: without a refresh token, until the last access token expires', async () => {
    const { store, ttls } = observed();
    await caches({ store, now: () => 1000 })
      .partition('a')
      .update((cache) => {
        signIn(cache, 'noor', 's1', 1800);
        signIn(cache, 'noor', 's2', 7200);
        for (const token of cache.find('RefreshToken')) cache.modify('RefreshToken', token, null);
      });
    expect(ttls).toEqual([7200]);
  });

  it('sliding: extended by reads, but not by each one', async () => {
    const { store, counts } = observed();
    let now = 1000;
    const partition = caches({ store, ttl: { sliding: 600 }, now: () => now }).partition('a');
    await partition.update((cache) => signIn(cache, 'noor'));
    await partition.read(namesIn);
    await partition.read(namesIn);
    expect(counts.touch).toBe(1);
    now += 61;
    await partition.read(namesIn);
    expect(counts.touch).toBe(2);
  });

  it('an empty cache is deleted, also where the app is still known', async () => {
    const { store, inner, counts } = observed();
    const partition = caches({ store }).partition('a');
    await partition.update((cache) => signIn(cache, 'noor'));
    const receipt = await partition.signOut('noor.utid');
    expect(receipt).toMatchObject({
      remaining: 0,
      removed: { AccessToken: 1, RefreshToken: 1, IdToken: 1, Account: 1 },
    });
    expect(counts.remove).toBe(1);
    expect(await inner.read(partition.key)).toBeNull();
  });

  it.each([[0], [-1], [NaN], [{ sliding: 0 }], [{ refreshTokens: Infinity }]])('%j is no TTL', (ttl) => {
    expect(() => caches({ ttl })).toThrow(InvalidArgumentError);
  });
});

it('requires plain text to be requested by name', () => {
  const { store } = observed();
  // @ts-expect-error JavaScript may leave it out
  expect(() => partitionedCaches({ store })).toThrow(/plain-text/);
  // @ts-expect-error an empty list is none
  expect(() => partitionedCaches({ store, sealingKeys: [] })).toThrow(InvalidArgumentError);
});

it('names the hash in errors, and nothing of the user', async () => {
  const { store, inner } = observed();
  const partition = caches({ store }).partition('noor@contoso.example');
  await inner.write(
    partition.key,
    { bytes: Buffer.from('else'), version: 'v'.repeat(16) },
    { expected: null, ttl: null },
  );
  const error: unknown = await partition.read(namesIn).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PartitionError);
  expect(String(error)).toContain(partition.key);
  expect(String(error)).not.toContain('noor');
});

it('a sliding partition whose lifetime became longer is extended by the next read', async () => {
  const clock = { now: 1_700_000_000 };
  const now = () => clock.now;
  const all = caches({ store: memoryStore({ now }), now });
  await all.partition('a', { ttl: { sliding: 1000 } }).update((cache) => signIn(cache, 'noor'));
  await all.partition('a', { ttl: { sliding: 1000 } }).read(namesIn);
  const longer = all.partition('a', { ttl: { sliding: 100_000 } }); // "Remember me".
  await longer.read(namesIn);
  clock.now += 1500;
  expect(await longer.read(namesIn)).toHaveLength(1);
});
