/** Measures one operation of one peer in its own process. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from './statistics.ts';
import type { Cell } from './table.ts';

const CELL = fileURLToPath(new URL('./cell.mjs', import.meta.url));

/** Loading the largest document and warming up takes a few seconds; more means that something hangs. */
const LOAD_MS = 120_000;

export interface CellRun {
  peer: string;
  operation: string;
  accounts: number;
  /** The path of the document. */
  file: string;
  /** Milliseconds of measured time after which no further run starts. */
  budget: number;
  /** Milliseconds: a cell with a run that takes longer is stopped. */
  bound: number;
}

export const emptyCell = (): Cell => ({ medians: [], over: null });

/** Adds a repetition to the cell, unless the limit was reached before. */
export async function repeat(cell: Cell, wanted: CellRun): Promise<void> {
  if (cell.over !== null) return;
  const samples = await run(wanted);
  if (samples === null) cell.over = wanted.bound;
  else cell.medians.push(median(samples));
}

/** @returns milliseconds per run, or null if the limit was reached */
function run({ peer, operation, accounts, file, budget, bound }: CellRun): Promise<number[] | null> {
  const args = [peer, operation, String(accounts), file, String(budget)];
  const child = fork(CELL, args, { execArgv: ['--max-old-space-size=6144'] });
  return new Promise<number[] | null>((resolve, reject) => {
    const hangs = new Error(`${peer}, ${operation}, ${String(accounts)} accounts: it does not even load`);
    let timer = setTimeout(() => reject(hangs), LOAD_MS);
    child.on('message', (message: { running: true } | { samples: number[] }) => {
      clearTimeout(timer);
      if ('samples' in message) resolve(message.samples);
      else timer = setTimeout(() => resolve(null), bound);
    });
    child.on('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`${peer}, ${operation}, ${String(accounts)} accounts: ended with ${String(code)}`));
    });
  }).finally(() => child.kill('SIGKILL'));
}
