import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tokenkeep-lint-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** One file for each kind of rule. */
const BROKEN: Readonly<Record<string, string>> = {
  'a wrong type': 'export const wrong: string = 1;',
  'a promise that nobody awaits': 'export function forget(): void {\n  Promise.resolve(1);\n}',
  'a condition that never changes': 'export const always = (text: string): boolean => text !== null;',
  'an unused variable': 'const unused = 1;\nexport {};',
  'a disable comment without effect': '// oxlint-disable-next-line eqeqeq -- nothing\nexport const x = 1;',
};

// A linter that lacks its compiler, or can't read its configuration, must not look like one that found nothing.
it('oxlint with the configuration of the house refuses one example of each kind of rule', () => {
  copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  const base = join(root, 'tsconfig.json');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: base, compilerOptions: { paths: {}, types: [] }, include: ['.'] }),
  );
  Object.values(BROKEN).forEach((code, index) => {
    writeFileSync(join(folder, `${index}.ts`), `${code}\n`);
  });
  const { stdout, status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/oxlint/bin/oxlint'), '--format=unix'],
    {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, OXLINT_TSGOLINT_PATH: join(root, 'node_modules/.bin/tsgolint') },
    },
  );
  const found = Object.keys(BROKEN).filter((_, index) => stdout.includes(`${index}.ts:`));
  expect(found, stdout).toEqual(Object.keys(BROKEN));
  expect(status).toBe(1);
});
