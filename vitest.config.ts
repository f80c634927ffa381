import { defineConfig } from 'vitest/config';
import { lonelyTests } from './scripts/checks/pure.mjs';

// The programs of the guides subscribe to channels until their process ends.
const alone: string[] = [...lonelyTests(), 'test/docs/guides.test.ts'];

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    // What hangs ends; nothing is measured by these. A busy machine is ten times as slow.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    setupFiles: ['test/support/after-each-file.ts'],
    coverage: { include: ['src-main/**', 'src-renderer/state/**', 'app/**'] },
    projects: [
      // They share what they import: loading it anew for each file takes as long as running them.
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/e2e/**', 'test/judges/**', ...alone],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
});
