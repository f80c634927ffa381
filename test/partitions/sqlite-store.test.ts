/** The SQLite store, by the conformance suite and by what a file adds to it. */
import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Database } from 'node-sqlite3-wasm';
import { describe, expect, it } from 'vitest';
import { partitionStoreConformance } from '../../src-main/partitions/conformance/conformance.ts';
import { type SqliteDatabase, sqliteStore } from '../../src-main/partitions/stores/sqlite-store.ts';
import { caches, namesIn, signIn } from './people.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = (): string => temporaryFolder();

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

/** A database in which every call fails as SQLite, or the system, reports it. */
const failing = (failure: object, from = 0): SqliteDatabase => {
  let calls = 0;
  const fail = (): never => {
    throw Object.assign(new Error('of SQLite'), failure);
  };
  const statement = { get: fail, all: fail, run: fail };
  return {
    exec: () => ((calls += 1) > from ? fail() : undefined),
    prepare: () => statement,
    close: () => undefined,
  };
};

describe.each([
  [{ errcode: 13 }, 'store_full', /disk is full/],
  [{ code: 'SQLITE_FULL' }, 'store_full', /disk is full/],
  [{ code: 'ENOSPC' }, 'store_full', /disk is full/],
  [{ errcode: 1032 }, 'store_read_only', /read-only/], // SQLITE_READONLY_DBMOVED
  [{ code: 'SQLITE_CANTOPEN_ISDIR' }, 'store_forbidden', /cannot be created or opened/],
  [{ code: 'EISDIR' }, 'store_forbidden', /cannot be created or opened/],
  [{ errcode: 11 }, 'store_wrong_type', /damaged/],
  [{ code: 'SQLITE_CORRUPT_VTAB' }, 'store_wrong_type', /damaged/],
  [{ errcode: 26 }, 'store_wrong_type', /not a SQLite database/],
  [{ errcode: 10 }, 'store_unavailable', /failed to read or write/],
  [{ code: 'EMFILE' }, 'store_unavailable', /failed to read or write/],
] as const)('SQLite fails with %o', (failure, code, message) => {
  const told = expect.objectContaining({
    name: 'PartitionStoreError',
    code,
    message: expect.stringMatching(message) as string,
  }) as Error;

  it(`is told as ${code} when the store is made, and by each call`, async () => {
    expect(() => sqliteStore({ database: failing(failure) })).toThrow(told);
    const store = sqliteStore({ database: failing(failure, 2) });
    const entry = { bytes: Buffer.from('x'), version: 'v' };
    await expect(store.read('k')).rejects.toEqual(told);
    await expect(store.write('k', entry, { expected: null, ttl: null })).rejects.toEqual(told);
    await expect(store.remove('k')).rejects.toEqual(told);
    await expect(store.leases!.take('k', { name: 'n', owner: 'o', ttl: 1 })).rejects.toEqual(told);
    const { message: text } = (await store.read('k').catch((error: unknown) => error)) as Error;
    expect(text).toMatch(/^[^.]+\. (?:Nothing was changed|A write [^.]+)\. [A-Z][^.]+\./); // what happened, the data, what to do
  });
});

it('tells a table that was dropped while the store was open, and that nothing was changed', async () => {
  const database = wasm(':memory:');
  const store = sqliteStore({ database });
  await store.read('k');
  database.exec('DROP TABLE tokenkeep_partitions');
  for (const call of [store.read('k'), store.remove('k')])
    await expect(call).rejects.toMatchObject({
      code: 'store_table_missing',
      message: expect.stringContaining('Nothing was changed') as string,
    });
  database.close();
});

it.each(['database is not open', 'statement has been finalized', 'The database connection is not open'])(
  'tells a database that was closed: %s',
  async (text) => {
    const closed = (): never => {
      throw new Error(text);
    };
    const database = { exec: () => undefined, prepare: closed, close: () => undefined };
    await expect(sqliteStore({ database }).read('k')).rejects.toMatchObject({ code: 'store_client' });
  },
);

it('waits for another process that prepares the same new file, and gives up in the end', () => {
  const inner = wasm(':memory:');
  let failures = 3;
  const database: SqliteDatabase = {
    ...inner,
    exec: (sql) => {
      if (failures-- > 0) throw Object.assign(new Error('database is locked'), { errcode: 5 });
      return inner.exec(sql);
    },
  };
  sqliteStore({ database });
  expect(failures).toBeLessThan(0);
  inner.close();
  expect(() => sqliteStore({ database: failing({ code: 'SQLITE_BUSY' }) })).toThrow(
    expect.objectContaining({
      code: 'store_unavailable',
      message: expect.stringContaining('Another process') as string,
    }),
  );
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

    it('tells a closed database, to a call that was made before and to another', async () => {
      const store = sqliteStore({ file: join(folder(), 'tokens.sqlite') });
      await store.read('k');
      store.close();
      for (const call of [store.read('k'), store.remove('k')])
        await expect(call).rejects.toMatchObject({ code: 'store_client' });
    });

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
