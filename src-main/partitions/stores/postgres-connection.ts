/** What is used of the `pg` package, and how one statement runs on a connection of its pool. */
import { PartitionStoreError, TokenkeepError } from '../../errors.ts';
import { has } from './redis-client.ts';

/** What is used of a `Pool` of the `pg` package. */
export interface PostgresPool {
  /** As in `pg`. The callback is called as soon as there is a connection: see `checkout`. */
  connect(
    callback: (
      error: Error | undefined,
      connection?: PostgresConnection,
      release?: (destroy?: boolean) => void,
    ) => void,
  ): unknown;
}

/** What is used of a connection. */
export interface PostgresConnection {
  /** As in `pg`. */
  query(text: string, values?: unknown[]): Promise<PostgresAnswer>;
  /** true: the connection is closed, and not used again. */
  release(destroy?: boolean): void;
  /** As in `pg`: the connection was lost. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** As in `pg`: the connection has ended. */
  on(event: 'end', listener: () => void): unknown;
  /** As in `pg`: for `postgresInvalidation`. */
  on(event: 'notification', listener: (message: { payload?: string | undefined }) => void): unknown;
  /** As in `pg`. */
  off(event: 'error', listener: (error: Error) => void): unknown;
}

/** What is used of a query's answer. */
export interface PostgresAnswer {
  /** As objects by column. */
  rows: unknown[];
  /** Of a write: how many rows it touched. */
  rowCount: number | null;
}

/** @throws PartitionStoreError `store_client` where it is no pool of `pg` */
export function assertPool(pool: unknown): asserts pool is PostgresPool {
  // A Client has `connect` too, and no way to give a connection back.
  if (has(pool, 'connect') && !has(pool, 'escapeLiteral', 'query', 'end', 'getTypeParser')) return;
  throw new PartitionStoreError(
    'store_client',
    'postgresStore takes a Pool of the `pg` package, version 8 or later. What was passed is none; a single Client cannot serve several requests. Nothing was read or written.',
  );
}

/** A connection in use. */
export interface Checkout {
  readonly connection: PostgresConnection;
  /** Gives it back once; `destroy` closes it, for one that is not known to be good. */
  readonly release: (destroy: boolean) => void;
}

/**
 * Takes a connection out of the pool and listens to its errors from the first moment.
 *
 * [Note: errors between connect and listener] A server that restarts sends its last words in the packet that makes the
 * connection ready. The promise of `pool.connect()` resolves a microtask later, and an `error` event that nobody hears ends
 * the process. The callback is called before the rest of the packet is read.
 */
export function checkout(pool: PostgresPool): Promise<Checkout> {
  return new Promise((resolve, reject) => {
    pool.connect((error, connection) => {
      if (connection === undefined) {
        reject(explained(error ?? new Error('The pool gave no connection.')));
        return;
      }
      const ignore = (): void => undefined; // The statement's own promise tells of it.
      connection.on('error', ignore);
      let isOut = true;
      resolve({
        connection,
        release: (destroy) => {
          if (!isOut) return;
          isOut = false;
          if (!destroy) connection.off('error', ignore); // A closed one may still complain.
          connection.release(destroy);
        },
      });
    });
  });
}

/**
 * Runs one statement.
 *
 * @throws PartitionStoreError where trying again does not help; otherwise what `pg` throws
 */
export async function query(
  pool: PostgresPool,
  text: string,
  values: unknown[],
  signal?: AbortSignal,
): Promise<PostgresAnswer> {
  const { connection, release } = await checkout(pool);
  if (signal?.aborted === true) {
    release(false); // It came too late: the next one gets it.
    throw new Error('Nobody waits for this statement any more.');
  }
  const giveUp = (): void => release(true); // A connection that hangs must not go back to the pool.
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    const answer = await connection.query(text, values);
    release(false);
    return answer;
  } catch (error) {
    release(!isAnswer(error));
    throw explained(error);
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

/** Whether the server answered with an SQLSTATE that is not about the connection itself (classes 08 and 57). */
function isAnswer(error: unknown): boolean {
  return /^(?!08|57)[0-9A-Z]{5}$/.test(stateOf(error));
}

function stateOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

const UNCHANGED = 'Nothing was changed.';

/** What trying again does not help against, by SQLSTATE (PostgreSQL, Appendix A). */
const PERMANENT: readonly [RegExp, ConstructorParameters<typeof PartitionStoreError>[0], string][] = [
  [
    /^(42P01|3F000)$/,
    'store_table_missing',
    'The table of the partitions does not exist. Run migratePartitions(pool), with the same `table` option, before the store is used.',
  ],
  [
    /^42501$/,
    'store_forbidden',
    'The PostgreSQL role lacks a permission. It needs SELECT, INSERT, UPDATE and DELETE on the table of the partitions; migratePartitions also needs CREATE on its schema.',
  ],
  [
    /^28|^3D000$/,
    'store_forbidden',
    'PostgreSQL rejected the role, its password or the database. Correct the connection string.',
  ],
  [
    /^25006$/,
    'store_read_only',
    'This PostgreSQL connection is read-only: a standby, or default_transaction_read_only. Connect to the primary.',
  ],
  [
    /^(42703|42804|42809|42P10|22P02)$/,
    'store_wrong_type',
    'The table of the partitions has other columns than Tokenkeep made it with. Choose another table, or restore it.',
  ],
  [/^(53100|53200)$/, 'store_full', 'PostgreSQL has no disk space or memory left.'],
];

export function explained(error: unknown): Error {
  if (error instanceof TokenkeepError) return error;
  const state = stateOf(error);
  for (const [pattern, code, what] of PERMANENT)
    if (state.length === 5 && pattern.test(state))
      return new PartitionStoreError(code, `${what} ${UNCHANGED}`, { cause: error });
  return error instanceof Error ? error : new Error('PostgreSQL refused.', { cause: error });
}
