/** Outage cases: the server stops, restarts or hangs during a call. */
import { AssertionError } from 'node:assert/strict';
import { PartitionError, PartitionStoreError } from '../../errors.ts';
import { scopesIn, sealed, sign } from './cache-cases.ts';
import { check, type Check, codeOf, handled, until } from './check.ts';
import type { Partition } from '../partitioned-caches.ts';

/**
 * Functions that stop, start, pause and resume a store's server.
 *
 * @example
 * import { spawn } from 'node:child_process';
 * import { once } from 'node:events';
 * import type { ServerControls } from 'tokenkeep/partitions/conformance';
 *
 * const start = () => spawn('redis-server', ['--port', '6390', '--appendonly', 'yes']);
 * let server = start();
 * const controls: ServerControls = {
 *   stop: async () => {
 *     server.kill('SIGKILL');
 *     await once(server, 'exit');
 *   },
 *   start: async () => {
 *     server = start();
 *     await once(server.stdout, 'data');
 *   },
 *   pause: () => void server.kill('SIGSTOP'),
 *   resume: () => void server.kill('SIGCONT'),
 * };
 */
export interface ServerControls {
  /** Stops the server as a crash would. Acknowledged writes must be on its disk. */
  readonly stop: () => Promise<void>;
  /** Starts the server again at the same address, with the same data. */
  readonly start: () => Promise<void>;
  /** Makes the server hang without refusing connections, as SIGSTOP does. */
  readonly pause: () => Promise<void> | void;
  /** Resumes a paused server, as SIGCONT does. */
  readonly resume: () => Promise<void> | void;
}

/**
 * The timeout, in milliseconds, of calls that fail in an outage: shorter than any client's own. Other calls have the timeout of `sealed`.
 */
const TIMEOUT = 2000;

/** Milliseconds: a turn that could not be released ends soon after the server is available again. */
const LEASE = 1000;

export function outageCases(server: ServerControls, leases: boolean): Record<string, Check> {
  const outage =
    (begin: () => Promise<void> | void, end: () => Promise<void> | void): Check =>
    async ({ store, seen }, id) => {
      const partition = sealed(store, { timeout: TIMEOUT, lease: LEASE }).partition(id);
      const patient = sealed(store, { lease: LEASE }).partition(id);
      await patient.update((cache) => sign(cache, 'before'));
      let leave = (): void => undefined;
      const stay = new Promise<void>((resolve) => (leave = resolve));
      let isIn = false;
      const turn = handled(
        partition.exclusively('before', async () => {
          isIn = true;
          await stay;
          return 'done';
        }),
      );
      await until(
        () => Promise.resolve(isIn),
        'A task did not start, although the server was available. `leases.take` must resolve with true for a lease that nobody holds.',
      );
      await begin();
      try {
        await seen?.(); // Until the copies have expired.
        const rejected = rejectsInTime(partition, leases);
        leave();
        const [outcome] = await Promise.all([turn, rejected]);
        check(
          'A task that was running when the server failed did not finish, so a token that the provider had issued is lost. A lease that can’t be released must not fail the task.',
          outcome,
          'done',
        );
      } finally {
        leave();
        await end();
      }
      await comesBackWhole(patient, seen);
      check(
        'After the outage, no task could be run: the lease from before must be released or expire.',
        await patient.exclusively('before', () => Promise.resolve('next')),
        'next',
      );
    };
  return {
    'rejects reads, updates and tasks in time while the server is stopped, and loses nothing': outage(
      () => server.stop(),
      () => server.start(),
    ),

    'rejects reads, updates and tasks in time while the server hangs, and loses nothing': outage(
      () => server.pause(),
      () => server.resume(),
    ),

    'stores each update completely or not at all, and every acknowledged one, if the server stops meanwhile':
      async ({ store, seen }, id) => {
        const partition = sealed(store, { timeout: TIMEOUT }).partition(id);
        const patient = sealed(store).partition(id);
        await patient.update((cache) => sign(cache, 'scope-first'));
        const acknowledged = ['scope-first'];
        const tried = new Set(acknowledged);
        let [isOver, failures] = [false, 0];
        let fault: Error | undefined;
        const reached = (isReached: () => boolean, otherwise: string): Promise<void> =>
          until(
            () => (fault === undefined ? Promise.resolve(isReached()) : Promise.reject(fault)),
            otherwise,
          );
        const writing = (async () => {
          for (let index = 0; !isOver; index += 1) {
            const scope = `scope-${index}`;
            tried.add(scope).add(`${scope}-too`);
            await partition
              .update((cache) => {
                sign(cache, scope);
                sign(cache, `${scope}-too`);
              })
              .then(
                () => acknowledged.push(scope),
                (error: unknown) => {
                  failures += 1;
                  if (!isOutage(error))
                    fault ??= new AssertionError({
                      message: `While the server was stopped, an update failed with “${String(error)}”. A store throws the error of its client, which is then told as \`store_unavailable\`: a TokenkeepError of its own, or a wrong answer, hides the outage.`,
                    });
                },
              );
            await new Promise((resolve) => setTimeout(resolve, 2)); // Avoids a busy loop if the store refuses immediately.
          }
        })();
        try {
          await reached(
            () => acknowledged.length > 5,
            'No update was acknowledged, although the server was available. `write` must resolve.',
          );
          await server.stop();
          await reached(
            () => failures > 0,
            'No update failed, although the server was stopped: what is acknowledged then is stored nowhere. `write` must reject if the server did not confirm it. Or `stop` did not stop the server.',
          );
          await server.start();
          const count = acknowledged.length;
          await reached(
            () => acknowledged.length > count + 2,
            'Calls still failed after the server was available again. The client must reconnect by itself.',
          );
        } finally {
          isOver = true;
          await writing;
        }
        await seen?.();
        const found = new Set(await patient.read(scopesIn));
        check(
          'Updates that were acknowledged are missing after the crash. `write` must not resolve with true before the entry is stored as durably as the store keeps anything, and the server must keep its data over `stop` and `start`.',
          acknowledged.filter((scope) => !found.has(scope)),
          [],
        );
        const isWhole = (scope: string): boolean =>
          scope === 'scope-first' || found.has(scope.endsWith('-too') ? scope.slice(0, -4) : `${scope}-too`);
        check(
          'Something is stored that no update made, or only a part of an update. `write` must store an entry completely or not at all.',
          [...found].filter((scope) => !tried.has(scope) || !isWhole(scope)),
          [],
        );
      },
  };
}

/** A write whose caller has given up may still arrive, so that the next writes lose the race against it. */
function isOutage(error: unknown): boolean {
  const isBusy = error instanceof PartitionError && error.code === 'partition_busy';
  return isBusy || error instanceof PartitionStoreError;
}

async function rejectsInTime(partition: Partition, leases: boolean): Promise<void> {
  // A call that never settles fails by the test runner's own time limit.
  let wasRun = false;
  const [read, update, turn] = await Promise.all([
    codeOf(partition.read(scopesIn)),
    codeOf(partition.update((cache) => sign(cache, 'meanwhile'))),
    leases && codeOf(partition.exclusively('meanwhile', () => Promise.resolve((wasRun = true)))),
  ]);
  const isTold = (code: string | false): boolean =>
    code === false || /^store_(?:timeout|unavailable)$/.test(code);
  check(
    `While the server was not available, the calls ended with ${[read, update, turn].filter((code) => code !== false).join(', ')}. Each must reject: an answer that looks like “there is none” signs users out, and one that looks like “it is stored” loses their tokens. Throw the error of the client, and retry no longer than the call’s \`signal\` allows.`,
    [read, update, turn].every(isTold),
    true,
  );
  check('A task ran although the server could give no lease. `leases.take` must reject.', wasRun, false);
}

async function comesBackWhole(partition: Partition, seen?: () => Promise<void>): Promise<void> {
  await until(
    () =>
      partition.read(scopesIn).then(
        () => true,
        () => false,
      ),
    'Calls still failed after the server was available again. The client must reconnect by itself.',
  );
  await seen?.();
  const found = await partition.read(scopesIn);
  check(
    'An update that was acknowledged before the outage is missing. The server must keep its data over `stop` and `start`.',
    found.includes('before'),
    true,
  );
  await partition.update((cache) => sign(cache, 'after'));
  const after = (await partition.read(scopesIn)).filter((scope) => scope !== 'meanwhile');
  check('After the outage, an update was lost, or `read` returned an older entry.', after, [
    'after',
    'before',
  ]);
}
