/**
 * Measures getting a token through MSAL Node with Tokenkeep's cache plugin, beside MSAL Node without a plugin and Tokenkeep itself. Part of
 * `npm run bench`. Includes MSAL Python if Debian's python3-msal is installed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { SerializableTokenCache } from '../src-main/index.ts';
import { app, documentOf, person } from './generate.ts';
import { emptyCell, repeat } from './run-cell.ts';
import { aligned, type Cell, flatness, ratio, shown } from './table.ts';

const quick = process.argv.includes('--quick');
const SIZES = quick ? [10, 1000] : [10, 1000, 5000];
const REPETITIONS = quick ? 1 : 3;
const BUDGET_MS = quick ? 300 : 1000;
/** MSAL Node takes minutes to list 5,000 accounts. */
const BOUND_MS = quick ? 5000 : 20_000;

/** The operations that are measured for each peer. */
const ROWS = [
  { name: 'Tokenkeep', peer: 'tokenkeep', operations: ['find', 'accounts'] },
  { name: 'MSAL Node', peer: 'msal-node', operations: ['find', 'accounts'] },
  { name: '  with our plugin', peer: 'msal-node-plugin', operations: ['find'] },
  { name: '  with one that gives a text', peer: 'msal-node-text', operations: ['find'] },
];

const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-bench-'));

/** Run by Debian's own Python; measures a hit and a listing in milliseconds, from memory and without a network. */
const PYTHON = `
import json, sys, time, statistics, msal
cache = msal.SerializableTokenCache()
cache.deserialize(open(sys.argv[1]).read())
homes = json.loads(sys.argv[2])
def ms(run, least=3):
    samples, end = [], time.perf_counter() + 1.5
    while len(samples) < least or time.perf_counter() < end:
        start = time.perf_counter(); run(len(samples)); samples.append((time.perf_counter() - start) * 1000)
    return statistics.median(samples)
kind = cache.CredentialType
hit = ms(lambda n: cache.find(kind.ACCESS_TOKEN, target=["User.Read"], query={"home_account_id": homes[n % len(homes)],
    "environment": "login.microsoftonline.com", "realm": sys.argv[3], "client_id": sys.argv[4], "key_id": None}))
print(json.dumps([hit, ms(lambda n: cache.find(kind.ACCOUNT))]))
`;

/** Measures a hit and a listing; returns undefined if MSAL Python is not installed. */
function python(text: string, accounts: number): Cell[] | undefined {
  const cache = new SerializableTokenCache();
  cache.deserialize(text);
  const file = join(folder, `${accounts}-python.json`);
  writeFileSync(file, cache.serialize({ dialect: 'msal-python' }));
  const homes = Array.from({ length: 10 }, (_, index) => person((index * 7919) % accounts).home_account_id);
  const args = ['-c', PYTHON, file, JSON.stringify(homes), app.tenant, app.client_id];
  const { status, stdout } = spawnSync('/usr/bin/python3', args, { encoding: 'utf8' });
  if (status !== 0) return undefined;
  return (JSON.parse(stdout) as number[]).map((each) => ({ medians: [each], over: null }));
}

async function measured(accounts: number): Promise<Map<string, Cell>> {
  const file = join(folder, `${accounts}.json`);
  writeFileSync(file, documentOf(accounts));
  const cells = new Map<string, Cell>();
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    for (const { peer, operations } of ROWS) {
      // One listing is enough; it may take as long as all the rest.
      for (const operation of repetition === 0 ? operations : ['find']) {
        const cell = cells.get(`${peer} ${operation}`) ?? emptyCell();
        cells.set(`${peer} ${operation}`, cell);
        await repeat(cell, { peer, operation, accounts, file, budget: BUDGET_MS, bound: BOUND_MS });
      }
    }
  }
  return cells;
}

function print(accounts: number, cells: ReadonlyMap<string, Cell>): void {
  const rows = ROWS.map(({ name, peer }) => [
    name,
    ...['find', 'accounts'].flatMap((operation) => {
      const cell = cells.get(`${peer} ${operation}`);
      if (cell === undefined) return ['', ''];
      const own = cells.get(`tokenkeep ${operation}`);
      return [shown(cell), own === undefined || own === cell ? '' : ratio(own, cell)];
    }),
  ]);
  const theirs = python(documentOf(accounts), accounts);
  if (theirs !== undefined) rows.push(['MSAL Python', ...theirs.flatMap((cell) => [shown(cell), ''])]);
  console.log(`\n${accounts.toLocaleString('en')} accounts; load ${(loadavg()[0] ?? 0).toFixed(1)}`);
  console.log(aligned([['', 'a token from the cache', '', 'listing accounts', ''], ...rows]));
}

const all: Map<string, Cell>[] = [];
for (const accounts of SIZES) {
  const cells = await measured(accounts);
  all.push(cells);
  print(accounts, cells);
}
rmSync(folder, { recursive: true, force: true });

console.log(`\na token from the cache, from ${SIZES[0]!} accounts to`);
for (const [index, accounts] of SIZES.entries()) {
  if (index === 0) continue;
  const growth = ROWS.map(({ name, peer }) => {
    const [small, large] = [all[0], all[index]].map((cells) => cells?.get(`${peer} find`));
    return `${name.trim()} ${small && large ? flatness(small, large) : ''}`;
  });
  console.log(`${accounts.toLocaleString('en').padStart(5)}: ${growth.join(', ')}`);
}
process.exit(0);
