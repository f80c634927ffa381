import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    exclude: ['test/e2e/**', 'test/judges/**'],
    testTimeout: 30_000,
    coverage: { include: ['src-main/**', 'src-renderer/state/**', 'app/**'] },
  },
});
