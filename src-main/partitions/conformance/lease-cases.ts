/** Conformance cases for leases, over two connections as in two processes. */
import { AssertionError } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { sealed } from './cache-cases.ts';
import { check, type Check, codeOf, handled, until } from './check.ts';
import type { Lease, PartitionLeases, PartitionStore } from '../partition-store.ts';

function lease(ttl = 60, name = randomBytes(32).toString('base64url')): Lease {
  return { name, owner: randomBytes(16).toString('base64url'), ttl };
}

const rivalOf = ({ name }: Lease, ttl = 60): Lease => lease(ttl, name);

function leasesOf({ leases }: PartitionStore): PartitionLeases {
  if (leases === undefined)
    throw new AssertionError({
      message:
        'The store has no leases, so two servers refresh a token at the same time. Add `leases` to the store, or pass `leases: false` to the suite if it can’t have them.',
    });
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
    const free =
      '`leases.take` did not give a lease that nobody holds, or that its holder has released: no refresh can begin. Resolve with true.';
    const held =
      '`leases.take` gave a lease that another owner holds, so two servers send the same refresh token, and the provider may end the sign-in. Resolve with false.';
    check(free, await here.take(key, mine), true);
    check(held, await there.take(key, theirs), false);
    check(
      '`leases.take` refused the owner of the lease, so it can’t be renewed, or taken again after a lost answer. For the same owner, set the new expiry time and resolve with true.',
      await here.take(key, mine),
      true,
    );
    await there.give(key, theirs);
    check(
      '`leases.give` released the lease of another owner, so two servers send the same refresh token. Compare the owner and delete in one atomic step.',
      await there.take(key, theirs),
      false,
    );
    await here.give(key, mine);
    await here.give(key, mine);
    check(free, await there.take(key, theirs), true);
    check(held, await here.take(key, mine), false);
  },

  'gives a lease to one of many that take it at once': async ({ store, another }, key) => {
    const wanted = lease();
    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        leasesOf(index % 2 ? store : another).take(key, rivalOf(wanted)),
      ),
    );
    check(
      'Of 20 owners that took a lease at once, not exactly one got it. Compare the owner and write in one step of the server, not by a read and a write.',
      taken.filter(Boolean).length,
      1,
    );
  },

  'expires a lease after its TTL unless it is renewed': async ({ store, another }, key) => {
    const [here, there] = [leasesOf(store), leasesOf(another)];
    const [short, kept] = [lease(0.3), lease(0.3)];
    await here.take(key, kept);
    await here.take(key, { ...kept, ttl: 60 });
    await here.take(key, short);
    await until(
      () => there.take(key, rivalOf(short)),
      'A lease with `ttl: 0.3` did not expire, so a process that dies blocks the user on all servers. `ttl` is in seconds, with fractions.',
    );
    check(
      'A lease that was renewed for 60 s expired with its first TTL of 0.3 s. `take` by the same owner sets the new expiry time.',
      await there.take(key, rivalOf(kept)),
      false,
    );
    check(
      '`leases.take` renewed a lease that had expired and that another owner holds now.',
      await here.take(key, short),
      false,
    );
  },

  'keeps a lease independent of other names, other keys and the entry': async ({ store, another }, key) => {
    const mine = lease();
    const entry = { bytes: Buffer.from('entry'), version: 'sixteen-letters!' };
    await leasesOf(store).take(key, mine);
    const told =
      'A lease blocked another name, another key or the entry, or was removed with the entry. A lease is known by its key and its name together, and is stored beside the entry.';
    check(told, await leasesOf(another).take(key, lease()), true);
    check(told, await leasesOf(another).take(randomBytes(32).toString('base64url'), rivalOf(mine)), true);
    check(told, await another.read(key), null);
    check(told, await another.write(key, entry, { expected: null, ttl: null }), true);
    check(told, await another.remove(key), true);
    check(told, await leasesOf(another).take(key, rivalOf(mine)), false);
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
              check('A task was not run.', String(error), 'Error: of the task');
              failures += 1;
              return from + server;
            }),
        ),
      ),
    );
    check('A task was not run, or its result was lost.', [done, failures], [Array.from(done.keys()), 1]);
    check(
      'Two tasks of one partition ran at the same time, so both send the same refresh token. `leases.take` must resolve with true for one owner at a time, over all connections.',
      most,
      1,
    );
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
    const long = handled(
      sealed(counted, { lease: 4000 })
        .partition(id)
        .exclusively('turn', async () => {
          hasBegun = true;
          // Three renewals, each a third of the lease apart.
          await until(
            () => Promise.resolve(takes > 3),
            'The lease was not renewed while its task was running. `leases.take` must answer each renewal.',
          );
          hasEnded = true;
        }),
    );
    const begun = until(
      () => Promise.resolve(hasBegun),
      'The task did not start: `leases.take` must resolve with true for a lease that nobody holds.',
    );
    await Promise.race([begun, long]);
    const next = handled(
      sealed(another)
        .partition(id)
        .exclusively('turn', () => Promise.resolve(hasEnded)),
    );
    await long;
    check(
      'The next task ran before the first one had finished: its lease expired although it was renewed. `leases.take` by the same owner sets the new expiry time.',
      await next,
      true,
    );
  },

  'exclusively: aborts a task after turnLimit and runs the next one': async ({ store, another }, id) => {
    const hung = sealed(store, { turnLimit: 300 }).partition(id);
    let reason: unknown;
    const outcome = hung.exclusively('turn', (signal) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      return new Promise<void>(() => undefined);
    });
    check('A task without an end kept its turn.', await codeOf(outcome), 'partition_turn_expired');
    check(
      'A task without an end was not aborted.',
      (reason as { code?: unknown } | undefined)?.code,
      'partition_turn_expired',
    );
    const next = sealed(another).partition(id);
    check(
      'After a task without an end, the next one was not run. `leases.give` must release the lease of its owner.',
      await next.exclusively('turn', () => Promise.resolve('next')),
      'next',
    );
  },

  'exclusively: runs the next task once the lease of a dead holder has expired': async (
    { store, another },
    id,
  ) => {
    // If this process was held up until the lease may have expired, nothing is known of the store: try again with a longer one.
    for (const lease of [2500, 10_000]) {
      const [turn, order, since] = [`turn-${lease}`, [] as string[], performance.now()];
      let [die, hasBegun] = [(): void => undefined, false];
      const dead = handled(
        sealed(dying(store), { lease })
          .partition(id)
          .exclusively(turn, () => {
            order.push('dies');
            hasBegun = true;
            return new Promise<void>((resolve) => (die = resolve));
          }),
      );
      const begun = until(
        () => Promise.resolve(hasBegun),
        'The task did not start: `leases.take` must resolve with true for a lease that nobody holds.',
      );
      await Promise.race([begun, dead]);
      const other = sealed(another, { turnTimeout: 1 }).partition(id);
      const code = await codeOf(other.exclusively(turn, () => Promise.resolve()));
      const isLate = code === 'done' && performance.now() - since > lease * 0.8 && lease < 10_000;
      if (!isLate) {
        check(
          'A task ran while another process held its lease. `leases.take` must resolve with false for another owner until the lease expires.',
          code,
          'partition_busy',
        );
        await sealed(another)
          .partition(id)
          .exclusively(turn, () => Promise.resolve(order.push('goes on')));
        check(
          'After the process that held a lease had died, the next task was not run. The lease must expire after its `ttl`.',
          order,
          ['dies', 'goes on'],
        );
      }
      die();
      await dead;
      if (!isLate) return;
    }
  },
};

/** Cases for a store without leases. */
export const withoutLeases: Record<string, Check> = {
  'declares that it has no leases; one process still runs one task at a time': async ({ store }, id) => {
    check(
      'The store has leases. Leave out `leases: false`, so that the suite tests them.',
      store.leases,
      undefined,
    );
    const partition = sealed(store).partition(id);
    let [inside, most] = [0, 0];
    const turn = async (): Promise<void> => {
      most = Math.max(most, (inside += 1));
      await new Promise((resolve) => setTimeout(resolve, 1));
      inside -= 1;
    };
    await Promise.all([partition.exclusively('turn', turn), partition.exclusively('turn', turn)]);
    check('Two tasks of one partition ran at the same time in this process.', most, 1);
  },
};
