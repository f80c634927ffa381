import { defineConfig } from 'tsdown';

/** The provider as a program of its own; the packages it uses are loaded as they are. */
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
