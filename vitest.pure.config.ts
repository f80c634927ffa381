import { defineConfig } from 'vitest/config';
import { pureTests, quickTests } from './scripts/checks/pure.mjs';
import base from './vitest.config.ts';

// `npm run check`: the tests that need nothing but Node and a temporary folder, but those that take long.
export default defineConfig({
  ...base,
  // Lint ends long before them, so they need both processors.
  test: {
    testTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    setupFiles: ['test/support/after-each-file.ts'],
    include: quickTests(pureTests()),
    isolate: false,
    maxWorkers: 2,
  },
});
