/** Recipes of docs/packaging.md: from an empty folder to a program that is started in another place. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { bundled } from '../../bench/sizes.ts';
import { APP, NATIVE, startsTwice } from './recipe.ts';
import { installPacked, type Stranger } from './stranger.ts';

vi.setConfig({ testTimeout: 120_000 });

let packed: Stranger;
beforeAll(() => {
  packed = installPacked();
}, 120_000);
afterAll(() => packed.remove());

/** Copies the external packages and their dependencies beside the program. */
function withNative(from: string, to: string): void {
  const wanted: string[] = [...NATIVE];
  for (const name of wanted) {
    cpSync(join(from, 'node_modules', name), join(to, 'node_modules', name), { recursive: true });
    const { dependencies = {} } = JSON.parse(
      readFileSync(join(from, 'node_modules', name, 'package.json'), 'utf8'),
    ) as { dependencies?: Record<string, string> };
    for (const other of Object.keys(dependencies)) if (!wanted.includes(other)) wanted.push(other);
  }
}

it.each(['esm', 'cjs'] as const)(
  'plain esbuild, %s: bundled, moved and started elsewhere',
  async (format) => {
    const made = join(packed.folder, `esbuild-${format}`);
    const file = format === 'esm' ? 'main.mjs' : 'main.cjs';
    await build({
      stdin: { contents: format === 'esm' ? APP.esm : APP.cjs, resolveDir: packed.folder },
      bundle: true,
      platform: 'node',
      format,
      external: [...NATIVE],
      outfile: join(made, file),
      logLevel: 'error',
    });
    withNative(packed.folder, made);
    const elsewhere = join(mkdtempSync(join(tmpdir(), 'tokenkeep-moved-')), 'app');
    renameSync(made, elsewhere);
    startsTwice(elsewhere, file);
    rmSync(join(elsewhere, '..'), { recursive: true });
  },
);

it('in a worker thread', () => {
  const { folder } = packed;
  mkdirSync(join(folder, 'worker'));
  writeFileSync(join(folder, 'worker', 'app.mjs'), APP.esm);
  writeFileSync(
    join(folder, 'worker', 'main.mjs'),
    `import { Worker } from 'node:worker_threads';
    new Worker(new URL('./app.mjs', import.meta.url), { argv: process.argv.slice(2) });`,
  );
  startsTwice(join(folder, 'worker'), 'main.mjs');
});

it('no file calls a `createRequire` that webpack would follow, and replace by undefined', () => {
  const dist = join(packed.folder, 'node_modules/tokenkeep/dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.[mc]js$/.test(name),
  );
  expect(files.length).toBeGreaterThan(20);
  const calls = files.flatMap((name) =>
    readFileSync(join(dist, name), 'utf8')
      .split('\n')
      .filter((line) => /createRequire\)?\(/.test(line) && !line.includes('getBuiltinModule'))
      .map((line) => `${name}: ${line.trim()}`),
  );
  expect(calls).toEqual([]);
});

it('a vault that is opened loads nothing of the age format, which only exports and imports need', async () => {
  const files = await bundled(packed.folder, `export { openVault } from 'tokenkeep';`, NATIVE);
  const lengthOf = (all: { text: string }[]): number => all.map(({ text }) => text).join('\n').length;
  const [atOnce, later] = [lengthOf(files.now), lengthOf(files.later)];
  expect([atOnce < 250_000, later > 150_000]).toEqual([true, true]);
});
