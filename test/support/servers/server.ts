/** What the servers that tests start have in common: a port of their own, and a way to end them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

export interface Server {
  readonly port: number;
  /** Sends SIGKILL, as in a crash. What the server acknowledged is on its disk. */
  readonly stop: () => Promise<void>;
  /** Restarts it on the same port and with the same folder. */
  readonly start: () => Promise<void>;
  readonly pause: () => void;
  readonly resume: () => void;
  /** Ends it and removes its folder. */
  readonly close: () => Promise<void>;
}

/**
 * Returns a port below the range of outgoing connections: another test's connection could take a port of that range before the server does,
 * or while it is stopped. Redis Cluster listens 10,000 ports higher as well.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + randomInt(10_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Returns the first of these programs that exists. Debian keeps PostgreSQL's programs out of PATH. */
export function programIn(name: string, folders: readonly string[] = []): string {
  const all = [...folders, ...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  const found = all.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new Error(`${name} is not installed; npm test installs it (scripts/setup/debian.mjs)`);
}

/** Runs a program until it exits. */
export function runToEnd(command: string[], env?: NodeJS.ProcessEnv): void {
  const [program = '', ...args] = command;
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', env: env ?? process.env });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? stderr}`);
}

export class Daemon {
  readonly #command: string[];
  #child: ChildProcess | undefined;
  #said = '';

  constructor(command: string[]) {
    this.#command = command;
  }

  /** Waits until `isUp` succeeds. */
  async start(isUp: () => Promise<boolean>): Promise<void> {
    const [program = '', ...args] = this.#command;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => (this.#said = (this.#said + text.toString()).slice(-4000)));
    // Leaves no processes behind, whatever happens to the tests.
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    for (let left = 1000; left > 0; left -= 1) {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${this.#said}`);
      if (await isUp().catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${program} does not answer: ${this.#said}`);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}
