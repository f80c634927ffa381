/** Servers that share Redis or PostgreSQL, each a process of its own. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { migratePartitions } from '../../src-main/partitions/stores/postgres-store.ts';
import { setTheStage, type Stage, takeTurns } from '../support/refreshing/refreshers.ts';
import { startPostgres } from '../support/servers/postgres.ts';
import { startRedis } from '../support/servers/redis.ts';
import type { Server } from '../support/servers/server.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setTheStage();
}, 60_000);
afterAll(() => stage.close());

describe.each([
  { kind: 'redis', start: () => startRedis() },
  {
    kind: 'postgres',
    start: async () => {
      const server = await startPostgres();
      const pool = new pg.Pool({ connectionString: server.url });
      await migratePartitions(pool);
      await pool.end();
      return server;
    },
  },
] as const)('three servers share $kind', ({ kind, start }) => {
  let server: Server & { url: string };
  beforeAll(async () => {
    server = await start();
  }, 60_000);
  afterAll(() => server.close());

  it.each([
    { by: 'callback', person: 'noor' },
    { by: 'msal-node-7', person: 'piet' },
  ] as const)(
    'by $by, 8 expiries: one refresh for each, and no refresh token twice; a killed one frees the way',
    async ({ by, person }) => {
      const place = { kind, url: server.url, key: randomBytes(32).toString('base64'), lease: 6000 };
      await takeTurns(stage, { place, by, person, times: 8, skews: [-3, 0, 4] });
    },
    120_000,
  );
});
