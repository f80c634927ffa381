import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { Daemon, freePort, programIn, runToEnd, type Server } from './server.ts';

export interface PostgresServer extends Server {
  readonly url: string;
}

/**
 * Starts a separate PostgreSQL on loopback. PostgreSQL refuses to run as root; for root, it runs as Debian's postgres
 * user.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const asUser =
    process.getuid?.() === 0
      ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', '--pdeathsig', 'KILL', '--']
      : [];
  const folder = mkdtempSync('/tmp/tokenkeep-postgres-');
  if (asUser.length > 0) execFileSync('chown', ['postgres', folder]);
  const data = join(folder, 'data');
  const port = await freePort();
  runToEnd([...asUser, program('initdb'), '-D', data, '-A', 'trust', '-U', 'app', '--no-sync', '-E', 'UTF8']);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    port,
    max_connections: 60,
  };
  const url = `postgres://app@127.0.0.1:${port}/postgres`;
  const daemon = new Daemon([
    ...asUser,
    program('postgres'),
    '-D',
    data,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  const isUp = async (): Promise<boolean> => {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('SELECT 1');
      return true;
    } finally {
      await client.end();
    }
  };
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

/** Starts PgBouncer in transaction mode in front of a server. */
export async function startPgBouncer(
  server: PostgresServer,
): Promise<{ url: string; close: () => Promise<void> }> {
  const folder = mkdtempSync('/tmp/tokenkeep-pgbouncer-');
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
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}
