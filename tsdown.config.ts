import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { defineConfig, type UserConfig } from 'tsdown';
import packageJson from './package.json' with { type: 'json' };
import { noteBundled } from './scripts/packaging/bundled.mjs';
import { nativeHashes, nativePackages } from './scripts/packaging/native-hashes.mjs';
import { writeNotices } from './scripts/packaging/papers.mjs';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Loaded from node_modules at run time: electron itself, and what carries a native binary. */
const native = ['electron', 'original-fs', ...nativePackages];

/** The client ID of the app registration that this build signs in with; docs/signing-in.md. */
function registration(): string {
  const id = process.env['TOKENKEEP_CLIENT_ID'] ?? '';
  if (id !== '' && !/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id))
    throw new Error(
      'TOKENKEEP_CLIENT_ID must be the application (client) ID of an app registration, a GUID.',
    );
  return id;
}

/** The commit that is built, for the About dialog; "" outside a clone. */
function commit(): string {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' });
  return status === 0 && /^[\da-f]{12,40}$/.test(stdout.trim()) ? stdout.trim() : '';
}

/** Of the desktop app. CommonJS: the preload script must be, and an ES module as the main entry would run only after
 * `ready` may have fired. */
function app(name: 'main' | 'preload' | 'command'): UserConfig {
  return {
    name: `app, ${name}`,
    entry: { [name]: `app/${name}.ts` },
    outDir: 'out',
    format: 'cjs',
    platform: 'node',
    target: 'node20.18', // Electron 33
    clean: [`out/${name}.cjs`, `out/${name}-*.cjs`],
    dts: false,
    plugins: [noteBundled(name)],
    fixedExtension: true,
    deps: { neverBundle: native, alwaysBundle: [/^(?!electron$|keytar$|fs-native-extensions$|node:)/] },
    alias: {
      'tokenkeep/cache': path('src-main/cache/index.ts'),
      'tokenkeep/doctor': path('src-main/doctor/index.ts'),
      'tokenkeep/ipc': path('src-main/ipc/index.ts'),
      'tokenkeep/electron': path('src-main/electron/index.ts'),
      'tokenkeep/errors': path('src-main/errors.ts'),
      'tokenkeep/keychain': path('src-main/keychain/index.ts'),
      'tokenkeep/native-code': path('src-main/native-code/index.ts'),
      'tokenkeep/msal': path('src-main/msal/index.ts'),
      'tokenkeep/preload': path('src-main/electron/preload.ts'),
      'tokenkeep/sources': path('src-main/sources/index.ts'),
      'tokenkeep/vault': path('src-main/vault/index.ts'),
      tokenkeep: path('src-main/index.ts'),
    },
    // What is imported late is in a file of its own, since V8 reads all of a file at the start. A sandboxed preload script can load none.
    // Its name says what is in it: an app that was replaced while it runs finds no file, and not one of another version.
    outputOptions: {
      ...(name === 'preload' ? { codeSplitting: false } : { chunkFileNames: `${name}-[name]-[hash].cjs` }),
      dynamicImportInCjs: false, // for two native modules, Node would load and start everything that it needs for ES modules
    },
    minify: { mangle: false },
    define: {
      __VERSION__: JSON.stringify(packageJson.version),
      __CLIENT_ID__: JSON.stringify(registration()),
      __COMMIT__: JSON.stringify(commit()),
      __NATIVE_SHA256__: JSON.stringify(nativeHashes(path('.'))),
    },
  };
}

/** The entries of the library. */
const library = {
  index: 'src-main/index.ts',
  'cache/index': 'src-main/cache/index.ts',
  'doctor/index': 'src-main/doctor/index.ts',
  'ipc/index': 'src-main/ipc/index.ts',
  electron: 'src-main/electron/index.ts',
  errors: 'src-main/errors.ts',
  'express/index': 'src-main/express/index.ts',
  'keychain/index': 'src-main/keychain/index.ts',
  'keychain/conformance': 'src-main/keychain/conformance.ts',
  'sources/index': 'src-main/sources/index.ts',
  'azure-identity': 'src-main/msal/azure-identity.ts',
  mcp: 'src-main/oauth/mcp/index.ts',
  'native-code/index': 'src-main/native-code/index.ts',
  'oauth/index': 'src-main/oauth/index.ts',
  'testing/index': 'src-main/testing/index.ts',
  'testing/provider': 'examples/provider/test-provider.ts',
  'vault/index': 'src-main/vault/index.ts',
  msal: 'src-main/msal/index.ts',
  preload: 'src-main/electron/preload.ts',
  'partitions/index': 'src-main/partitions/index.ts',
  'partitions/session': 'src-main/partitions/stores/session-store.ts',
  'partitions/redis': 'src-main/partitions/stores/redis-store.ts',
  'partitions/postgres': 'src-main/partitions/stores/postgres-store.ts',
  'partitions/sqlite': 'src-main/partitions/stores/sqlite-store.ts',
  'partitions/conformance': 'src-main/partitions/conformance/conformance.ts',
};

export default defineConfig([
  {
    // The library: what `npm pack` ships.
    name: 'library',
    entry: { ...library, cli: 'src-main/cli/main.ts' }, // the `tokenkeep` command shares the library's code
    outDir: 'dist',
    // Types for CommonJS only: Node has that build, however it is loaded (docs/decisions/one-copy.md), and compilers look there too.
    format: { esm: { dts: false }, cjs: { dts: { sourcemap: true } } },
    platform: 'node',
    target: 'node20.19',
    fixedExtension: true,
    deps: { neverBundle: native },
    alias: { 'tokenkeep/errors': path('src-main/errors.ts') }, // what an example imports as any app does
    define: { __VERSION__: JSON.stringify(packageJson.version) },
    plugins: [noteBundled('library', path('artifacts/bundled'))],
    hooks: {
      'build:done': () => {
        writeNotices(path('.'), path('dist/THIRD-PARTY-NOTICES.txt'), path('artifacts/bundled/library.json'));
      },
    },
  },
  // Two builds, since what they share would become a chunk of its own, and a sandboxed preload script can load none.
  app('main'),
  app('preload'),
  app('command'), // apart, so that the app does not load it at its start
]);
