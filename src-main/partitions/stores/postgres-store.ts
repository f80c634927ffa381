/**
 * `tokenkeep/partitions/postgres`: partitions in PostgreSQL, through the `pg` package (8 or later).
 *
 * @module tokenkeep/partitions/postgres
 */
import { PartitionStoreError } from '../../errors.ts';
import { checkOptions, TEXT } from '../../options.ts';
import type { PartitionStore, StoreCall, StoredPartition } from '../partition-store.ts';
import {
  assertPool,
  IS_STANDBY,
  type PostgresAnswer,
  type PostgresPool,
  query,
} from './postgres-connection.ts';
import { quotedTable, type TableOptions } from './postgres-table.ts';

export { type PostgresAnswer, type PostgresConnection, type PostgresPool } from './postgres-connection.ts';
export { type PostgresInvalidationOptions, postgresInvalidation } from './postgres-invalidation.ts';
export { migratePartitions, removeExpired, type TableOptions } from './postgres-table.ts';

/** Options of `postgresStore`. */
export interface PostgresStoreOptions extends TableOptions {
  /**
   * The caller closes it. Give it an `error` listener: `pg` ends the process when an idle connection is lost and there
   * is none.
   */
  pool: PostgresPool;
}

/** Rows per page when listing keys. */
const PAGE = 500;

/**
 * Keeps partitions in one table of PostgreSQL 12 or later, which `migratePartitions` creates. Each call is one statement, thus one
 * round trip. Acknowledged writes are as durable as a PostgreSQL commit. Reads from a standby are refused, because it may lag behind.
 *
 * Expired rows are ignored; `removeExpired` deletes them. Expiry uses the server's clock. A lease is a separate row with its
 * owner as the version: PostgreSQL's advisory locks belong to a connection, which would be out of the pool for as long as the
 * provider takes to answer. PgBouncer in transaction pooling works, except for `postgresInvalidation`.
 *
 * @throws PartitionStoreError `store_client` if it is not a `pg` pool; InvalidArgumentError
 * @example
 * import pg from 'pg';
 * import { partitionedCaches } from 'tokenkeep/partitions';
 * import { migratePartitions, postgresStore } from 'tokenkeep/partitions/postgres';
 *
 * const pool = new pg.Pool({ connectionString: 'postgres://localhost/my-app', connectionTimeoutMillis: 5000 });
 * pool.on('error', (error) => console.error(`PostgreSQL: ${error.message}`));
 * await migratePartitions(pool);
 * const caches = partitionedCaches({ store: postgresStore({ pool }), sealingKeys });
 */
export function postgresStore(options: PostgresStoreOptions): PartitionStore {
  const { pool, table } = checkOptions(
    'postgresStore',
    options,
    { pool: true, table: TEXT },
    'Nothing was read or written.',
  );
  assertPool(pool);
  const name = quotedTable(table);
  const isLive = '(expires_at IS NULL OR expires_at > clock_timestamp())';
  const in_ = (parameter: string): string => `clock_timestamp() + ${parameter} * interval '1 second'`;
  const leaseKey = (key: string, lease: string): string => `${key}:lease:${lease}`;
  const run = (text: string, values: unknown[], call?: StoreCall): Promise<PostgresAnswer> =>
    query(pool, text, values, call?.signal);
  return {
    read: async (key, call) => {
      // Always one row, so that a standby is noticed where it has no entry, too.
      const { rows } = await run(
        `SELECT version, bytes, pg_is_in_recovery() AS ${IS_STANDBY}
         FROM (VALUES (1)) AS one LEFT JOIN ${name} ON key = $1 AND ${isLive}`,
        [key],
        call,
      );
      return storedIn(rows[0]);
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
    leases: {
      take: async (key, { name: lease, owner, ttl }, call) => {
        const { rowCount } = await run(
          `INSERT INTO ${name} AS old (key, version, bytes, expires_at) VALUES ($1, $2, '', ${in_('$3::float8')})
           ON CONFLICT (key) DO UPDATE SET version = excluded.version, expires_at = excluded.expires_at
           WHERE old.version = excluded.version OR old.expires_at <= clock_timestamp()`,
          [leaseKey(key, lease), owner, ttl],
          call,
        );
        return rowCount === 1;
      },
      give: async (key, { name: lease, owner }, call) => {
        await run(`DELETE FROM ${name} WHERE key = $1 AND version = $2`, [leaseKey(key, lease), owner], call);
      },
    },
    maintenance: {
      async *keys() {
        for (let last = ''; ; ) {
          const { rows } = await run(
            `SELECT key FROM ${name} WHERE key > $1 AND length(key) = 43 AND ${isLive} ORDER BY key LIMIT ${PAGE}`,
            [last],
          );
          const keys = rows.map((row) => String(Reflect.get(row as object, 'key')));
          yield* keys;
          if (keys.length < PAGE) return;
          last = keys.at(-1) ?? '';
        }
      },
      replace: async (key, { bytes, version }, expected, call) => {
        const { rowCount } = await run(
          `UPDATE ${name} SET version = $2, bytes = $3 WHERE key = $1 AND version = $4 AND ${isLive}`,
          [key, version, asBuffer(bytes), expected],
          call,
        );
        return rowCount === 1;
      },
    },
  };
}

function storedIn(row: unknown): StoredPartition | null {
  if (typeof row === 'object' && row !== null && 'version' in row && 'bytes' in row) {
    const { version, bytes } = row;
    if (version === null) return null;
    if (typeof version === 'string' && bytes instanceof Uint8Array) return { version, bytes };
  }
  throw new PartitionStoreError(
    'store_wrong_type',
    'The table of the partitions has other columns than Tokenkeep made it with. Nothing was changed. Choose another table, or restore it.',
  );
}

/** Wraps bytes in a Buffer, which `pg` sends as bytes; it sends other arrays as JSON. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
