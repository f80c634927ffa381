/**
 * `tokenkeep/partitions/postgres`: partitions in PostgreSQL, for the `pg` package from version 8 on.
 *
 * @module tokenkeep/partitions/postgres
 */
import type { PartitionLeases, PartitionStore, StoreCall } from '../partition-store.ts';
import { type PostgresAnswer, type PostgresPool, query } from './postgres-connection.ts';
import { quotedTable, type TableOptions } from './postgres-table.ts';

export { type PostgresAnswer, type PostgresConnection, type PostgresPool } from './postgres-connection.ts';
export { migratePartitions, removeExpired, type TableOptions } from './postgres-table.ts';
export { type PostgresInvalidationOptions, postgresInvalidation } from './postgres-invalidation.ts';

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

/**
 * A lease is a row of its own in the table, with the owner as its version; `removeExpired` sweeps those of holders that died.
 * PostgreSQL's advisory locks belong to a connection, which would be out of the pool for as long as the provider takes
 * to answer, and would end with it.
 */
function postgresLeases(
  run: (text: string, values: unknown[], call?: StoreCall) => Promise<PostgresAnswer>,
  table: string,
): PartitionLeases {
  const at = (key: string, name: string): string => `${key}:lease:${name}`;
  return {
    take: async (key, { name, owner, ttl }, call) => {
      const { rowCount } = await run(
        `INSERT INTO ${table} AS old (key, version, bytes, expires_at)
         VALUES ($1, $2, '', clock_timestamp() + $3::float8 * interval '1 second')
         ON CONFLICT (key) DO UPDATE SET version = excluded.version, expires_at = excluded.expires_at
         WHERE old.version = excluded.version OR old.expires_at <= clock_timestamp()`,
        [at(key, name), owner, ttl],
        call,
      );
      return rowCount === 1;
    },
    give: async (key, { name, owner }, call) => {
      await run(`DELETE FROM ${table} WHERE key = $1 AND version = $2`, [at(key, name), owner], call);
    },
  };
}
