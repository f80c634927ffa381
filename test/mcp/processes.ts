/** Several processes with the MCP SDK's client on one vault, whose tokens expire every few seconds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { openVault } from '../../src-main/index.ts';
import { bundle } from '../support/bundle.ts';
import { FolderKeychain } from '../torture/folder-keychain.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startMcpServer } from './server.ts';
import { agent, signIn } from './sign-in.ts';

interface Said {
  served: number;
  authorized: number;
  errors: string[];
  opened: number;
}

/**
 * Runs the programs, kills processes in the middle of a refresh, and expects that every program is served, no refresh token is used twice,
 * and nobody is signed out.
 */
export async function runAgents(options: {
  processes: number;
  seconds: number;
  kills: number;
  lifetime: number;
}) {
  const { processes, seconds, kills, lifetime } = options;
  const [program, server] = await Promise.all([
    bundle(join(import.meta.dirname, 'program.ts')),
    startMcpServer({ accessTokenTtl: lifetime }),
  ]);
  const children: ChildProcess[] = [];
  try {
    const ca = join(dirname(program), 'ca.pem');
    writeFileSync(ca, server.provider.ca);
    const [file, key] = [join(temporaryFolder(), 'agents.vault'), temporaryFolder()];
    const vault = await openVault({ file, keychain: new FolderKeychain(key) });
    await signIn(agent(vault, server), server);
    server.provider.events.clear();

    const start = (hangs: boolean, lasts: number) => {
      const settings = JSON.stringify({ file, key, url: server.url, seconds: lasts, hangs });
      const child = spawn(process.execPath, [program, settings], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, NODE_EXTRA_CA_CERTS: ca },
      });
      children.push(child);
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const next = async (): Promise<string> => String((await lines.next()).value);
      return { child, next };
    };
    const all = Array.from({ length: processes }, () => start(false, seconds));
    await Promise.all(all.map(({ next }) => next()));
    let killed = 0;
    for (; killed < kills; killed += 1) {
      const victim = start(true, 60);
      await victim.next(); // ready
      expect(await victim.next()).toBe('holding'); // has its turn; its request never arrives
      victim.child.kill('SIGKILL');
    }
    const said = await Promise.all(all.map(async ({ next }) => JSON.parse(await next()) as Said));
    const { events } = server.provider;
    const counts = {
      refreshed: events.count('refreshed'),
      reused: events.count('reused'),
      refused: events.count('refused'),
      signedIn: events.count('signed-in'),
    };
    const left = await vault.read((cache) => cache.accounts().length);
    await vault.close();
    return { said, counts, killed, left, refused: server.refused };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await server.stop();
    rmSync(dirname(program), { recursive: true, force: true });
  }
}
