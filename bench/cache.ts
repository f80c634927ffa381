/**
 * Measures the token cache beside MSAL Node's: `npm run bench [-- --quick]`. README.md explains the results.
 *
 * Every cell is measured in its own process, once per repetition. Peers alternate within a repetition, so that other
 * load on the machine affects both.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { version as msalVersion } from 'msal-node-7';
import { documentOf } from './generate.ts';
import { OPERATIONS } from './operations.ts';
import { emptyCell, repeat } from './run-cell.ts';
import { type Cell, flatness, table } from './table.ts';

const quick = process.argv.includes('--quick');
const SIZES = quick ? [10, 1000] : [10, 100, 1000, 10_000];
const REPETITIONS = quick ? 1 : 3;
const BUDGET_MS = quick ? 100 : 300;
/** A cell with a run that takes longer is stopped, not repeated, and printed as longer than this. */
const BOUND_MS = quick ? 5000 : 20_000;

const PEERS = ['tokenkeep', 'msal-node'] as const;

const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-bench-'));
const cells = new Map<string, Cell>();
const names = Object.keys(OPERATIONS);

function cell(peer: string, operation: string, accounts: number): Cell {
  const key = `${peer}/${operation}/${String(accounts)}`;
  const found = cells.get(key) ?? emptyCell();
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
          const wanted = { peer, operation, accounts, file, budget: BUDGET_MS, bound: BOUND_MS };
          await repeat(cell(peer, operation, accounts), wanted);
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
