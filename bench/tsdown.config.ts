import { defineConfig } from 'tsdown';

/** Bundles Tokenkeep as the library is built, for the same target. The peer runs as installed. */
export default defineConfig({
  cwd: import.meta.dirname,
  entry: [
    ...['cache.ts', 'cell.ts', 'msal.ts', 'partitions.ts', 'main.ts', 'vault.ts', 'vault-cell.ts'],
    ...['together.ts', 'together-writer.ts', 'report.ts'],
  ],
  outDir: '../artifacts/bench',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  dts: false,
  clean: true,
  fixedExtension: true,
  deps: {
    neverBundle: [
      'msal-node-7',
      '@azure/msal-node',
      'redis',
      'pg',
      'esbuild',
      'keytar',
      'fs-native-extensions',
    ],
  },
  logLevel: 'error',
});
