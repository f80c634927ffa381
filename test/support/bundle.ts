import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

/**
 * Bundles a program that a test runs in a process of its own, because it can be killed, hang or crash there; this
 * Node does not run TypeScript by itself. Returns the path of the JavaScript, from which the project's dependencies
 * resolve.
 */
export async function bundle(entry: string): Promise<string> {
  const root = join(import.meta.dirname, '..', '..');
  const cache = join(root, 'node_modules', '.cache', 'tokenkeep-test');
  mkdirSync(cache, { recursive: true });
  const outDir = mkdtempSync(join(cache, 'program-'));
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: {
      outDir,
      emptyOutDir: false,
      target: 'node20',
      minify: false,
      ssr: entry,
      rolldownOptions: {
        external: [/^node:/, 'keytar', 'fs-native-extensions'],
        output: { entryFileNames: 'main.mjs' },
      },
    },
  });
  return join(outDir, 'main.mjs');
}
