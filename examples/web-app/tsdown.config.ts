import { fileURLToPath } from 'node:url';
import { defineConfig } from 'tsdown';

const source = (path: string) => fileURLToPath(new URL(`../../src-main/${path}`, import.meta.url));

/** Builds the web app as a program. In your own app, `tokenkeep` comes from npm; here, from this repository. */
export default defineConfig({
  cwd: import.meta.dirname,
  entry: ['main.ts'],
  outDir: '../../artifacts/web-app',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  dts: false,
  clean: true,
  fixedExtension: true,
  alias: {
    'tokenkeep/express': source('express/index.ts'),
    'tokenkeep/partitions/postgres': source('partitions/stores/postgres-store.ts'),
    'tokenkeep/partitions/sqlite': source('partitions/stores/sqlite-store.ts'),
    'tokenkeep/partitions/redis': source('partitions/stores/redis-store.ts'),
    'tokenkeep/partitions/session': source('partitions/stores/session-store.ts'),
    'tokenkeep/partitions': source('partitions/index.ts'),
  },
  deps: { neverBundle: [/^(?!tokenkeep)[^./]/] },
  logLevel: 'error',
});
