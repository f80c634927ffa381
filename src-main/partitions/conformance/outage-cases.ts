/** Outage cases: the server stops, restarts or hangs during a call. */
import { AssertionError, deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict';
import { PartitionError, PartitionStoreError } from '../../errors.ts';
import { scopesIn, sealed, sign } from './cache-cases.ts';
import { type Check, until } from './check.ts';
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
      const turn = partition.exclusively('before', async () => {
        isIn = true;
        await stay;
        return 'done';
      });
      await until(() => Promise.resolve(isIn), 'the task did not start, although the server was available');
      await begin();
      try {
        await seen?.(); // Until the copies have expired.
        const rejected = rejectsInTime(partition, leases);
        leave();
        const [outcome] = await Promise.all([turn, rejected]);
        strictEqual(outcome, 'done', 'a task that was running when the server failed must finish');
      } finally {
        leave();
        await end();
      }
      await comesBackWhole(patient, seen);
      strictEqual(await patient.exclusively('before', () => Promise.resolve('next')), 'next');
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
                  if (!isOutage(error)) fault ??= new AssertionError({ message: String(error) });
                },
              );
            await new Promise((resolve) => setTimeout(resolve, 2)); // Avoids a busy loop if the store refuses immediately.
          }
        })();
        try {
          await reached(
            () => acknowledged.length > 5,
            'no update was acknowledged, although the server was available',
          );
          await server.stop();
          await reached(() => failures > 0, 'no update failed, although the server was stopped');
          await server.start();
          const count = acknowledged.length;
          await reached(
            () => acknowledged.length > count + 2,
            'reads still failed after the server was available again',
          );
        } finally {
          isOver = true;
          await writing;
        }
        await seen?.();
        const found = new Set(await patient.read(scopesIn));
        for (const scope of acknowledged)
          ok(found.has(scope), `the update ${scope} was acknowledged and is missing`);
        for (const scope of found) {
          ok(tried.has(scope), `the update ${scope} is stored, but was never made`);
          const other = scope.endsWith('-too') ? scope.slice(0, -4) : `${scope}-too`;
          ok(scope === 'scope-first' || found.has(other), `of the update ${scope}, only a part is stored`);
        }
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
  const failure = { name: 'PartitionStoreError', code: /^store_(timeout|unavailable)$/ };
  let wasRun = false;
  await Promise.all([
    rejects(partition.read(scopesIn), failure),
    rejects(
      partition.update((cache) => sign(cache, 'meanwhile')),
      failure,
    ),
    leases &&
      rejects(
        partition.exclusively('meanwhile', () => Promise.resolve((wasRun = true))),
        failure,
      ),
  ]);
  strictEqual(wasRun, false, 'a task ran, although the server could grant no lease');
}

async function comesBackWhole(partition: Partition, seen?: () => Promise<void>): Promise<void> {
  await until(
    () =>
      partition.read(scopesIn).then(
        () => true,
        () => false,
      ),
    'reads still failed after the server was available again',
  );
  await seen?.();
  const found = await partition.read(scopesIn);
  ok(found.includes('before'), 'an update that was acknowledged before the outage is missing');
  await partition.update((cache) => sign(cache, 'after'));
  const after = (await partition.read(scopesIn)).filter((scope) => scope !== 'meanwhile');
  deepStrictEqual(after, ['after', 'before']);
}
