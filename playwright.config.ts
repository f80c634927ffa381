import { defineConfig } from '@playwright/test';

// The real app in a real Electron. Each test has a home, a keyring and a vault of its own, so they may run side by side.
export default defineConfig({
  testDir: 'test/e2e',
  outputDir: process.env['TOKENKEEP_ARTIFACTS'] ?? 'artifacts/e2e',
  workers: 2,
  fullyParallel: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: process.env['CI'] === 'true',
  retries: 0,
  reporter: [['list']],
});
