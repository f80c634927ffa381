/**
 * The operator of the store attacks: reads every entry, writes, moves, removes and restores entries, and lies about what was written. One
 * attack works, and docs/threat-model.md says so: restoring an older entry of the same partition is not detected.
 */
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  memoryStore,
  type PartitionStore,
  type SealingKeys,
  type StoredPartition,
} from '../../src-main/partitions/index.ts';
import { caches, namesIn, signIn } from './people.ts';

/** A store whose operator sees everything in it and can change it. */
function hostile() {
  const honest = memoryStore();
  const seen = new Map<string, StoredPartition[]>();
  let lie: Partial<PartitionStore> = {};
  const current = (): PartitionStore => ({ ...honest, ...lie });
  const store: PartitionStore = {
    read: (...args) => current().read(...args),
    async write(key, entry, ...rest) {
      seen.set(key, [...(seen.get(key) ?? []), entry]);
      return current().write(key, entry, ...rest);
    },
    remove: (...args) => current().remove(...args),
    touch: (...args) => honest.touch(...args),
  };
  return {
    store,
    seen,
    lieAbout: (lies: Partial<PartitionStore>) => (lie = lies),
    put: async (key: string, entry: StoredPartition | undefined): Promise<void> => {
      await honest.remove(key);
      if (entry !== undefined) await honest.write(key, entry, { expected: null, ttl: null });
    },
  };
}

async function stage() {
  const operator = hostile();
  const all = caches({ store: operator.store, timeout: 2000 });
  const [ada, bob] = [all.partition('session-of-ada'), all.partition('session-of-bob')];
  await ada.update((cache) => signIn(cache, 'ada'));
  await bob.update((cache) => signIn(cache, 'bob'));
  const last = (key: string): StoredPartition => operator.seen.get(key)!.at(-1)!;
  return { ...operator, ada, bob, last };
}

/** A key of the operator, under the id of the real one. */
const OTHER_KEYS: SealingKeys = [{ id: 'k1', key: randomBytes(32) }];

describe('an operator who reads', () => {
  it('finds no name, no token and no partition id in keys, entries and versions', async () => {
    const { seen } = await stage();
    const everything = inspect(
      [...seen].map(([key, entries]) => [
        key,
        entries.map(({ bytes, version }) => [version, Buffer.from(bytes).toString('latin1')]),
      ]),
      { depth: null, maxStringLength: null },
    );
    expect(everything.length).toBeGreaterThan(500);
    expect(everything).not.toMatch(/ada|bob|session-of|token|contoso|my_client_id/i);
  });

  it('finds them neither in the index of users, nor in what leases are named', async () => {
    const { store, seen } = hostile();
    const leased: string[] = [];
    const honest = memoryStore().leases!;
    const take: typeof honest.take = (name, ...rest) => {
      leased.push(name);
      return honest.take(name, ...rest);
    };
    const all = caches({ store: { ...store, leases: { ...honest, take } }, userIndex: true });
    const ada = all.partition('session-of-ada');
    await ada.update((cache) => signIn(cache, 'ada'));
    await ada.exclusively('turn', () => Promise.resolve());
    expect(seen.size).toBeGreaterThan(2); // the partition, and an entry for each name of its user
    expect(leased).not.toEqual([]);
    const entries = [...seen].map(([key, all]) => [
      key,
      all.map(({ bytes }) => Buffer.from(bytes).toString('latin1')),
    ]);
    expect(JSON.stringify([entries, leased])).not.toMatch(/ada|session-of|contoso|my_client_id/i);
  });

  it('can tell whether an ID that they can guess is there, and so IDs of sessions have to be random', async () => {
    const { seen } = await stage();
    const mine = caches({ sealingKeys: OTHER_KEYS });
    expect(seen.has(mine.partition('session-of-ada').key)).toBe(true);
    expect(seen.has(mine.partition('session-of-eve').key)).toBe(false);
  });
});

describe('an operator who writes', () => {
  it('cannot forge an entry, move it to another user or replace it', async () => {
    const { ada, bob, last, put } = await stage();
    const [own, others] = [last(ada.key), last(bob.key)];
    const forged = caches({ sealingKeys: OTHER_KEYS });
    const theirs = hostile();
    await caches({ store: theirs.store, sealingKeys: OTHER_KEYS })
      .partition('session-of-ada')
      .update((cache) => signIn(cache, 'mallory'));
    expect(forged.partition('session-of-ada').key).toBe(ada.key); // anyone who has the library can compute the names
    for (const [what, bytes] of Object.entries({
      'the entry of another user': others.bytes,
      'one sealed with a key of their own': theirs.seen.get(ada.key)!.at(-1)!.bytes,
      'plain text': Buffer.from('{"Account":{}}'),
      'half of it': own.bytes.subarray(0, own.bytes.length / 2),
      'it twice': Buffer.concat([own.bytes, own.bytes]),
      nothing: Buffer.alloc(0),
    })) {
      await put(ada.key, { bytes, version: 'a-version-of-16c' });
      await expect(ada.read(namesIn), what).rejects.toMatchObject({ name: 'PartitionError' });
      await expect(
        ada.update((cache) => signIn(cache, 'ada')),
        what,
      ).rejects.toMatchObject({ name: 'PartitionError' });
    }
    await put(ada.key, own);
    expect(await ada.read(namesIn)).toEqual(['ada@contoso.example']);
  });

  it('can remove an entry: only its user has to sign in again', async () => {
    const { ada, bob, put } = await stage();
    await put(ada.key, undefined);
    expect(await ada.read(namesIn)).toEqual([]);
    expect(await bob.read(namesIn)).toEqual(['bob@contoso.example']);
  });
});

describe('an operator who restores and replays', () => {
  it('can restore an older entry of the same partition only', async () => {
    const { ada, last, put } = await stage();
    const older = last(ada.key);
    await ada.update((cache) => signIn(cache, 'ada', 'more'));
    const scopes = (): Promise<string[]> =>
      ada.read((cache) => cache.find('AccessToken').map(({ target }) => target));
    expect(await scopes()).toHaveLength(2);
    await put(ada.key, older);
    expect(await scopes()).toEqual(['orders']); // not detected: docs/threat-model.md
  });

  it('can restore the entry of an ended session in its own partition only', async () => {
    const { ada, bob, last, put } = await stage();
    const older = last(ada.key);
    await ada.update((cache) => void cache.signOutAll());
    expect(await ada.read(namesIn)).toEqual([]);
    await put(bob.key, older);
    await expect(bob.read(namesIn)).rejects.toMatchObject({ code: 'partition_damaged' });
  });
});

describe('an operator who lies', () => {
  it('that a write was refused: the update rejects', async () => {
    const { ada, lieAbout } = await stage();
    lieAbout({ write: () => Promise.resolve(false) });
    await expect(ada.update((cache) => signIn(cache, 'ada', 'more'))).rejects.toMatchObject({
      code: 'partition_busy',
    });
    lieAbout({});
    expect(await ada.read((cache) => cache.find('AccessToken').length)).toBe(1);
  });

  it('with bytes that are no entry: the read rejects', async () => {
    const { ada, lieAbout } = await stage();
    for (const answer of [
      undefined,
      'entry',
      7,
      [],
      { bytes: 'text', version: 'v' },
      { bytes: new Uint8Array(9) },
    ]) {
      lieAbout({ read: () => Promise.resolve(answer as never) });
      await expect(ada.read(namesIn), inspect(answer)).rejects.toThrow();
    }
  });
});

describe('a store of one’s own that breaks its contract', () => {
  const inner = memoryStore();
  const { leases } = inner;
  const wrong: Record<string, (answer: unknown) => Partial<Record<keyof PartitionStore, unknown>>> = {
    read: (answer) => ({ read: () => Promise.resolve(answer) }),
    write: (answer) => ({ write: () => Promise.resolve(answer) }),
    'write, at once': (answer) => ({ write: () => answer }),
    'leases.take': (answer) => ({ leases: { ...leases, take: () => Promise.resolve(answer) } }),
  };
  const answers: readonly unknown[] = [undefined, 0, 1, '', 'OK', {}, { rowCount: 0 }, []];
  const entries = [{ bytes: 'text', version: 'v' }, { bytes: new Uint8Array(9) }, { bytes: [], version: 5 }];
  const cases = Object.entries(wrong).flatMap(([name, make]) =>
    [...answers, ...(name === 'read' ? entries : [null])].map(
      (answer) => [name, inspect(answer), make(answer)] as const,
    ),
  );

  it.each(cases)(
    '%s with %s is told as the store’s fault, and as done to nobody',
    async (name, _, functions) => {
      const store = { ...memoryStore(), ...functions } as PartitionStore;
      const all = caches({ store });
      const partition = all.partition('a');
      const told = { code: 'store_mismatch', message: expect.not.stringMatching(/try again/i) as string };
      await expect(all.check()).rejects.toMatchObject(told);
      if (name === 'leases.take') {
        const turn = partition.exclusively('turn', () => Promise.resolve('taken'));
        await expect(turn).rejects.toMatchObject(told);
      } else {
        await expect(partition.update((cache) => signIn(cache, 'ada'))).rejects.toMatchObject(told);
      }
    },
  );

  it('an update whose answer was wrong, but which is in the store, succeeds', async () => {
    const stored = memoryStore();
    const write = async (...args: Parameters<PartitionStore['write']>) => {
      await stored.write(...args);
      return undefined as never;
    };
    const partition = caches({ store: { ...stored, write } }).partition('a');
    await partition.update((cache) => signIn(cache, 'ada'));
    expect(await partition.read(namesIn)).toEqual(['ada@contoso.example']);
  });

  it.each(['read', 'write', 'remove', 'touch'] as const)('%s that throws rejects the call', async (name) => {
    const store = {
      ...memoryStore(),
      [name]: () => {
        throw new Error('at once');
      },
    };
    await expect(caches({ store }).check()).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});
