/**
 * What a token costs through MSAL Node with our cache plugin, beside MSAL Node without any and Tokenkeep itself:
 * part of `npm run bench`. MSAL Python's figures, where Debian's python3-msal is there.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CacheHandle, inMemory, SerializableTokenCache } from '../src-main/index.ts';
import { msalCachePlugin } from '../src-main/msal/index.ts';
import { app, documentOf } from './generate.ts';
import { msalNode } from './msal-node.ts';
import { memory } from './operations.ts';
import { duration, median, times } from './statistics.ts';

const quick = process.argv.includes('--quick');
const SIZES = quick ? [10, 1000] : [10, 1000, 5000];
const BUDGET_MS = quick ? 300 : 1500;
const { client_id, tenant, environment } = app;
const person = memory();

/** @returns milliseconds per run: the median of as many as fit, one at least */
async function measured(run: (index: number) => unknown, accounts: number): Promise<number> {
  const samples: number[] = [];
  const end = performance.now() + BUDGET_MS;
  for (let round = 0; round < 1 || performance.now() < end; round++) {
    const index = (round * 7919) % accounts;
    person(index);
    const start = performance.now();
    await run(index);
    samples.push(performance.now() - start);
  }
  return median(samples);
}

/** The same for what takes microseconds: a thousand at a time. */
async function measuredSmall(run: (index: number) => unknown, accounts: number): Promise<number> {
  for (let each = 0; each < 1000; each++) person((each * 7919) % accounts); // known to the caller before
  const batch = (): void => {
    for (let each = 0; each < 1000; each++) run((each * 7919) % accounts);
  };
  return (await measured(batch, accounts)) / 1000;
}

interface Figures {
  hit: Record<'alone' | 'usual' | 'plugin' | 'ours', number>;
  list: Record<'alone' | 'ours', number>;
  python: { hit: number; list: number } | null;
}

const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-bench-'));

/** Run by Debian's own Python; a hit and a listing in milliseconds, from memory and without a network. */
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
print(json.dumps({"hit": hit, "list": ms(lambda n: cache.find(kind.ACCOUNT))}))
`;

function python(cache: SerializableTokenCache, accounts: number): Figures['python'] {
  const file = join(folder, `${accounts}.json`);
  writeFileSync(file, cache.serialize({ profile: 'msal-python' }));
  const homes = Array.from({ length: 10 }, (_, index) => person((index * 7919) % accounts).home_account_id);
  const args = ['-c', PYTHON, file, JSON.stringify(homes), tenant, client_id];
  const { status, stdout } = spawnSync('/usr/bin/python3', args, { encoding: 'utf8' });
  return status === 0 ? (JSON.parse(stdout) as Figures['python']) : null;
}

async function figures(accounts: number): Promise<Figures> {
  const text = documentOf(accounts);
  const cache = new SerializableTokenCache();
  cache.deserialize(text);
  const handle: CacheHandle = inMemory(cache);
  const alone = msalNode(person);
  alone.deserialize(text);
  const plugin = msalNode(person, msalCachePlugin(handle));
  // What a cache plugin does that keeps a file: MSAL empties its memory before each request, and is given all of it.
  const usual = msalNode(person, {
    beforeCacheAccess: (context) => {
      context.tokenCache.deserialize(text);
      return Promise.resolve();
    },
    afterCacheAccess: () => Promise.resolve(),
  });
  const find = (index: number): unknown => {
    const { home_account_id, scopes } = person(index);
    const query = { home_account_id, environment, client_id, realm: tenant };
    return cache.find('AccessToken', { target: [...scopes], query })[0];
  };
  for (const subject of [alone, usual, plugin]) {
    if ((await subject.find(1)) !== person(1).secret) throw new Error('not the token of this account');
  }
  return {
    hit: {
      alone: await measured((index) => alone.find(index), accounts),
      usual: await measured((index) => usual.find(index), accounts),
      plugin: await measured((index) => plugin.find(index), accounts),
      ours: await measuredSmall(find, accounts),
    },
    list: {
      alone: await measured(() => alone.accounts(), accounts),
      ours: await measured(() => cache.accounts(), accounts),
    },
    python: python(cache, accounts),
  };
}

const all = new Map<number, Figures>();
for (const accounts of SIZES) {
  const found = await figures(accounts);
  all.set(accounts, found);
  const { hit, list, python: py } = found;
  const row = (what: string, ...cells: string[]): void => {
    console.log(`${what.padEnd(23)}${cells.join(', ')}`);
  };
  const beside = (theirs: number, ours: number): string => `${duration(ours)} (${times(theirs / ours)})`;
  console.log(`\n${accounts.toLocaleString('en')} accounts`);
  row(
    'a token from the cache',
    `MSAL Node ${duration(hit.alone)}`,
    `Tokenkeep ${beside(hit.alone, hit.ours)}`,
  );
  row(
    '  through MSAL Node',
    `with our plugin ${duration(hit.plugin)}`,
    `with one that gives a text ${duration(hit.usual)}`,
  );
  row('listing accounts', `MSAL Node ${duration(list.alone)}`, `Tokenkeep ${beside(list.alone, list.ours)}`);
  if (py !== null) row('MSAL Python', `a token ${duration(py.hit)}`, `listing ${duration(py.list)}`);
}
const [small, large] = [all.get(SIZES[0]!)!, all.get(SIZES.at(-1)!)!];
console.log(`\na token from the cache, from ${SIZES[0]!} to ${SIZES.at(-1)!} accounts`);
console.log(
  `MSAL Node ${times(large.hit.alone / small.hit.alone)}, with our plugin ${times(large.hit.plugin / small.hit.plugin)}`,
);
rmSync(folder, { recursive: true, force: true });
process.exit(0);
