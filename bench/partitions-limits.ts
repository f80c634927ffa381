/**
 * Measures the throughput of one process with one Redis, beside the limits of Redis and the machine: a bare GET of
 * the same bytes.
 */
import { createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { readEntry, type Sealing } from '../src-main/partitions/entry.ts';
import { openFound } from '../src-main/partitions/partition-contents.ts';
import { partitionName } from '../src-main/partitions/partition-name.ts';
import type { Users } from './distributed.ts';
import { smallUser } from './small-user.ts';
import { duration, median, times } from './statistics.ts';

/** The number of concurrent requests. */
const AT_ONCE = 64;
const SECONDS = 1;
const ROUNDS = 5;

interface Limits {
  users: Users;
  count: number;
  /** A bare GET of the user's entry. */
  get: (index: number) => Promise<{ bytes: Buffer; version: string }>;
  sealing: Sealing;
}

export async function reportLimits({ users, count, get, sealing }: Limits): Promise<void> {
  console.log(
    `\n${AT_ONCE} requests at once, of different users; the median of ${ROUNDS} rounds of ${SECONDS} s`,
  );
  const tasks: [string, (index: number, salt: number) => Promise<unknown>][] = [
    ['a bare GET of the same bytes', get],
    ['read', (index) => users.read(index)],
    ['update', (index, salt) => users.update(index, salt)],
  ];
  // Alternating, so that other load on this machine affects all of them.
  const rates: number[][] = tasks.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [index, [, task]] of tasks.entries()) rates[index]?.push(await perSecond(count, task));
  const [bare = NaN] = rates.map(median);
  for (const [index, [what]] of tasks.entries()) {
    const rate = median(rates[index] ?? []);
    console.log(
      `  ${what.padEnd(30)} ${Math.round(rate).toLocaleString('en').padStart(7)} a second  (${times(bare / rate)})`,
    );
  }

  const name = partitionName('user', smallUser(1).home_account_id);
  const stored = await get(1);
  const now = (): number => Date.now() / 1000;
  const { document } = readEntry(stored.bytes, name, sealing);
  const whole = await perCall(() => openFound(stored, name, sealing, now));
  console.log(`\nof a read, in this process, ${duration(whole)}`);
  for (const [what, milliseconds] of [
    ['the key (HMAC), AES-256-GCM', await perCall(() => readEntry(stored.bytes, name, sealing))],
    ['  AES-256-GCM alone', await perCall(bareAes(stored.bytes.length))],
    ['JSON.parse', await perCall(() => JSON.parse(document))],
  ] as const)
    console.log(
      `  ${what.padEnd(30)} ${duration(milliseconds)} (${Math.round((100 * milliseconds) / whole)} %)`,
    );
}

async function perSecond(
  count: number,
  request: (index: number, salt: number) => Promise<unknown>,
): Promise<number> {
  let done = 0;
  const start = performance.now();
  const worker = async (from: number): Promise<void> => {
    for (let turn = from; performance.now() - start < SECONDS * 1000; turn += AT_ONCE) {
      await request((turn * 7919 + 13) % count, turn);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, from) => worker(from)));
  return done / ((performance.now() - start) / 1000);
}

/** Duration in milliseconds, after warm-up. */
async function perCall(task: () => unknown): Promise<number> {
  const batches: number[] = [];
  for (let batch = 0; batch < 60; batch += 1) {
    await new Promise(setImmediate);
    const start = performance.now();
    for (let turn = 0; turn < 50; turn += 1) task();
    batches.push((performance.now() - start) / 50);
  }
  return median(batches.slice(20));
}

function bareAes(length: number): () => unknown {
  const [key, nonce] = [createHmac('sha256', 'bench').digest(), randomBytes(12)];
  const sealed = randomBytes(length);
  return () => {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
    return decipher.update(sealed);
  };
}
