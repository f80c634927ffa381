import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

/**
 * Bundles a program that a test runs in its own process, because it can be killed, hang or crash there; this Node
 * does not run TypeScript itself. Returns the path of the JavaScript file, from which the project's dependencies
 * resolve.
 */
export async function bundle(entry: string): Promise<string> {
  const root = join(import.meta.dirname, '..', '..');
  const artifacts = join(root, 'artifacts'); // the only folder of the clone that the tests' user may write
  mkdirSync(artifacts, { recursive: true });
  const outDir = mkdtempSync(join(artifacts, 'program-'));
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    resolve: { tsconfigPaths: true },
    build: {
      outDir,
      emptyOutDir: false,
      target: 'node20',
      minify: false,
      ssr: entry,
      rolldownOptions: {
        external: [/^node:/, 'keytar', 'fs-native-extensions', 'pg', 'redis', /^msal-node-/],
        output: { entryFileNames: 'main.mjs' },
      },
    },
  });
  return join(outDir, 'main.mjs');
}
