import type { PostgresAnswer } from './postgres.ts';
import type { PartitionLeases, StoreCall } from './store.ts';

/**
 * A lease is a row of its own in the table, with the owner as its version; `removeExpired` sweeps those of holders that died.
 * PostgreSQL's advisory locks belong to a connection, which would be out of the pool for as long as the provider takes
 * to answer, and would end with it.
 */
export function postgresLeases(
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
