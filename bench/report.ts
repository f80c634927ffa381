/**
 * `npm run bench -- --report`: measures everything that docs/benchmarks.md shows, in one run, and writes the page, its
 * pictures and the figures behind them (bench/report.json). `--report --quick` measures less, and writes nothing.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version as msalVersion } from 'msal-node-7';
import { documentOf } from './generate.ts';
import { measureRatios } from './partitions-ratios.ts';
import { type ChangeFigures, filesOf, type Report, type WindowFigures } from './report-page.ts';
import { entrySizes, installations, pack } from './sizes.ts';
import { median } from './statistics.ts';
import { peers, type Program, race, remove, start, underMsal, vaultAlone } from './together-programs.ts';

const quick = process.argv.includes('--quick');
const root = fileURLToPath(new URL('../..', import.meta.url));
/** The number of accounts, and of changes that are timed. The first change is not counted. */
const SIZES: readonly (readonly [accounts: number, changes: number])[] = quick
  ? [
      [10, 6],
      [1000, 3],
    ]
  : [
      [10, 31],
      [100, 31],
      [1000, 11],
      [10_000, 4],
    ];
const RACE = { accounts: 100, writers: 4, updates: 25 };
const ROUNDS = quick ? 1 : 3;

const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-bench-'));
const say = (text: string): void => console.log(`${new Date().toISOString().slice(11, 19)}  ${text}`);
const git = (...words: string[]): string =>
  execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim();

async function changeOf(program: Program, accounts: number, changes: number): Promise<number> {
  const file = join(folder, 'change');
  await program.seed(file, documentOf(accounts));
  const writer = await start(program, file, '0', changes);
  writer.go();
  await writer.ended;
  const isThere = (await program.targets(file))?.has(writer.acknowledged.at(-1) ?? '');
  remove(file);
  if (isThere !== true || writer.times.length !== changes)
    throw new Error(`${program.title}, ${accounts} accounts: the last change is not in the file`);
  return median(writer.times.slice(1));
}

async function changesOf(program: Program): Promise<ChangeFigures> {
  const points: [number, number][] = [];
  for (const [accounts, changes] of SIZES) {
    points.push([accounts, await changeOf(program, accounts, changes)]);
    say(`${program.title}, ${accounts} accounts: one change ${points.at(-1)![1].toFixed(1)} ms`);
  }
  return { program: program.title, points };
}

/** Runs the end-to-end test that measures the app; it builds the app first. */
function observeWindow(): WindowFigures {
  const words = ['scripts/test.mjs', 'e2e', 'budgets.spec.ts', '-g', 'told', '--workers=1'];
  const env = { ...process.env, TOKENKEEP_ROUNDS: String(ROUNDS) };
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: root, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`The app could not be observed:\n${stdout}\n${stderr}`);
  return JSON.parse(readFileSync(join(root, 'artifacts/window.json'), 'utf8')) as WindowFigures;
}

try {
  if (!quick && git('status', '--porcelain', '--untracked-files=no') !== '')
    throw new Error('Commit first: the report names the commit that it measured.');
  const begin = Date.now();
  const load = (): number => Math.round((loadavg()[0] ?? 0) * 10) / 10;
  const loads = [load()];
  say('the app beside an empty window');
  const window = observeWindow();
  loads.push(load());
  const others = peers();
  const changes: ChangeFigures[] = [];
  for (const program of [vaultAlone, underMsal, ...others]) changes.push(await changesOf(program));
  loads.push(load());
  const races = [];
  for (const program of [underMsal, ...others]) {
    const file = join(folder, 'race');
    await program.seed(file, documentOf(RACE.accounts));
    const outcome = await race(program, file, RACE.writers, RACE.updates);
    remove(file);
    say(`${program.title}: ${outcome.lost} lost of ${outcome.acknowledged}`);
    races.push({ program: program.title, ...outcome });
  }
  loads.push(load());
  say('web requests');
  const web = Object.fromEntries(await measureRatios());
  loads.push(load());
  say('sizes and installations');
  const tarball = pack(root, folder);
  const installed = installations(tarball);
  const where = mkdtempSync(join(folder, 'entries-'));
  writeFileSync(join(where, 'package.json'), '{ "private": true }');
  const quiet = ['--ignore-scripts', '--omit=peer', '--no-audit', '--no-fund'];
  execFileSync('npm', ['install', ...quiet, tarball], { cwd: where, stdio: 'ignore' });
  const report: Report = {
    run: {
      commit: git('rev-parse', '--short=10', 'HEAD'),
      date: new Date(begin).toISOString().slice(0, 10),
      minutes: Math.round((Date.now() - begin) / 60_000),
      processor: cpus()[0]?.model.trim() ?? 'unknown processor',
      cores: cpus().length,
      gigabytes: Math.round(totalmem() / 2 ** 30),
      system: `${process.platform} ${process.arch}`,
      node: process.versions.node,
      msal: msalVersion,
      loads,
    },
    race: RACE,
    changes,
    races,
    window,
    web,
    entries: await entrySizes(where),
    installed,
  };
  if (quick) console.log(JSON.stringify(report, null, 2));
  else
    for (const [path, text] of [
      ['bench/report.json', `${JSON.stringify(report, null, 2)}\n`] as const,
      ...Object.entries(filesOf(report)),
    ]) {
      writeFileSync(join(root, path), text);
      say(`wrote ${path}`);
    }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
