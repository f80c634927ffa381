/**
 * `tokenkeep/partitions/postgres`: partitions in PostgreSQL, for the `pg` package from version 8 on.
 *
 * @module tokenkeep/partitions/postgres
 */
import { postgresLeases } from './postgres-leases.ts';
import type { PartitionStore, StoreCall } from './store.ts';
import { quotedTable, type TableOptions } from './postgres-table.ts';

export { migratePartitions, removeExpired, type TableOptions } from './postgres-table.ts';
export { type PostgresNewsOptions, postgresNews } from './postgres-news.ts';

/** What is used of a `Pool` of the `pg` package. */
export interface PostgresPool {
  /** As in `pg`. */
  connect(): Promise<PostgresConnection>;
}

/** What is used of a connection. */
export interface PostgresConnection {
  /** As in `pg`. */
  query(text: string, values?: unknown[]): Promise<PostgresAnswer>;
  /** true: the connection is closed, and not used again. */
  release(destroy?: boolean): void;
  /** As in `pg`: the connection was lost. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** As in `pg`: the connection is over. */
  on(event: 'end', listener: () => void): unknown;
  /** As in `pg`: for `postgresNews`. */
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

/** Where partitions are kept in PostgreSQL. */
export interface PostgresStoreOptions extends TableOptions {
  /**
   * It stays yours to close. Give it an `error` listener: `pg` ends the process where an idle connection is lost and there
   * is none.
   */
  pool: PostgresPool;
}

/**
 * Partitions in one table of PostgreSQL 12 or later, which `migratePartitions` makes. Each call is one statement, and so one
 * round trip; what was acknowledged is as durable as PostgreSQL makes a commit.
 *
 * Expired rows are as good as gone; `removeExpired` deletes them. Expiry goes by the server's clock.
 */
export function postgresStore({ pool, table }: PostgresStoreOptions): PartitionStore {
  const name = quotedTable(table);
  const isLive = '(expires_at IS NULL OR expires_at > clock_timestamp())';
  const in_ = (parameter: string): string => `clock_timestamp() + ${parameter} * interval '1 second'`;
  const run = (text: string, values: unknown[], call?: StoreCall): Promise<PostgresAnswer> =>
    query(pool, text, values, call?.signal);
  return {
    read: async (key, call) => {
      const { rows } = await run(
        `SELECT version, bytes FROM ${name} WHERE key = $1 AND ${isLive}`,
        [key],
        call,
      );
      return rows.length === 0 ? null : storedIn(rows[0]);
    },
    write: async (key, { bytes, version }, { expected, ttl }, call) => {
      const values = [key, version, asBuffer(bytes), ttl];
      const { rowCount } =
        expected === null
          ? await run(
              `INSERT INTO ${name} AS old (key, version, bytes, expires_at) VALUES ($1, $2, $3, ${in_('$4::float8')})
               ON CONFLICT (key) DO UPDATE SET version = excluded.version, bytes = excluded.bytes, expires_at = excluded.expires_at
               WHERE old.expires_at <= clock_timestamp()`,
              values,
              call,
            )
          : await run(
              `UPDATE ${name} SET version = $2, bytes = $3, expires_at = ${in_('$4::float8')}
               WHERE key = $1 AND version = $5 AND ${isLive}`,
              [...values, expected],
              call,
            );
      return rowCount === 1;
    },
    remove: async (key, expected, call) => {
      if (expected === undefined) {
        await run(`DELETE FROM ${name} WHERE key = $1`, [key], call);
        return true;
      }
      const { rowCount } = await run(
        `DELETE FROM ${name} WHERE key = $1 AND (version = $2 OR NOT ${isLive})`,
        [key, expected],
        call,
      );
      if (rowCount === 1) return true;
      const { rows } = await run(`SELECT 1 FROM ${name} WHERE key = $1 AND ${isLive}`, [key], call);
      return rows.length === 0;
    },
    touch: async (key, ttl, call) => {
      await run(
        `UPDATE ${name} SET expires_at = ${in_('$2::float8')} WHERE key = $1 AND ${isLive}`,
        [key, ttl],
        call,
      );
    },
    leases: postgresLeases(run, name),
  };
}

/** @throws what `pg` throws; the connection is closed where it is not known to be good any more */
export async function query(
  pool: PostgresPool,
  text: string,
  values: unknown[],
  signal?: AbortSignal,
): Promise<PostgresAnswer> {
  const connection = await pool.connect();
  if (signal?.aborted === true) {
    connection.release(); // It came too late: the next one gets it.
    throw new Error('Nobody waits for this statement any more.');
  }
  // Where nobody listens, a lost connection would end the process. The statement's own promise tells of it.
  const ignore = (): void => undefined;
  connection.on('error', ignore);
  let isOpen = true;
  const give = (destroy: boolean): void => {
    if (!isOpen) return;
    isOpen = false;
    if (!destroy) connection.off('error', ignore); // A closed one may still complain.
    connection.release(destroy);
  };
  const giveUp = (): void => give(true); // A connection that hangs must not go back to the pool.
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    const answer = await connection.query(text, values);
    give(false);
    return answer;
  } catch (error) {
    give(!isAnswer(error));
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

/** Whether the server answered, with an SQLSTATE that is not about the connection (classes 08, 57) itself. */
function isAnswer(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return /^(?!08|57)[0-9A-Z]{5}$/.test(error.code);
}

function storedIn(row: unknown): { version: string; bytes: Uint8Array } {
  if (typeof row === 'object' && row !== null && 'version' in row && 'bytes' in row) {
    const { version, bytes } = row;
    if (typeof version === 'string' && bytes instanceof Uint8Array) return { version, bytes };
  }
  throw new TypeError('The table of the partitions has other columns than it was made with.');
}

/** `pg` sends a Buffer as bytes, and any other array as JSON. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
