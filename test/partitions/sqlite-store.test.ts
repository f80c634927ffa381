/** The SQLite store, by the conformance suite and by what a file adds to it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from 'node-sqlite3-wasm';
import { describe, expect, it } from 'vitest';
import { partitionStoreConformance } from '../../src-main/partitions/conformance/conformance.ts';
import { type SqliteDatabase, sqliteStore } from '../../src-main/partitions/stores/sqlite-store.ts';
import { caches, namesIn, signIn } from './people.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'tokenkeep-sqlite-'));

/** SQLite as WebAssembly, which runs in every Node, with the members that node:sqlite and better-sqlite3 have. */
function wasm(file: string): SqliteDatabase {
  const database = new Database(file);
  return {
    exec: (sql) => database.exec(sql),
    close: () => database.close(),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      return {
        get: (...parameters) => statement.get(parameters),
        all: (...parameters) => statement.all(parameters),
        run: (...parameters) => statement.run(parameters),
      };
    },
  };
}

describe('conforms', () => {
  const open = () => {
    const database = wasm(':memory:');
    const stores = { store: sqliteStore({ database }), another: sqliteStore({ database }) };
    return Promise.resolve({ ...stores, close: () => Promise.resolve(void database.close()) });
  };
  // In sequence, because SQLite as WebAssembly blocks this process, and leases would end meanwhile.
  for (const { name, run } of partitionStoreConformance({ open })) it(name, run);
});

it('keeps entries when the file is opened again, and removes expired ones', async () => {
  const file = join(folder(), 'tokens.sqlite');
  let time = 1_800_000_000;
  const now = () => time;
  const first = wasm(file);
  const before = caches({ store: sqliteStore({ database: first, now }), now });
  await before.partition('a').update((cache) => signIn(cache, 'noor'));
  await before.partition('b', { ttl: 60 }).update((cache) => signIn(cache, 'piet'));
  first.close();
  const again = wasm(file);
  const after = caches({ store: sqliteStore({ database: again, now }), now });
  time += 61;
  expect(await after.partition('a').read(namesIn)).toEqual(['noor@contoso.example']);
  expect(await after.partition('b').read(namesIn)).toEqual([]);
  await after.partition('c').update((cache) => signIn(cache, 'saar'));
  expect(again.prepare('SELECT count(*) AS n FROM tokenkeep_partitions').get()).toEqual({ n: 2 });
  again.close();
});

it('reports a table of another program and does not change it', async () => {
  const database = wasm(':memory:');
  database.exec('CREATE TABLE tokenkeep_partitions (key TEXT PRIMARY KEY, value TEXT)');
  await expect(caches({ store: sqliteStore({ database }) }).check()).rejects.toMatchObject({
    code: 'store_wrong_type',
  });
});

it.each([[{}], [{ file: '' }], [{ file: 'x', table: 'a b' }], [{ file: 'x', table: 'a"; DROP TABLE x' }]])(
  '%j is refused',
  (options) => {
    expect(() => sqliteStore(options)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  },
);

const hasSqlite = ((): boolean => {
  try {
    createRequire(import.meta.url)('node:sqlite');
    return true;
  } catch {
    return false;
  }
})();

// Each version of Node runs one of the two; none is skipped.
if (!hasSqlite)
  it('on a Node without SQLite, the error says what to install', () => {
    expect(() => sqliteStore({ file: join(folder(), 'tokens.sqlite') })).toThrow(
      expect.objectContaining({
        code: 'store_client',
        message: expect.stringContaining('better-sqlite3') as string,
      }),
    );
  });

if (hasSqlite)
  describe('node:sqlite', () => {
    const open = () => {
      const file = join(folder(), 'tokens.sqlite');
      const [store, another] = [sqliteStore({ file }), sqliteStore({ file })];
      const close = () => {
        for (const one of [store, another]) one.close();
        return Promise.resolve();
      };
      return Promise.resolve({ store, another, close });
    };
    for (const { name, run } of partitionStoreConformance({ open })) it(name, run);

    it('makes the file readable for its owner only, and reports a missing folder or a file that is no database', () => {
      const own = folder();
      const file = join(own, 'tokens.sqlite');
      sqliteStore({ file }).close();
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(() => sqliteStore({ file: join(own, 'no', 'tokens.sqlite') })).toThrow(
        expect.objectContaining({ code: 'store_forbidden' }),
      );
      writeFileSync(
        join(own, 'text'),
        'no database at all, but long enough to be looked at by SQLite'.repeat(20),
      );
      expect(() => sqliteStore({ file: join(own, 'text') })).toThrow(
        expect.objectContaining({ code: 'store_wrong_type' }),
      );
      expect(execFileSync('ls', [own]).toString()).not.toContain('-journal');
    });
  });
