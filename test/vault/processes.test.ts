import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../support/bundle.ts';
import { memoryKeychain } from '../../src-main/keychain/memory.ts';
import { openVault } from '../../src-main/vault/file-vault.ts';
import { temporaryFolder } from './fakes.ts';
import { homeOf, usersIn } from './people.ts';

let program: string;
beforeAll(async () => {
  program = await bundle(join(import.meta.dirname, 'program.ts'));
});
afterAll(() => rmSync(dirname(program), { recursive: true, force: true }));

interface Place {
  file: string;
  key: string;
}

function newPlace(): Place {
  return { file: join(temporaryFolder(), 'cache.vault'), key: randomBytes(32).toString('base64') };
}

function write({ file, key }: Place, name: string, first: number, last: number): ChildProcess {
  return spawn(process.execPath, [program, file, key, name, String(first), String(last)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function usersAt({ file, key }: Place): Promise<Record<string, string>> {
  const keychain = memoryKeychain();
  await keychain.set('Tokenkeep', 'vault/a', key);
  const vault = await openVault({ file, keychain });
  expect(vault.status.state).toBe('ready');
  const users = await vault.read(usersIn);
  await vault.close();
  return users;
}

test('four processes, 25 updates each at once: all are there', async () => {
  const place = newPlace();
  const writers = ['a', 'b', 'c', 'd'].map((name) => write(place, name, 0, 25));
  const codes = await Promise.all(
    writers.map(async (writer): Promise<unknown> => (await once(writer, 'close'))[0]),
  );
  expect(codes).toEqual([0, 0, 0, 0]);
  const users = await usersAt(place);
  for (const name of ['a', 'b', 'c', 'd']) {
    for (let n = 0; n < 25; n += 1) {
      expect(users[homeOf(`${name}-${n}`)]).toBe(`access secret of ${name}-${n}`);
    }
  }
  expect(statSync(place.file).mode & 0o777).toBe(0o600);
}, 60_000);

test('killed at any moment, thirty times: what was acknowledged is there, the rest whole or not at all', async () => {
  const place = newPlace();
  const acknowledged = new Set<string>();
  let random = 20_260_601;
  const next = (below: number): number => {
    random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
    return random % below;
  };
  for (let kill = 0; kill < 15; kill += 1) {
    // Two at a time, one of which is killed while both write.
    const victims = ['v', 'w'].map((name) => {
      const writer = write(place, `${name}${kill}`, 0, 1000);
      const killAfter = 1 + next(12);
      writer.stdout?.on('data', (text: Buffer) => {
        for (const line of text.toString().split('\n')) {
          const [said, n] = line.split(' ');
          if (said !== 'saved' || n === undefined) continue;
          acknowledged.add(`${name}${kill}-${n}`);
          if (Number(n) >= killAfter) setTimeout(() => writer.kill('SIGKILL'), next(8));
        }
      });
      return once(writer, 'close');
    });
    await Promise.all(victims);
    const users = await usersAt(place);
    for (const user of acknowledged) expect(users[homeOf(user)]).toBe(`access secret of ${user}`);
    // Whole: each update signs two users in, in one go.
    const shared = Object.values(users).filter((secret) => /^access [vw]\d+-\d+$/.test(secret));
    for (const secret of shared) expect(users).toHaveProperty([homeOf(secret.slice('access '.length))]);
  }
  expect(acknowledged.size).toBeGreaterThan(60);
  const left = readdirSync(dirname(place.file)).filter((name) => name.includes('.new-'));
  expect(left.length).toBeLessThanOrEqual(1);
}, 120_000);
