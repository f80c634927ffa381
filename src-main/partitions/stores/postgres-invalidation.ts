/** Invalidation through LISTEN and NOTIFY: processes tell each other which partitions have changed. */
import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, PartitionStoreError } from '../../errors.ts';
import { checkOptions, TEXT } from '../../options.ts';
import type { PartitionInvalidation } from './layered-store.ts';
import { assertPool, checkout, explained, type PostgresPool, query } from './postgres-connection.ts';
import { subscribed, UNSUBSCRIBED } from './subscribing.ts';

/** Options of the invalidation. */
export interface PostgresInvalidationOptions {
  /** One of its connections listens, and is not returned to the pool until the subscription ends. */
  pool: PostgresPool;
  /** Default: "tokenkeep". */
  channel?: string;
}

const LOST = 'The connection was lost before it listened.';

/** Milliseconds between attempts to listen again. */
const PAUSE = 500;

/** Milliseconds. A later message is useless, and a hanging server must not occupy the pool's connections. */
const TIMEOUT = 1000;

/** Milliseconds within which the listener must receive its own first message. */
const HEARD_WITHIN = 3000;

/** How many connections of each pool listen. */
const listeners = new WeakMap<PostgresPool, number>();

/** @throws PartitionStoreError `store_client` if one more listener would leave the pool no connection for anything else */
function assertRoom(pool: PostgresPool): void {
  const max: unknown = Reflect.get(Object(Reflect.get(pool, 'options')) as object, 'max');
  const needed = (listeners.get(pool) ?? 0) + 2;
  if (typeof max !== 'number' || max >= needed) return;
  throw new PartitionStoreError(
    'store_client',
    `The pool opens ${max === 1 ? 'one connection' : `${max} connections`} at most (\`max: ${max}\`), all of which would only listen, so that every call would wait for another. Give it \`max: ${needed}\` or more. ${UNSUBSCRIBED}`,
  );
}

function countListener(pool: PostgresPool, change: 1 | -1): void {
  listeners.set(pool, (listeners.get(pool) ?? 0) + change);
}

/**
 * Invalidates copies through LISTEN and NOTIFY. A message is a partition's key and holds no secret.
 *
 * It keeps one connection of the pool, which must have more than one. Subscribing rejects with `store_client` if it has not, or if the
 * listener does not hear its own message: a pooler in transaction mode, such as PgBouncer's, accepts LISTEN and never delivers anything.
 *
 * @throws InvalidArgumentError; PartitionStoreError `store_client`
 * @example
 * import pg from 'pg';
 * import { layered } from 'tokenkeep/partitions';
 * import { postgresInvalidation, postgresStore } from 'tokenkeep/partitions/postgres';
 *
 * const pool = new pg.Pool({ connectionString: 'postgres://localhost/my-app' });
 * const store = layered({ store: postgresStore({ pool }), staleness: 10, invalidation: postgresInvalidation({ pool }) });
 * await store.listening;
 */
export function postgresInvalidation(options: PostgresInvalidationOptions): PartitionInvalidation {
  const { pool, channel = 'tokenkeep' } = checkOptions(
    'postgresInvalidation',
    options,
    { pool: true, channel: TEXT },
    'Nothing was subscribed.',
  );
  assertPool(pool);
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(channel)) {
    throw new InvalidArgumentError("A channel's name consists of a-z, 0-9 and _.", { field: 'channel' });
  }
  const self = randomUUID();
  const notify = (message: string, timeout: number): Promise<unknown> =>
    query(pool, 'SELECT pg_notify($1, $2)', [channel, `${self} ${message}`], AbortSignal.timeout(timeout));
  return {
    publish: (key) => void notify(key, TIMEOUT).catch(() => undefined),
    subscribe: (onChange, onGap, signal) => {
      let [hasEnded, timer]: [boolean, NodeJS.Timeout | undefined] = [false, undefined];
      let leave = (): void => undefined;
      const again = (): void => {
        if (hasEnded) return;
        timer = setTimeout(() => void listen().catch(again), PAUSE);
        timer.unref();
      };
      const listen = async (): Promise<void> => {
        assertRoom(pool);
        const { connection, release } = await checkout(pool);
        if (hasEnded) {
          release(false);
          return;
        }
        countListener(pool, 1);
        let [isOpen, isListening] = [true, false];
        let fail = (_error: Error): void => undefined;
        const failed = new Promise<never>((_resolve, reject) => (fail = reject));
        failed.catch(() => undefined);
        const probe = `probe-${randomUUID()}`;
        let hear = (): void => undefined;
        const heard = new Promise<void>((resolve) => (hear = resolve));
        leave = () => {
          if (isOpen) countListener(pool, -1);
          isOpen = false;
          release(true);
        };
        const lost = (): void => {
          if (!isOpen) return;
          leave();
          if (!isListening) {
            fail(new Error(LOST));
            return;
          }
          onGap();
          again();
        };
        // Before the first statement: the answer to LISTEN and the end of the connection may arrive in one packet.
        connection.on('error', lost);
        connection.on('end', lost);
        try {
          connection.on('notification', ({ payload = '' }) => {
            const [sender, key] = payload.split(' ');
            if (key === probe) hear();
            else if (sender !== self && key !== undefined) onChange(key);
          });
          await connection.query(`LISTEN "${channel}"`);
          // The pool may never give a second connection.
          const told = notify(probe, HEARD_WITHIN).then(() => heard);
          await Promise.race([failed, within(HEARD_WITHIN, told)]);
          if (!isOpen) throw new Error(LOST);
          isListening = true;
        } catch (error) {
          leave();
          throw error;
        }
        onGap(); // Earlier messages were missed.
      };
      return subscribed(signal, {
        begin: listen,
        close: () => {
          hasEnded = true;
          clearTimeout(timer);
          leave();
        },
        explained,
      });
    },
  };
}

function within(milliseconds: number, heard: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () =>
        reject(
          new PartitionStoreError(
            'store_client',
            `LISTEN was accepted, and its own message was not delivered within ${milliseconds} ms: a pooler in transaction mode, such as PgBouncer's, drops them, or the pool has no second connection. Give postgresInvalidation a pool of at least two that connects to PostgreSQL directly, or do without it. ${UNSUBSCRIBED}`,
          ),
        ),
      milliseconds,
    );
    void heard.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
