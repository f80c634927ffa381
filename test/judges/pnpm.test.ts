/** The guides, the pages and the README's programs once more, from the package as pnpm installs it. */
import { lstatSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';

vi.stubEnv('TOKENKEEP_WITH_PNPM', '1');
const { installPacked } = await import('../package/stranger.ts');
const { APP, startsTwice } = await import('../package/recipe.ts');

it('is installed by pnpm with its defaults, and started', () => {
  const { folder, remove } = installPacked();
  expect(lstatSync(join(folder, 'node_modules/tokenkeep')).isSymbolicLink()).toBe(true);
  // No dependency of the package is where npm would hoist it to.
  expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
    'tokenkeep',
  ]);
  writeFileSync(join(folder, 'main.mjs'), APP.esm);
  startsTwice(folder, 'main.mjs');
  remove();
}, 300_000);

await import('../package/azure-identity.test.ts');
await import('../package/oauth-guides.test.ts');
await import('../package/mcp.test.ts');
await import('../package/readme.test.ts');
await import('../package/testing.test.ts');
