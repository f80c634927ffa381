import { randomUUID } from 'node:crypto';
import { InvalidArgumentError } from '../../errors.ts';
import type { PartitionInvalidation } from './layered-store.ts';
import { type PostgresPool, query } from './postgres-connection.ts';

/** Over what processes tell each other which partitions have changed. */
export interface PostgresInvalidationOptions {
  /** One of its connections listens, and is not given back until the end. */
  pool: PostgresPool;
  /** Default: "tokenkeep". */
  channel?: string;
}

/** Between two tries to listen again, in milliseconds. */
const PAUSE = 500;

/** Milliseconds: invalidation that take longer are old, and a server that hangs must not keep the pool's connections for them. */
const TIMEOUT = 1000;

/** News of changed partitions through LISTEN and NOTIFY. A message is a key, and no secret. */
export function postgresInvalidation({
  pool,
  channel = 'tokenkeep',
}: PostgresInvalidationOptions): PartitionInvalidation {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(channel)) {
    throw new InvalidArgumentError("A channel's name is of a-z, 0-9 and _.");
  }
  const self = randomUUID();
  return {
    publish: (key) => {
      const signal = AbortSignal.timeout(TIMEOUT);
      void query(pool, 'SELECT pg_notify($1, $2)', [channel, `${self} ${key}`], signal).catch(
        () => undefined,
      );
    },
    subscribe: async (onChange, onGap) => {
      let [hasEnded, timer]: [boolean, NodeJS.Timeout | undefined] = [false, undefined];
      let leave = (): void => undefined;
      const again = (): void => {
        if (hasEnded) return;
        timer = setTimeout(() => void listen().catch(again), PAUSE);
        timer.unref();
      };
      const listen = async (): Promise<void> => {
        const connection = await pool.connect();
        let isOpen = true;
        leave = (): void => {
          if (!isOpen) return;
          isOpen = false;
          connection.release(true);
        };
        const lost = (): void => {
          if (!isOpen) return;
          leave();
          onGap();
          again();
        };
        connection.on('error', lost);
        connection.on('end', lost);
        connection.on('notification', ({ payload = '' }) => {
          const [sender, key] = payload.split(' ');
          if (sender !== self && key !== undefined) onChange(key);
        });
        try {
          await connection.query(`LISTEN "${channel}"`);
        } catch (error) {
          leave();
          throw error;
        }
        if (hasEnded) leave();
        onGap(); // What was told before is not heard.
      };
      await listen();
      return () => {
        hasEnded = true;
        clearTimeout(timer);
        leave();
        return Promise.resolve();
      };
    },
  };
}
