/** Bundlers that are too large for `npm test`, each from an empty folder to a program that is started twice. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { APP, startsTwice } from '../package/recipe.ts';
import { installPacked, run, type Stranger } from '../package/stranger.ts';

let packed: Stranger;
beforeAll(() => {
  packed = installPacked();
});
afterAll(() => packed.remove());

/** The configurations of docs/packaging.md. */
const WEBPACK = {
  esm: `module.exports = {
    mode: 'production', target: 'node20', entry: './app.mjs', experiments: { outputModule: true },
    output: { path: __dirname + '/out', filename: 'main.mjs', module: true, library: { type: 'module' } },
    externals: { keytar: 'module keytar', 'fs-native-extensions': 'module fs-native-extensions' },
  };`,
  cjs: `module.exports = {
    mode: 'production', target: 'node20', entry: './app.cjs',
    output: { path: __dirname + '/out', filename: 'main.cjs' },
    externals: { keytar: 'commonjs keytar', 'fs-native-extensions': 'commonjs fs-native-extensions' },
  };`,
} as const;

it.each(['esm', 'cjs'] as const)('webpack 5, %s', (format) => {
  const folder = join(packed.folder, '..', `webpack-${format}`);
  const extension = format === 'esm' ? 'mjs' : 'cjs';
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "bundled", "private": true }');
  const quiet = ['--ignore-scripts', '--omit=peer', '--no-audit', '--no-fund'];
  run('npm', ['install', ...quiet, packed.tarball, 'webpack@5', 'webpack-cli@6'], folder);
  writeFileSync(join(folder, `app.${extension}`), APP[format]);
  writeFileSync(join(folder, 'webpack.config.cjs'), WEBPACK[format]);
  run('npx', ['webpack'], folder);
  startsTwice(folder, `out/main.${extension}`);
});
