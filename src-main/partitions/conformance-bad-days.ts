/** The server stopped, restarted and slow, in the middle. */
import { deepStrictEqual, ok, rejects } from 'node:assert/strict';
import { PartitionStoreError } from '../errors.ts';
import { scopesIn, sealed, sign } from './conformance-caches.ts';
import type { Check } from './conformance.ts';
import { until } from './conformance-until.ts';
import type { Partition } from './partitioned-caches.ts';

/** What a store's server is made to go through. */
export interface ServerControls {
  /** Ends it as a crash would; what it acknowledged must be on its disk. */
  readonly stop: () => Promise<void>;
  /** Starts it again at the same address, with what it had. */
  readonly start: () => Promise<void>;
  /** It answers nothing and refuses nothing, as SIGSTOP makes it. */
  readonly pause: () => Promise<void> | void;
  /** It goes on where it was paused, as SIGCONT makes it. */
  readonly resume: () => Promise<void> | void;
}

/** Milliseconds: shorter than any client's own patience, and longer than an answer takes on a busy machine. */
const PATIENCE = 1500;

export function badDays(server: ServerControls): Record<string, Check> {
  return {
    'stopped: reads and updates reject in time; started: all is as it was': async ({ store }, id) => {
      const partition = sealed(store, { patience: PATIENCE }).partition(id);
      await partition.update((cache) => sign(cache, 'before'));
      await server.stop();
      try {
        await rejectsInTime(partition);
      } finally {
        await server.start();
      }
      await comesBackWhole(partition);
    },

    'hanging: reads and updates reject in time; going on: all is as it was': async ({ store }, id) => {
      const partition = sealed(store, { patience: PATIENCE }).partition(id);
      await partition.update((cache) => sign(cache, 'before'));
      await server.pause();
      try {
        await rejectsInTime(partition);
      } finally {
        await server.resume();
      }
      await comesBackWhole(partition);
    },

    'stopped in the middle of updates: each is there whole or not at all, and all that were acknowledged':
      async ({ store }, id) => {
        const partition = sealed(store, { patience: PATIENCE }).partition(id);
        await partition.update((cache) => sign(cache, 'scope-first'));
        const acknowledged = ['scope-first'];
        const tried = new Set(acknowledged);
        let [isOver, failures] = [false, 0];
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
                  ok(error instanceof PartitionStoreError, String(error));
                  failures += 1;
                },
              );
            await new Promise((resolve) => setTimeout(resolve, 2)); // A store that refuses at once would be asked without end.
          }
        })();
        try {
          await until(() => Promise.resolve(acknowledged.length > 5), 'no update was acknowledged');
          await server.stop();
          await until(() => Promise.resolve(failures > 0), 'no update failed');
          await server.start();
          const count = acknowledged.length;
          await until(() => Promise.resolve(acknowledged.length > count + 2), 'it never came back');
        } finally {
          isOver = true;
          await writing;
        }
        const found = new Set(await partition.read(scopesIn));
        for (const scope of acknowledged) ok(found.has(scope), `${scope} was acknowledged and is gone`);
        for (const scope of found) {
          ok(tried.has(scope), `${scope} comes from nowhere`);
          const other = scope.endsWith('-too') ? scope.slice(0, -4) : `${scope}-too`;
          ok(scope === 'scope-first' || found.has(other), `${scope} is half of an update`);
        }
      },
  };
}

async function rejectsInTime(partition: Partition): Promise<void> {
  // Within the runner's own time limit: a call that never settles fails there.
  const failure = { name: 'PartitionStoreError', code: /^store_(timeout|unavailable)$/ };
  await rejects(partition.read(scopesIn), failure);
  await rejects(
    partition.update((cache) => sign(cache, 'meanwhile')),
    failure,
  );
}

async function comesBackWhole(partition: Partition): Promise<void> {
  await until(
    () =>
      partition.read(scopesIn).then(
        () => true,
        () => false,
      ),
    'it never came back',
  );
  const found = await partition.read(scopesIn);
  ok(found.includes('before'), 'what was acknowledged is gone');
  await partition.update((cache) => sign(cache, 'after'));
  const after = (await partition.read(scopesIn)).filter((scope) => scope !== 'meanwhile');
  deepStrictEqual(after, ['after', 'before']);
}
