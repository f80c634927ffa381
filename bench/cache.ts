/**
 * What the token cache costs, beside MSAL Node's: `npm run bench [-- --quick]`. See README.md for how to read it.
 *
 * Every cell is measured in a process of its own, once per repetition; peers take turns within a repetition, so that
 * whatever else the machine does falls on both.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version as msalVersion } from 'msal-node-7';
import { documentOf } from './generate.ts';
import { OPERATIONS } from './operations.ts';
import { median } from './statistics.ts';
import { type Cell, flatness, table } from './table.ts';

const quick = process.argv.includes('--quick');
const SIZES = quick ? [10, 1000] : [10, 100, 1000, 10_000];
const REPETITIONS = quick ? 1 : 3;
const BUDGET_MS = quick ? 100 : 300;
/** A cell of which one run takes longer is stopped, not repeated, and printed as longer than this. */
const BOUND_MS = quick ? 5000 : 20_000;
/** Loading the largest document and warming up takes a few seconds; more means that something hangs. */
const LOAD_MS = 120_000;

const PEERS = ['tokenkeep', 'msal-node'] as const;
const CELL = fileURLToPath(new URL('./cell.mjs', import.meta.url));

/** @returns milliseconds per run, or null where the bound was reached */
function run(peer: string, operation: string, accounts: number, file: string): Promise<number[] | null> {
  const args = [peer, operation, String(accounts), file, String(BUDGET_MS)];
  const child = fork(CELL, args, { execArgv: ['--max-old-space-size=6144'] });
  return new Promise<number[] | null>((resolve, reject) => {
    const hangs = new Error(`${peer}, ${operation}, ${String(accounts)} accounts: it does not even load`);
    let timer = setTimeout(() => reject(hangs), LOAD_MS);
    child.on('message', (message: { running: true } | { samples: number[] }) => {
      clearTimeout(timer);
      if ('samples' in message) resolve(message.samples);
      else timer = setTimeout(() => resolve(null), BOUND_MS);
    });
    child.on('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`${peer}, ${operation}, ${String(accounts)} accounts: ended with ${String(code)}`));
    });
  }).finally(() => child.kill('SIGKILL'));
}

const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-bench-'));
const cells = new Map<string, Cell>();
const names = Object.keys(OPERATIONS);

function cell(peer: string, operation: string, accounts: number): Cell {
  const key = `${peer}/${operation}/${String(accounts)}`;
  const found = cells.get(key) ?? { medians: [], over: null };
  cells.set(key, found);
  return found;
}

const [processor] = cpus();
console.log(`${processor?.model ?? 'unknown processor'}, ${String(cpus().length)} cores`);
console.log(`${Math.round(totalmem() / 2 ** 30).toString()} GB, ${process.platform} ${process.arch}`);
const [load = 0] = loadavg();
if (load > 0.5) console.log(`Load ${load.toFixed(1)}: other programs are running, so times are too long`);
console.log(`Node ${process.versions.node}; MSAL Node ${msalVersion}`);

try {
  for (const accounts of SIZES) {
    const file = join(folder, `${String(accounts)}.json`);
    const text = documentOf(accounts);
    writeFileSync(file, text);
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      for (const operation of names) {
        for (const peer of PEERS) {
          const measured = cell(peer, operation, accounts);
          if (measured.over !== null) continue;
          const samples = await run(peer, operation, accounts, file);
          if (samples === null) measured.over = BOUND_MS;
          else measured.medians.push(median(samples));
        }
      }
    }
    const megabytes = (text.length / 1e6).toFixed(text.length < 1e7 ? 1 : 0);
    console.log(`\n${accounts.toLocaleString('en')} accounts, 4 tokens each, ${megabytes} MB`);
    console.log(table(names, (operation) => PEERS.map((peer) => cell(peer, operation, accounts))));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const [smallest, largest] = [SIZES[0]!, SIZES.at(-1)!];
console.log(`\nfrom ${String(smallest)} to ${largest.toLocaleString('en')} accounts`);
for (const operation of ['find', 'find by account']) {
  const growth = PEERS.map(
    (peer) => `${peer} ${flatness(cell(peer, operation, smallest), cell(peer, operation, largest))}`,
  );
  console.log(`${operation.padEnd(16)} ${growth.join(', ')}`);
}
