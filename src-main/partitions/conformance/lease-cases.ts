/** Conformance cases for leases, over two connections as in two processes. */
import { deepStrictEqual, rejects, strictEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { sealed } from './cache-cases.ts';
import { type Check, until } from './check.ts';
import type { Lease, PartitionLeases, PartitionStore } from '../partition-store.ts';

function lease(ttl = 60, name = randomBytes(32).toString('base64url')): Lease {
  return { name, owner: randomBytes(16).toString('base64url'), ttl };
}

const rivalOf = ({ name }: Lease, ttl = 60): Lease => lease(ttl, name);

function leasesOf({ leases }: PartitionStore): PartitionLeases {
  if (leases === undefined) throw new Error('The store has no leases. Pass `leases: false` to the suite.');
  return leases;
}

/** A store whose process dies during its turn: it takes its lease, but never renews or releases it. */
function dying(store: PartitionStore): PartitionStore {
  const leases = leasesOf(store);
  let isTaken = false;
  return {
    ...store,
    leases: {
      take: async (key, wanted, call) => {
        if (isTaken) throw new Error('dead');
        return (isTaken = await leases.take(key, wanted, call));
      },
      give: () => Promise.reject(new Error('dead')),
    },
  };
}

export const leaseCases: Record<string, Check> = {
  'lets one owner hold a lease until it releases it': async ({ store, another }, key) => {
    const [here, there] = [leasesOf(store), leasesOf(another)];
    const mine = lease();
    const theirs = rivalOf(mine);
    strictEqual(await here.take(key, mine), true);
    strictEqual(await there.take(key, theirs), false);
    strictEqual(await here.take(key, mine), true, 'the owner of a lease must be able to renew it');
    await there.give(key, theirs);
    strictEqual(await there.take(key, theirs), false, 'a lease must not be released by another owner');
    await here.give(key, mine);
    await here.give(key, mine);
    strictEqual(await there.take(key, theirs), true);
    strictEqual(await here.take(key, mine), false);
  },

  'gives a lease to one of many that take it at once': async ({ store, another }, key) => {
    const wanted = lease();
    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        leasesOf(index % 2 ? store : another).take(key, rivalOf(wanted)),
      ),
    );
    strictEqual(taken.filter(Boolean).length, 1);
  },

  'expires a lease after its TTL unless it is renewed': async ({ store, another }, key) => {
    const [here, there] = [leasesOf(store), leasesOf(another)];
    const [short, kept] = [lease(0.3), lease(0.3)];
    await here.take(key, kept);
    await here.take(key, { ...kept, ttl: 60 });
    await here.take(key, short);
    await until(() => there.take(key, rivalOf(short)), 'the lease did not expire after its TTL');
    strictEqual(await there.take(key, rivalOf(kept)), false);
    strictEqual(await here.take(key, short), false);
  },

  'keeps a lease independent of other names, other keys and the entry': async ({ store, another }, key) => {
    const mine = lease();
    const entry = { bytes: Buffer.from('entry'), version: 'sixteen-letters!' };
    await leasesOf(store).take(key, mine);
    strictEqual(await leasesOf(another).take(key, lease()), true);
    strictEqual(await leasesOf(another).take(randomBytes(32).toString('base64url'), rivalOf(mine)), true);
    strictEqual(await another.read(key), null);
    strictEqual(await another.write(key, entry, { expected: null, ttl: null }), true);
    strictEqual(await another.remove(key), true);
    strictEqual(await leasesOf(another).take(key, rivalOf(mine)), false);
  },

  'exclusively: runs one task at a time over both connections, and every task': async (
    { store, another },
    id,
  ) => {
    const servers = [sealed(store), sealed(another), sealed(store), sealed(another)];
    let [inside, most, failures] = [0, 0, 0];
    const turn = async (index: number): Promise<number> => {
      most = Math.max(most, (inside += 1));
      await new Promise((resolve) => setTimeout(resolve, 2));
      inside -= 1;
      if (index === 5) throw new Error('of the task');
      return index;
    };
    const done = await Promise.all(
      [0, 4, 8].flatMap((from) =>
        servers.map((caches, server) =>
          caches
            .partition(id)
            .exclusively('turn', () => turn(from + server))
            .catch((error: unknown) => {
              strictEqual(String(error), 'Error: of the task');
              failures += 1;
              return from + server;
            }),
        ),
      ),
    );
    deepStrictEqual(done, Array.from(done.keys()));
    strictEqual(most, 1);
    strictEqual(failures, 1);
  },

  'exclusively: renews the lease of a task that takes longer than its TTL': async (
    { store, another },
    id,
  ) => {
    const leases = leasesOf(store);
    let [takes, hasBegun, hasEnded] = [0, false, false];
    const counted = {
      ...store,
      leases: {
        ...leases,
        take: (...all: Parameters<typeof leases.take>) => ((takes += 1), leases.take(...all)),
      },
    };
    const long = sealed(counted, { lease: 4000 })
      .partition(id)
      .exclusively('turn', async () => {
        hasBegun = true;
        // Three renewals, each a third of the lease apart.
        await until(() => Promise.resolve(takes > 3), 'the lease was not renewed while its task was running');
        hasEnded = true;
      });
    await until(() => Promise.resolve(hasBegun), 'the task did not start');
    const next = sealed(another)
      .partition(id)
      .exclusively('turn', () => Promise.resolve(hasEnded));
    await long;
    strictEqual(await next, true, 'the next task ran before the first one had finished');
  },

  'exclusively: aborts a task after turnLimit and runs the next one': async ({ store, another }, id) => {
    const hung = sealed(store, { turnLimit: 300 }).partition(id);
    let reason: unknown;
    await rejects(
      hung.exclusively('turn', (signal) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
        return new Promise<void>(() => undefined);
      }),
      { code: 'partition_turn_expired', partition: hung.key },
    );
    strictEqual((reason as { code?: unknown }).code, 'partition_turn_expired');
    const next = sealed(another).partition(id);
    strictEqual(await next.exclusively('turn', () => Promise.resolve('next')), 'next');
  },

  'exclusively: runs the next task once the lease of a dead holder has expired': async (
    { store, another },
    id,
  ) => {
    const order: string[] = [];
    let [die, hasBegun] = [(): void => undefined, false];
    const dead = sealed(dying(store), { lease: 2500 })
      .partition(id)
      .exclusively('turn', () => {
        order.push('dies');
        hasBegun = true;
        return new Promise<void>((resolve) => (die = resolve));
      });
    await until(() => Promise.resolve(hasBegun), 'the task did not start');
    const other = sealed(another, { turnTimeout: 1 }).partition(id);
    await rejects(
      other.exclusively('turn', () => Promise.resolve()),
      { code: 'partition_busy', partition: other.key },
    );
    await sealed(another)
      .partition(id)
      .exclusively('turn', () => Promise.resolve(order.push('goes on')));
    deepStrictEqual(order, ['dies', 'goes on']);
    die();
    await dead;
  },
};

/** Cases for a store without leases. */
export const withoutLeases: Record<string, Check> = {
  'declares that it has no leases; one process still runs one task at a time': async ({ store }, id) => {
    strictEqual(store.leases, undefined);
    const partition = sealed(store).partition(id);
    let [inside, most] = [0, 0];
    const turn = async (): Promise<void> => {
      most = Math.max(most, (inside += 1));
      await new Promise((resolve) => setTimeout(resolve, 1));
      inside -= 1;
    };
    await Promise.all([partition.exclusively('turn', turn), partition.exclusively('turn', turn)]);
    strictEqual(most, 1);
  },
};
