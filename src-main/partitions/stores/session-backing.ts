/** What lies behind the session object of a request: where all requests of that browser find it. */
import { KeyedQueue } from '../../queue.ts';
import { memoryLeases } from './memory-store.ts';
import type { PartitionLeases } from '../partition-store.ts';

export interface SessionBacking {
  /** The session as it is stored now; empty: it is not stored, yet or any more. */
  now(): Promise<object>;
  /** Runs what reads and then saves, one at a time for all requests of this process that have this session. */
  inTurn<T>(task: () => Promise<T>): Promise<T>;
  /** Among the requests of this process; absent where they can't know of each other. */
  readonly leases?: PartitionLeases;
}

/** As much of express-session's store as is used. */
type Get = (id: string, done: (error: unknown, session?: unknown) => void) => void;

/** Of a store of sessions, or of a session that has none behind it. */
const shared = new WeakMap<object, { queue: KeyedQueue; leases: PartitionLeases }>();

function sharedOf(one: object): { queue: KeyedQueue; leases: PartitionLeases } {
  const known = shared.get(one);
  if (known !== undefined) return known;
  const made = { queue: new KeyedQueue(), leases: memoryLeases(() => performance.now() / 1000) };
  shared.set(one, made);
  return made;
}

export function backingOf(session: object): SessionBacking {
  const store = property(property(session, 'req'), 'sessionStore');
  const id = property(session, 'id');
  const get = property(store, 'get');
  if (typeof store !== 'object' || store === null || typeof id !== 'string' || typeof get !== 'function') {
    // The object is all there is, as with `cookie-session`.
    const { queue } = sharedOf(session);
    return { now: () => Promise.resolve(session), inTurn: (task) => queue.run('', task) };
  }
  const { queue, leases } = sharedOf(store);
  return {
    now: () =>
      new Promise((resolve, reject) => {
        const done: Parameters<Get>[1] = (error, found) => {
          if (error !== undefined && error !== null)
            reject(error instanceof Error ? error : new Error('The session was not read.', { cause: error }));
          else resolve(typeof found === 'object' && found !== null ? found : {});
        };
        Reflect.apply(get, store, [id, done] satisfies Parameters<Get>);
      }),
    inTurn: (task) => queue.run(id, task),
    leases,
  };
}

function property(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}
