import { fileURLToPath } from 'node:url';
import { defineConfig } from 'tsdown';
import packageJson from './package.json' with { type: 'json' };

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Loaded from node_modules at run time: electron itself, and what carries a native binary. */
const native = ['electron', 'keytar', 'fs-native-extensions'];

export default defineConfig([
  {
    // The library: what `npm pack` ships.
    name: 'library',
    entry: {
      index: 'src-main/index.ts',
      electron: 'src-main/electron/index.ts',
      preload: 'src-main/electron/preload.ts',
    },
    outDir: 'dist',
    format: ['esm', 'cjs'],
    platform: 'node',
    target: 'node20.19',
    dts: true,
    fixedExtension: true,
    deps: { neverBundle: native },
  },
  {
    // The desktop app. CommonJS: a sandboxed preload script must be one CommonJS file, and an ES module as the main
    // entry would run only after `ready` may have fired.
    name: 'app',
    entry: { main: 'app/main.ts', preload: 'app/preload.ts' },
    outDir: 'out',
    format: 'cjs',
    platform: 'node',
    target: 'node20.18', // Electron 33
    clean: ['out/*.cjs'],
    dts: false,
    fixedExtension: true,
    deps: { neverBundle: native, alwaysBundle: [/^(?!electron$|keytar$|fs-native-extensions$|node:)/] },
    alias: {
      'tokenkeep/electron': path('src-main/electron/index.ts'),
      'tokenkeep/preload': path('src-main/electron/preload.ts'),
      tokenkeep: path('src-main/index.ts'),
    },
    define: { __VERSION__: JSON.stringify(packageJson.version) },
  },
]);
