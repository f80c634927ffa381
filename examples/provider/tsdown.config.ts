import { defineConfig } from 'tsdown';

/** Builds the provider as a program. The packages that it uses are not bundled. */
export default defineConfig({
  cwd: import.meta.dirname,
  entry: ['main.ts'],
  outDir: '../../artifacts/provider',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  dts: false,
  clean: true,
  fixedExtension: true,
  deps: { neverBundle: [/^[^./]/] },
  logLevel: 'error',
});
