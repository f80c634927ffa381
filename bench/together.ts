/**
 * Counts lost updates in a token cache with several concurrent writers, and in one whose writer is killed: `npm run bench -- together
 * [--quick]`. It counts updates and doesn't compare times, so a busy machine does not matter.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { documentOf } from './generate.ts';
import { duration, median } from './statistics.ts';
import {
  missing,
  type Outcome,
  peers,
  type Program,
  race,
  remove,
  start,
  underMsal,
} from './together-programs.ts';

const quick = process.argv.includes('--quick');
const SIZES = quick ? [100] : [100, 1000];
const [WRITERS, UPDATES] = [4, 25];
const KILLS = quick ? 5 : 10;
/** In how many trials the next program is timed. */
const WAITS = 3;
/** Milliseconds to wait for an update after a writer was killed. */
const DEADLINE = 90_000;

const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-bench-'));

function told({ acknowledged, lost, isReadable, refused, reasons }: Outcome): string {
  const state = isReadable ? `${lost} lost` : 'the file can’t be read';
  return `${state} of ${acknowledged} acknowledged${refused === 0 ? '' : `, ${refused} refused (${reasons.join(', ')})`}`;
}

/** Returns how long the next program waits for its first update, in milliseconds; null if it gets none. */
async function next(program: Program, file: string, name: string): Promise<number | null> {
  const writer = await start(program, file, name, 1);
  const begin = performance.now();
  writer.go();
  await Promise.race([writer.ended, delay(DEADLINE)]);
  writer.child.kill('SIGKILL');
  return writer.acknowledged.length === 1 ? performance.now() - begin : null;
}

async function kills(program: Program, document: string): Promise<string[]> {
  let [unreadable, lost, locks, never] = [0, 0, 0, 0];
  const waits: number[] = [];
  for (let trial = 0; trial < KILLS; trial += 1) {
    const file = join(folder, `kill-${trial}`);
    await program.seed(file, document);
    const writer = await start(program, file, '0', Infinity);
    writer.go();
    await writer.first;
    await delay(100 + ((trial * 137) % 500)); // at an arbitrary moment of a write
    writer.child.kill('SIGKILL');
    await writer.ended;
    const targets = await program.targets(file);
    if (targets === null) unreadable += 1;
    else if (missing(targets, writer.acknowledged) > 0) lost += 1;
    if (existsSync(`${file}.lockfile`)) locks += 1;
    if (trial < WAITS) {
      const wait = await next(program, file, '1');
      if (wait === null) never += 1;
      else waits.push(wait);
    }
    remove(file);
  }
  const worst =
    waits.length === 0 ? '' : `: ${duration(median(waits))}, at the worst ${duration(Math.max(...waits))}`;
  return [
    `killed in the middle, ${KILLS} times: ${unreadable} files empty or unreadable, ${lost} without an acknowledged update, ${locks} with a lock file left`,
    `the next program's first update, ${WAITS} times${worst}${never === 0 ? '' : `, never in ${never}`}`,
  ];
}

const programs = [underMsal, ...peers()];
for (const accounts of SIZES) {
  const document = documentOf(accounts);
  console.log(`${accounts.toLocaleString('en')} accounts; ${WRITERS} programs, ${UPDATES} updates each`);
  for (const program of programs) {
    const file = join(folder, 'race');
    await program.seed(file, document);
    console.log(`  ${program.title.padEnd(34)} ${told(await race(program, file, WRITERS, UPDATES))}`);
    remove(file);
    for (const line of await kills(program, document)) console.log(`  ${''.padEnd(34)} ${line}`);
  }
}
rmSync(folder, { recursive: true, force: true });
