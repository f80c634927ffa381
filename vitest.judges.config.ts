import { defineConfig } from 'vitest/config';

// `npm run judges`: large third parties on what Tokenkeep wrote, and long runs against the real libraries. One at a time: they share
// keyrings, ports and patience.
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/judges/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
