import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { shortLived } from '../../../scripts/session/memory.mjs';
import { Daemon, freePort, programIn, runToEnd, type Server } from './server.ts';

export interface PostgresServer extends Server {
  readonly url: string;
}

/** PostgreSQL refuses to run as root; for root, it runs as Debian's postgres user. */
const AS_USER =
  process.getuid?.() === 0
    ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', '--pdeathsig', 'KILL', '--']
    : [];

/** Starts a separate PostgreSQL on loopback. */
export async function startPostgres(): Promise<PostgresServer> {
  const { folder, data } = newFolder();
  runToEnd([
    ...AS_USER,
    program('initdb'),
    '-D',
    data,
    '-A',
    'trust',
    '-U',
    'app',
    '--no-sync',
    '-E',
    'UTF8',
  ]);
  return startIn(folder, data);
}

function newFolder(): { folder: string; data: string } {
  const folder = mkdtempSync(join(shortLived(), 'tokenkeep-postgres-'));
  if (AS_USER.length > 0) execFileSync('chown', ['postgres', folder]);
  return { folder, data: join(folder, 'data') };
}

/** Runs statements outside of a transaction, each on a connection of its own. */
export async function runInPostgres(url: string, ...statements: string[]): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    let rows: unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
}

async function startIn(folder: string, data: string): Promise<PostgresServer> {
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    port,
    max_connections: 60,
  };
  const url = `postgres://app@127.0.0.1:${port}/postgres`;
  const daemon = new Daemon([
    ...AS_USER,
    program('postgres'),
    '-D',
    data,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  const isUp = async (): Promise<boolean> => (await runInPostgres(url, 'SELECT 1')).length === 1;
  /** The postmaster and its backends: stopping only the postmaster would leave open connections working. */
  const all = (signal: NodeJS.Signals): void => {
    const parent = daemon.pid;
    if (parent === undefined) return;
    for (const pid of [parent, ...childrenOf(parent)]) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has already ended.
      }
    }
  };
  await daemon.start(isUp);
  return {
    port,
    url,
    // SIGQUIT is PostgreSQL's "immediate" shutdown: no checkpoint, recovery at the next start, and no shared memory
    // left behind.
    stop: () => daemon.end('SIGQUIT'),
    start: () => daemon.start(isUp),
    pause: () => all('SIGSTOP'),
    resume: () => all('SIGCONT'),
    close: async () => {
      all('SIGCONT');
      await daemon.end('SIGQUIT');
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A primary with a standby that it waits for, behind an address that leads to the current primary. */
export interface PostgresPair {
  /** The address, like that of a virtual IP or a proxy. */
  readonly url: string;
  /** The current primary. */
  primary(): PostgresServer;
  /** The current standby. */
  standby(): PostgresServer;
  /** Leads new connections to this server. Open connections stay where they are. */
  leadTo(server: PostgresServer): void;
  /**
   * Kills the primary, or makes it hang, promotes the standby, and leads connections there. The old primary does not come back:
   * a new standby takes its place.
   */
  failOver(how: 'killed' | 'hanging'): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts PostgreSQL with a streaming standby, and `synchronous_commit` as PostgreSQL has it, `on`. With `synchronous_standby_names`,
 * that means: a commit is acknowledged once the standby has it on its disk.
 */
export async function startPostgresPair(): Promise<PostgresPair> {
  let primary = await startPostgres();
  let standby: PostgresServer | undefined;
  let target = primary;
  const open = new Set<Socket>();
  const address = createServer((socket) => {
    const onward = connect(target.port, '127.0.0.1');
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  const port = await freePort();
  address.listen(port, '127.0.0.1');
  const attach = async (): Promise<void> => {
    const { folder, data } = newFolder();
    runToEnd([
      ...AS_USER,
      program('pg_basebackup'),
      '-d',
      primary.url,
      '-D',
      data,
      '-R',
      '-c',
      'fast',
      '--no-sync',
    ]);
    standby = await startIn(folder, data);
    await runInPostgres(
      primary.url,
      "ALTER SYSTEM SET synchronous_standby_names = '*'",
      'SELECT pg_reload_conf()',
    );
    for (let left = 300; ; left -= 1) {
      const rows = await runInPostgres(
        primary.url,
        "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'",
      );
      if (rows.length === 1) return;
      if (left === 0) throw new Error('The standby does not follow.');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await attach();
  const theStandby = (): PostgresServer => standby ?? primary;
  return {
    url: `postgres://app@127.0.0.1:${port}/postgres`,
    primary: () => primary,
    standby: theStandby,
    leadTo: (server) => {
      target = server;
    },
    failOver: async (how) => {
      const [old, next] = [primary, theStandby()];
      if (how === 'killed') await old.stop();
      else old.pause();
      // The new primary must not wait for a standby that it does not have.
      await runInPostgres(
        next.url,
        'SELECT pg_promote()',
        'ALTER SYSTEM RESET synchronous_standby_names',
        'SELECT pg_reload_conf()',
      );
      primary = next;
      target = next;
      standby = undefined;
      await old.close(); // As an operator must: an old primary that runs on would acknowledge commits that the new one lacks.
      await attach();
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      address.close();
      await standby?.close();
      await primary.close();
    },
  };
}

/** Starts PgBouncer in transaction mode in front of a server. */
export async function startPgBouncer(
  server: PostgresServer,
): Promise<{ url: string; close: () => Promise<void> }> {
  const folder = mkdtempSync(join(shortLived(), 'tokenkeep-pgbouncer-'));
  const port = await freePort();
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(
    file,
    `[databases]
postgres = host=127.0.0.1 port=${server.port} dbname=postgres user=app
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
`,
  );
  const isRoot = process.getuid?.() === 0;
  if (isRoot) execFileSync('chown', ['-R', 'postgres', folder]);
  const daemon = new Daemon([programIn('pgbouncer'), ...(isRoot ? ['-u', 'postgres'] : []), file]);
  const url = `postgres://app@127.0.0.1:${port}/postgres`;
  await daemon.start(async () => {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
    client.on('error', () => undefined);
    await client.connect();
    await client.end();
    return true;
  });
  return {
    url,
    close: async () => {
      await daemon.end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function program(name: string): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return programIn(
    name,
    versions.map((version) => join(root, version, 'bin')),
  );
}

function childrenOf(parent: number): number[] {
  const list = `/proc/${parent}/task/${parent}/children`;
  if (!existsSync(list)) return []; // It has ended.
  return readFileSync(list, 'utf8').split(' ').filter(Boolean).map(Number);
}
