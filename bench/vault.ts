/** Measures the vault beside the machine's own limits: part of `npm run bench [-- --quick]`. See README.md. */
import { fork } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { duration, median, times } from './statistics.ts';
import type { Costs } from './vault-cell.ts';

const quick = process.argv.includes('--quick');
const SIZES = quick ? [10, 1000] : [10, 100, 1000, 10_000];
const ROUNDS = quick ? 40 : 120;
const CELL = fileURLToPath(new URL('./vault-cell.mjs', import.meta.url));

/** The baseline of each row, and the largest allowed ratio to it, for a number of accounts. */
const BESIDE: Readonly<
  Record<string, [row: string, limit: number | null | ((accounts: number) => number | null)]>
> = {
  'update: one token': ['append, fdatasync', 1.5],
  'update: a response': ['append, fdatasync', null],
  'catch up with both': ['read, open two frames', 1.5],
  'ten: one token each': ['update: one token', 2],
  'ten: a response each': ['update: a response', 2],
  'open and list': [
    'read, decrypt, parse',
    (accounts) => (accounts === 10 ? 1.5 : accounts === 10_000 ? 0.2 : null),
  ],
  'sign out': ['write, flush, rename', 2],
  'MSAL Node: a response': ['update: a response', null],
};

function run(accounts: number): Promise<Costs> {
  const execArgv = ['--expose-gc', '--max-old-space-size=6144'];
  const child = fork(CELL, [String(accounts), String(ROUNDS)], { execArgv });
  return new Promise((resolve, reject) => {
    child.on('message', (costs: Costs) => resolve(costs));
    child.on('exit', (code) =>
      reject(new Error(`vault, ${String(accounts)} accounts: ended with ${String(code)}`)),
    );
  });
}

function line(row: string, samples: number[], costs: Costs, accounts: number): string {
  const own = median(samples);
  const [other, goal] = BESIDE[row] ?? [null, null];
  const limit = typeof goal === 'function' ? goal(accounts) : goal;
  const beside = other === null ? undefined : costs[other];
  const ratio = beside === undefined ? '' : `${times(own / median(beside))} of ${String(other)}`;
  return [
    row.padEnd(26),
    duration(own).padStart(9),
    `   ${ratio}`,
    limit === null ? '' : ` (goal ${String(limit)} ×)`,
  ]
    .join('')
    .trimEnd();
}

const first = new Map<string, number>();
for (const accounts of SIZES) {
  const { heap = [0], buffers = [0], ...costs } = await run(accounts);
  const megabytes = (bytes: number[]): string => `${(median(bytes) / 1e6).toFixed(1)} MB`;
  const [load = 0] = loadavg();
  console.log(`\nVault, ${accounts.toLocaleString('en')} accounts, load ${load.toFixed(1)}`);
  for (const [row, samples] of Object.entries(costs)) console.log(line(row, samples, costs, accounts));
  console.log(`${'memory when opened'.padEnd(26)} ${megabytes(heap)} heap, ${megabytes(buffers)} buffers`);
  for (const row of ['update: one token', 'update: a response']) {
    const own = median(costs[row] ?? [NaN]);
    const base = first.get(row) ?? own;
    first.set(row, base);
    if (accounts === SIZES.at(-1))
      console.log(`${row}: ${times(own / base)} of what it is at ${String(SIZES[0])} (goal 1.25 ×)`);
  }
}
