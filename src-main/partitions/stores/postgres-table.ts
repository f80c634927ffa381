/** Creates, migrates and cleans up the table. */
import { InvalidArgumentError, PartitionStoreError } from '../../errors.ts';
import { AMOUNT, checkOptions, TEXT } from '../../options.ts';
import {
  assertPool,
  checkout,
  explained,
  type PostgresConnection,
  type PostgresPool,
} from './postgres-connection.ts';

/** Options that select the table. */
export interface TableOptions {
  /** `name` or `schema.name`. Default: "tokenkeep_partitions". */
  table?: string | undefined;
}

/** Validates a table name, because it becomes part of statements. @throws InvalidArgumentError */
export function quotedTable(table = 'tokenkeep_partitions'): string {
  if (!/^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,54})?$/.test(table)) {
    throw new InvalidArgumentError('A table is called `name` or `schema.name`, of a-z, 0-9 and _.', {
      field: 'table',
    });
  }
  return table
    .split('.')
    .map((part) => `"${part}"`)
    .join('.');
}

/** Each item migrates a table from the version given by its index to the next. Released items are never changed. */
const MIGRATIONS: readonly ((table: string, indexName: string) => string[])[] = [
  (table, indexName) => [
    `CREATE TABLE ${table} (
       key text COLLATE "C" PRIMARY KEY,
       version text COLLATE "C" NOT NULL,
       bytes bytea NOT NULL,
       expires_at timestamptz
     )`,
    // Entries are ciphertext, which does not compress.
    `ALTER TABLE ${table} ALTER COLUMN bytes SET STORAGE EXTERNAL`,
    `CREATE INDEX ${indexName} ON ${table} (expires_at) WHERE expires_at IS NOT NULL`,
  ],
];

const MARK = 'tokenkeep partitions ';

/**
 * Creates the table or migrates it. Run it at each start, from any number of processes: they take turns, and one
 * that finds nothing to do costs one query. Everything happens in one transaction.
 *
 * The role needs CREATE on the schema. The role of the app needs SELECT, INSERT, UPDATE and DELETE on the table.
 *
 * @throws PartitionStoreError `store_newer` where a newer version of Tokenkeep has made the table, `store_forbidden`,
 *   `store_read_only`; InvalidArgumentError where there is a table of this name that Tokenkeep did not make. Nothing is changed
 * @example
 * import pg from 'pg';
 * import { migratePartitions } from 'tokenkeep/partitions/postgres';
 *
 * await migratePartitions(new pg.Pool({ connectionString: 'postgres://localhost/my-app' }));
 */
export async function migratePartitions(pool: PostgresPool, options: TableOptions = {}): Promise<void> {
  const { table } = checkOptions('migratePartitions', options, { table: TEXT });
  assertPool(pool);
  const name = quotedTable(table);
  const plain = name.replaceAll('"', '').split('.').at(-1) ?? '';
  const { connection, release } = await checkout(pool);
  let isSound = false;
  try {
    await connection.query('BEGIN');
    await connection.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`${MARK}${name}`]);
    const version = await versionOf(connection, name);
    for (const [index, statements] of MIGRATIONS.entries()) {
      if (index < version) continue;
      for (const statement of statements(name, `"${plain}_expiry"`)) await connection.query(statement);
      await connection.query(`COMMENT ON TABLE ${name} IS '${MARK}${index + 1}'`);
    }
    await connection.query('COMMIT');
    isSound = true;
  } catch (error) {
    throw explained(error);
  } finally {
    release(!isSound); // Closing the connection rolls the transaction back.
  }
}

async function versionOf(connection: PostgresConnection, name: string): Promise<number> {
  const { rows } = await connection.query(
    `SELECT obj_description(to_regclass($1), 'pg_class') AS comment, to_regclass($1) IS NOT NULL AS exists`,
    [name],
  );
  const row = rows[0];
  if (typeof row !== 'object' || row === null || !('exists' in row) || row.exists !== true) return 0;
  const comment = 'comment' in row && typeof row.comment === 'string' ? row.comment : '';
  const version = comment.startsWith(MARK) ? Number(comment.slice(MARK.length)) : NaN;
  if (!Number.isInteger(version) || version < 1) {
    throw new InvalidArgumentError(
      `There is a table ${name} that Tokenkeep did not make. It was not changed. Choose another name.`,
    );
  }
  if (version > MIGRATIONS.length) {
    throw new PartitionStoreError(
      'store_newer',
      `The table ${name} was made by a newer version of Tokenkeep. It was not changed. Use that version.`,
    );
  }
  return version;
}

/**
 * Deletes expired rows in batches, so that no statement holds many locks. Run it regularly, e.g. every ten minutes, from
 * one process or all.
 *
 * @returns how many rows it deleted
 * @throws PartitionStoreError, InvalidArgumentError; what `pg` throws
 * @example
 * import pg from 'pg';
 * import { removeExpired } from 'tokenkeep/partitions/postgres';
 *
 * const pool = new pg.Pool({ connectionString: 'postgres://localhost/my-app' });
 * setInterval(() => void removeExpired(pool).catch(console.error), 600_000).unref();
 */
export async function removeExpired(
  pool: PostgresPool,
  options: TableOptions & { batch?: number } = {},
): Promise<number> {
  const { table, batch = 1000 } = checkOptions('removeExpired', options, { table: TEXT, batch: AMOUNT });
  assertPool(pool);
  const name = quotedTable(table);
  if (!Number.isInteger(batch) || batch < 1)
    throw new InvalidArgumentError('A batch is a number of rows.', { field: 'batch' });
  const { connection, release } = await checkout(pool);
  let [removed, isSound] = [0, false];
  try {
    for (let last = batch; last === batch; removed += last) {
      const { rowCount } = await connection.query(
        `DELETE FROM ${name} WHERE key IN (
           SELECT key FROM ${name} WHERE expires_at <= clock_timestamp() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
         AND expires_at <= clock_timestamp()`,
        [batch],
      );
      last = rowCount ?? 0;
    }
    isSound = true;
    return removed;
  } catch (error) {
    throw explained(error);
  } finally {
    release(!isSound);
  }
}
