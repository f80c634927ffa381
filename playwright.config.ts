import { defineConfig } from '@playwright/test';
import { packaged } from './scripts/packaging/development-build.mjs';
import { WORKERS } from './scripts/session/small-disk.mjs';
import type { Packaged } from './test/e2e/app.ts';

// The real app in a real Electron. Each test has a home, a keyring and a vault of its own, so they may run side by side.
export default defineConfig<object, Packaged>({
  outputDir: process.env['TOKENKEEP_ARTIFACTS'] ?? 'artifacts/e2e',
  workers: WORKERS,
  fullyParallel: true,
  // What hangs ends; nothing is measured by it. A busy machine is ten times as slow.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  forbidOnly: process.env['CI'] === 'true',
  retries: 0,
  reporter: [['list']],
  projects: [
    { name: 'app', testDir: 'test/e2e' },
    // As it is installed. `npm test -- packaged` builds it; see docs/development.md.
    {
      name: 'packaged',
      testDir: 'test',
      testMatch: ['packaged/**/*.spec.ts', 'e2e/**/*.spec.ts'],
      grep: [/@packaged/, /packaged\//],
      use: { packagedApp: packaged(import.meta.dirname)?.app ?? 'not packaged' },
    },
    // What takes long, and in full what the tests of the app try a sample of: `npm run judges`.
    {
      name: 'judges',
      testDir: 'test',
      testMatch: ['judges/**/*.spec.ts', 'e2e/{screenshots,many}.spec.ts'],
    },
    // Every end-to-end test, in a copy of which one fuse was set back: `npm test -- e2e-packaged`.
    {
      name: 'e2e-packaged',
      testDir: 'test/e2e',
      use: { packagedApp: packaged(import.meta.dirname)?.inspectable ?? 'not packaged', inspectable: true },
    },
  ],
});
