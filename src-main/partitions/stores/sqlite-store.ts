/**
 * `tokenkeep/partitions/sqlite`: partitions in a SQLite file, for a web app on one machine without a database server.
 *
 * @module tokenkeep/partitions/sqlite
 */
import { closeSync, openSync } from 'node:fs';
import { systemClock } from '../../cache/clock.ts';
import { codeOf } from '../../error-code.ts';
import { InvalidArgumentError, PartitionStoreError, TokenkeepError } from '../../errors.ts';
import { checkOptions, FUNCTION, having, NAME, TEXT } from '../../options.ts';
import type { PartitionStore } from '../partition-store.ts';

/**
 * The members of an opened database that are used: of `DatabaseSync` (`node:sqlite`) and `better-sqlite3`.
 *
 * @example
 * import { type SqliteDatabase, sqliteStore } from 'tokenkeep/partitions/sqlite';
 *
 * // `new DatabaseSync(file)` of node:sqlite, or `new Database(file)` of better-sqlite3
 * const storeIn = (database: SqliteDatabase) => sqliteStore({ database });
 */
export interface SqliteDatabase {
  /** Runs statements without parameters. */
  exec(sql: string): unknown;
  /** Compiles a statement. */
  prepare(sql: string): SqliteStatement;
  /** Closes the file. */
  close(): unknown;
}

/**
 * A compiled statement.
 *
 * @example
 * import type { SqliteDatabase, SqliteStatement } from 'tokenkeep/partitions/sqlite';
 *
 * const countIn = (database: SqliteDatabase): SqliteStatement =>
 *   database.prepare('SELECT count(*) AS count FROM tokenkeep_partitions');
 */
export interface SqliteStatement {
  /** The first row; undefined or null: none. */
  get(...parameters: SqliteValue[]): unknown;
  /** All rows. */
  all(...parameters: SqliteValue[]): unknown[];
  /** Runs a statement that returns no rows. */
  run(...parameters: SqliteValue[]): { changes: number | bigint };
}

/** A parameter of a statement. */
export type SqliteValue = string | number | null | Buffer;

/** Options of `sqliteStore`. */
export interface SqliteStoreOptions {
  /** The file, readable by its owner only. Created if missing. Opened with `node:sqlite` (Node 22.13), else `better-sqlite3`. */
  file?: string;
  /** An opened database instead of a file. The caller closes it. */
  database?: SqliteDatabase;
  /** The table. Default: "tokenkeep_partitions". Created if missing. */
  table?: string;
  /** Seconds since the epoch. */
  now?: () => number;
}

/**
 * A partition store in a SQLite file.
 *
 * @example
 * import { type SqliteStore, sqliteStore } from 'tokenkeep/partitions/sqlite';
 *
 * const store: SqliteStore = sqliteStore({ file: 'tokens.sqlite' });
 * process.once('exit', () => store.close());
 */
export interface SqliteStore extends PartitionStore {
  /** Closes the file, if the store opened it. */
  close(): void;
}

const DATABASE = having('an opened database of node:sqlite or better-sqlite3', 'exec', 'prepare');

/** Writes between two removals of expired entries. */
const TIDY_AFTER = 500;

/** Keys per page of a listing. */
const PAGE = 500;

/** Milliseconds for which a statement waits for another process's write. It blocks this process as well. */
const BUSY = 500;

/**
 * Keeps partitions in a SQLite file. Processes of one machine can share it, and exclude each other's turns. Acknowledged updates are on the
 * disk. Expired entries are removed as others are written.
 *
 * Once you have a server, replace it with `redisStore({ client })` or `postgresStore({ pool })`; users must then sign in again.
 *
 * @throws PartitionStoreError `store_client` if there is neither `node:sqlite` nor `better-sqlite3`, otherwise as for the store's calls;
 *   InvalidArgumentError
 * @example
 * import { partitionedCaches } from 'tokenkeep/partitions';
 * import { sqliteStore } from 'tokenkeep/partitions/sqlite';
 *
 * const caches = partitionedCaches({ store: sqliteStore({ file: 'tokens.sqlite' }), sealingKeys });
 */
export function sqliteStore(options: SqliteStoreOptions): SqliteStore {
  const {
    file,
    database,
    table = 'tokenkeep_partitions',
    now = systemClock,
  } = checkOptions(
    'sqliteStore',
    options,
    { file: NAME, database: DATABASE, table: TEXT, now: FUNCTION },
    'Nothing was read or written.',
  );
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(table))
    throw new InvalidArgumentError(
      '`table` must consist of a-z, 0-9 and _, and not begin with a digit. Nothing was read or written.',
      { field: 'table' },
    );
  const opened = database ?? open(file);
  const run = <T>(task: () => T): T => {
    try {
      return task();
    } catch (error) {
      throw explained(error);
    }
  };
  prepared(() => {
    opened.exec(`PRAGMA busy_timeout = ${BUSY}`);
    if (database === undefined) opened.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    opened.exec(
      `CREATE TABLE IF NOT EXISTS "${table}" (key TEXT PRIMARY KEY, version TEXT NOT NULL, bytes BLOB NOT NULL, expires_at REAL) WITHOUT ROWID`,
    );
  });
  const statements = new Map<string, SqliteStatement>();
  const statement = (sql: string): SqliteStatement => {
    const known = statements.get(sql) ?? opened.prepare(sql.replaceAll('TABLE', `"${table}"`));
    statements.set(sql, known);
    return known;
  };
  const change = (sql: string, ...parameters: SqliteValue[]): boolean =>
    run(() => Number(statement(sql).run(...parameters).changes) > 0);
  let writes = 0;
  const tidy = (): void => {
    writes += 1;
    if (writes % TIDY_AFTER === 1) change('DELETE FROM TABLE WHERE expires_at <= ?', now());
  };
  const end = (ttl: number | null): number | null => (ttl === null ? null : now() + ttl);
  const leaseKey = (key: string, name: string): string => `${key}:lease:${name}`;
  // Each call is one statement, which SQLite runs completely or not at all.
  return {
    close: () => {
      if (database === undefined) opened.close();
    },
    read: async (key) => {
      const row = run(() =>
        statement(`SELECT version, bytes FROM TABLE WHERE key = ? AND ${LIVE}`).get(key, now()),
      );
      return Promise.resolve(row === undefined || row === null ? null : storedIn(row));
    },
    write: async (key, { bytes, version }, { expected, ttl }) => {
      tidy();
      const [value, at] = [Buffer.from(bytes), now()];
      const isWritten =
        expected === null
          ? change(
              `INSERT INTO TABLE (key, version, bytes, expires_at) VALUES (?, ?, ?, ?)
               ON CONFLICT (key) DO UPDATE SET version = excluded.version, bytes = excluded.bytes, expires_at = excluded.expires_at
               WHERE expires_at <= ?`,
              ...[key, version, value, end(ttl), at],
            )
          : change(
              `UPDATE TABLE SET version = ?, bytes = ?, expires_at = ? WHERE key = ? AND version = ? AND ${LIVE}`,
              ...[version, value, end(ttl), key, expected, at],
            );
      return Promise.resolve(isWritten);
    },
    remove: async (key, expected) => {
      if (expected === undefined) {
        change('DELETE FROM TABLE WHERE key = ?', key);
        return Promise.resolve(true);
      }
      const isGone =
        change(
          'DELETE FROM TABLE WHERE key = ? AND (version = ? OR expires_at <= ?)',
          key,
          expected,
          now(),
        ) || run(() => statement('SELECT 1 FROM TABLE WHERE key = ?').get(key) ?? null) === null;
      return Promise.resolve(isGone);
    },
    touch: async (key, ttl) => {
      change(`UPDATE TABLE SET expires_at = ? WHERE key = ? AND ${LIVE}`, end(ttl), key, now());
      return Promise.resolve();
    },
    leases: {
      take: async (key, { name, owner, ttl }) =>
        Promise.resolve(
          change(
            `INSERT INTO TABLE (key, version, bytes, expires_at) VALUES (?, ?, x'', ?)
             ON CONFLICT (key) DO UPDATE SET version = excluded.version, expires_at = excluded.expires_at
             WHERE version = excluded.version OR expires_at <= ?`,
            ...[leaseKey(key, name), owner, end(ttl), now()],
          ),
        ),
      give: async (key, { name, owner }) => {
        change('DELETE FROM TABLE WHERE key = ? AND version = ?', leaseKey(key, name), owner);
        return Promise.resolve();
      },
    },
    maintenance: {
      async *keys() {
        for (let last = ''; ; ) {
          const rows = run(() =>
            statement(
              `SELECT key FROM TABLE WHERE key > ? AND length(key) = 43 AND ${LIVE} ORDER BY key LIMIT ${PAGE}`,
            ).all(last, now()),
          );
          for (const row of rows)
            yield await Promise.resolve((last = String(Reflect.get(row as object, 'key'))));
          if (rows.length < PAGE) return;
        }
      },
      replace: async (key, { bytes, version }, expected) =>
        Promise.resolve(
          change(
            `UPDATE TABLE SET version = ?, bytes = ? WHERE key = ? AND version = ? AND ${LIVE}`,
            ...[version, Buffer.from(bytes), key, expected, now()],
          ),
        ),
    },
  };
}

const LIVE = '(expires_at IS NULL OR expires_at > ?)';

function open(file: string | undefined): SqliteDatabase {
  if (typeof file !== 'string' || file === '')
    throw new InvalidArgumentError(
      'sqliteStore needs `file`, a path, or `database`, an opened database. Nothing was read or written.',
      {
        field: 'file',
      },
    );
  const Database = databaseClass();
  try {
    if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600)); // SQLite gives its other files the same permissions.
    return new Database(file);
  } catch (error) {
    throw explained(error);
  }
}

type DatabaseClass = new (file: string) => SqliteDatabase;

/** @throws PartitionStoreError `store_client` */
function databaseClass(): DatabaseClass {
  // Asked for at run time: webpack puts `undefined` in place of an imported `createRequire` that it can't follow.
  const load = process.getBuiltinModule('node:module').createRequire(import.meta.url);
  let cause: unknown;
  for (const module of [(): unknown => load('node:sqlite'), (): unknown => load('better-sqlite3')]) {
    try {
      const loaded = module();
      const found: unknown = Reflect.get(loaded as object, 'DatabaseSync') ?? loaded;
      if (typeof found === 'function') return found as DatabaseClass;
    } catch (error) {
      cause = error;
    }
  }
  throw new PartitionStoreError(
    'store_client',
    'This version of Node has no SQLite. Nothing was read or written. Use Node 22.13 or later, or install `better-sqlite3`.',
    { cause },
  );
}

function storedIn(row: unknown): { version: string; bytes: Uint8Array } {
  if (typeof row === 'object' && row !== null && 'version' in row && 'bytes' in row) {
    const { version, bytes } = row;
    if (typeof version === 'string' && bytes instanceof Uint8Array) return { version, bytes };
  }
  throw wrongTable();
}

function wrongTable(cause?: unknown): PartitionStoreError {
  return new PartitionStoreError(
    'store_wrong_type',
    'The table has other columns than Tokenkeep’s, or the file is not a SQLite database. Nothing was changed. Choose another table or file.',
    cause === undefined ? {} : { cause },
  );
}

type Told = readonly [
  code: ConstructorParameters<typeof PartitionStoreError>[0],
  what: string,
  remedy: string,
];

const FULL: Told = ['store_full', 'The disk is full.', 'Free space on it.'];
const FORBIDDEN: Told = [
  'store_forbidden',
  'The SQLite file cannot be created or opened.',
  'Check that its path is right, that its folder exists, and its permissions.',
];

/** By SQLite's name for the result code, and by the code itself, which `node:sqlite` reports. */
const CAUSES: readonly [name: string, code: number, Told][] = [
  ['SQLITE_FULL', 13, FULL],
  [
    'SQLITE_READONLY',
    8,
    [
      'store_read_only',
      'The SQLite file or its folder is read-only.',
      'Give the user who runs this program write permission for both.',
    ],
  ],
  ['SQLITE_CANTOPEN', 14, FORBIDDEN],
  ['SQLITE_PERM', 3, FORBIDDEN],
  [
    'SQLITE_CORRUPT',
    11,
    [
      'store_wrong_type',
      'The SQLite file is damaged.',
      'Restore it from a backup or choose another file. With another file, users have to sign in again.',
    ],
  ],
  [
    'SQLITE_BUSY',
    5,
    ['store_unavailable', `Another process held the SQLite file for more than ${BUSY} ms.`, 'Try again.'],
  ],
];

const SYSTEM: Readonly<Record<string, Told>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  ENOENT: FORBIDDEN,
  ENOTDIR: FORBIDDEN,
  EISDIR: FORBIDDEN,
  ENAMETOOLONG: FORBIDDEN,
  ELOOP: FORBIDDEN,
  EROFS: FORBIDDEN,
};

const UNKNOWN: Told = [
  'store_unavailable',
  'SQLite failed to read or write its file.',
  'Try again; the cause has its error message.',
];

/** Statements that fail with a known error have changed nothing. After another, such as an I/O error, a write may be on the disk. */
function explained(error: unknown): unknown {
  if (error instanceof TokenkeepError || !(error instanceof Error)) return error;
  const code = codeOf(error);
  const number: unknown = Reflect.get(error, 'errcode');
  const primary = typeof number === 'number' ? number & 0xff : undefined;
  const isForeign =
    primary === 26 ||
    code === 'SQLITE_NOTADB' ||
    /not a database|no such column|has no column/i.test(error.message);
  if (isForeign) return wrongTable(error);
  if (/no such table/i.test(error.message))
    return new PartitionStoreError(
      'store_table_missing',
      'The table of the partitions is no longer in the SQLite file. Nothing was changed. Restore the file, or restart the app, which creates the table again; users then have to sign in again.',
      { cause: error },
    );
  // `better-sqlite3` and `node:sqlite`, the latter also of a statement.
  if (/database (?:connection )?is not open|statement has been finalized/i.test(error.message))
    return new PartitionStoreError(
      'store_client',
      'The SQLite database was closed. Nothing was changed. Close it only after the last request.',
      { cause: error },
    );
  const known = CAUSES.find(([name, own]) => primary === own || code.startsWith(name))?.[2];
  const found = known ?? SYSTEM[code];
  const [told, what, remedy] = found ?? UNKNOWN;
  const outcome = found ? 'Nothing was changed.' : 'A write in progress was stored completely or not at all.';
  return new PartitionStoreError(told, `${what} ${outcome} ${remedy}`, { cause: error });
}

/** Milliseconds for all attempts to prepare a file, most of which SQLite itself may wait, and between two of them. */
const PREPARING = 2 * BUSY;
const PAUSE = 25;

/**
 * Prepares a file. SQLite does not wait for another process that is just switching the same file to its write-ahead log, as happens when
 * several processes start with a new file.
 */
function prepared(task: () => void): void {
  const end = performance.now() + PREPARING;
  for (;;) {
    try {
      task();
      return;
    } catch (error) {
      const isBusy = codeOf(error).startsWith('SQLITE_BUSY') || Reflect.get(Object(error), 'errcode') === 5;
      if (!isBusy || performance.now() >= end) throw explained(error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}
