/** The parts of the `pg` package that are used, and a function that runs one statement on a pooled connection. */
import { PartitionStoreError, TokenkeepError } from '../../errors.ts';
import { has } from './redis-client.ts';
import { isTls, tlsRefused } from './tls.ts';

/**
 * The members of a `pg` `Pool` that are used.
 *
 * @example
 * import pg from 'pg';
 * import type { PostgresPool } from 'tokenkeep/partitions/postgres';
 *
 * const pool: PostgresPool = new pg.Pool({ connectionString: 'postgres://localhost/my-app' });
 */
export interface PostgresPool {
  /** As in `pg`. The callback runs as soon as there is a connection; see `checkout`. */
  connect(
    callback: (
      error: Error | undefined,
      connection?: PostgresConnection,
      release?: (destroy?: boolean) => void,
    ) => void,
  ): unknown;
}

/**
 * The members of a connection that are used.
 *
 * @example
 * import pg from 'pg';
 * import type { PostgresConnection } from 'tokenkeep/partitions/postgres';
 *
 * const connection: PostgresConnection = await new pg.Pool().connect();
 */
export interface PostgresConnection {
  /** As in `pg`. */
  query(text: string, values?: unknown[]): Promise<PostgresAnswer>;
  /** Returns the connection to the pool; if `destroy` is true, closes it instead. */
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

/** The members of a query result that are used. */
export interface PostgresAnswer {
  /** One object per row, with a property per column. */
  rows: unknown[];
  /** The number of rows that a write affected. */
  rowCount: number | null;
}

/** @throws PartitionStoreError `store_client` if it is not a `pg` pool */
export function assertPool(pool: unknown): asserts pool is PostgresPool {
  // A Client also has `connect`, but cannot release a connection.
  if (has(pool, 'connect') && !has(pool, 'escapeLiteral', 'query', 'end', 'getTypeParser')) return;
  throw new PartitionStoreError(
    'store_client',
    'postgresStore takes a Pool of the `pg` package, version 8 or later. What was passed is none; a single Client cannot serve several requests. Nothing was read or written.',
  );
}

function ended(): PartitionStoreError {
  return new PartitionStoreError(
    'store_client',
    'The pool was ended, so it opens no connections. Nothing was sent. End it after the last request, or make a new one.',
  );
}

/** A connection in use. */
export interface Checkout {
  readonly connection: PostgresConnection;
  /** Releases the connection once. `destroy` closes it, if it may be broken. */
  readonly release: (destroy: boolean) => void;
}

/**
 * Takes a connection out of the pool and listens to its errors from the first moment.
 *
 * [Note: errors between connect and listener] A server that restarts may send its error in the packet that makes the
 * connection ready. The promise of `pool.connect()` resolves a microtask later, and an unhandled `error` event ends
 * the process. The callback is called before the rest of the packet is read.
 */
export function checkout(pool: PostgresPool): Promise<Checkout> {
  return new Promise((resolve, reject) => {
    pool.connect((error, connection) => {
      if (connection === undefined) {
        const isEnded = Reflect.get(pool, 'ending') === true;
        reject(isEnded ? ended() : explained(error ?? new Error('The pool gave no connection.')));
        return;
      }
      const ignore = (): void => undefined; // The statement's own promise rejects with it.
      connection.on('error', ignore);
      let isOut = true;
      resolve({
        connection,
        release: (destroy) => {
          if (!isOut) return;
          isOut = false;
          if (!destroy) connection.off('error', ignore); // A closed connection may still emit errors.
          connection.release(destroy);
        },
      });
    });
  });
}

/**
 * Runs one statement.
 *
 * @throws PartitionStoreError if a retry cannot help; otherwise what `pg` throws
 */
export async function query(
  pool: PostgresPool,
  text: string,
  values: unknown[],
  signal?: AbortSignal,
): Promise<PostgresAnswer> {
  const { connection, release } = await checkout(pool);
  if (signal?.aborted === true) {
    release(false); // The connection came too late; return it to the pool.
    throw new Error('Nobody waits for this statement any more.');
  }
  const giveUp = (): void => release(true); // A hanging connection must not return to the pool.
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    const answer = await connection.query(text, values);
    if (isOfStandby(answer)) throw Object.assign(new Error('The server is a standby.'), { code: '25006' });
    release(false);
    return answer;
  } catch (error) {
    release(!isAnswer(error));
    throw explained(error);
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

/**
 * The column of a read that tells whether the server is a standby. [Note: standbys] A standby answers reads from the data it has received
 * so far. It may lag behind, so a user who has just signed in seems signed out, or an old refresh token is sent, which some providers treat
 * as theft. So its answer is treated like the error with which it refuses writes.
 */
export const IS_STANDBY = 'is_standby';

function isOfStandby({ rows: [row] }: PostgresAnswer): boolean {
  return typeof row === 'object' && row !== null && Reflect.get(row, IS_STANDBY) === true;
}

/**
 * Whether the connection is still good: the server responded with an SQLSTATE that is not about the connection itself (classes 08
 * and 57). After a failover, a connection to a server that has become a standby (25006) would stay in the pool, and refuse every
 * write for as long as the process lives; a new one leads to the primary.
 */
function isAnswer(error: unknown): boolean {
  return /^(?!08|57|25006)[0-9A-Z]{5}$/.test(stateOf(error));
}

function stateOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

const UNCHANGED = 'Nothing was changed.';

/** Errors that a retry cannot fix, by SQLSTATE (PostgreSQL, Appendix A). */
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

/** Of `pg`, which asks for no password of its own. */
const NO_PASSWORD = /^SASL: .*password must be a(?: non-empty)? string/;

export function explained(error: unknown): Error {
  if (error instanceof TokenkeepError) return error;
  const state = stateOf(error);
  if (error instanceof Error && isTls(error)) return tlsRefused(error, UNCHANGED);
  if (error instanceof Error && NO_PASSWORD.test(error.message))
    return new PartitionStoreError(
      'store_forbidden',
      `PostgreSQL wants a password, and the pool has none. Set it in the connection string. ${UNCHANGED}`,
      { cause: error },
    );
  for (const [pattern, code, what] of PERMANENT)
    if (state.length === 5 && pattern.test(state))
      return new PartitionStoreError(code, `${what} ${UNCHANGED}`, { cause: error });
  return error instanceof Error ? error : new Error('PostgreSQL refused.', { cause: error });
}
