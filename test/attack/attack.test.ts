/** The short form of `npm run attack`: a sample of each kind that needs no Electron. */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { PURE_SECTIONS, run } from './attack.ts';

it.each(Object.entries(PURE_SECTIONS))('nothing gets through: %s', async (name, section) => {
  const score = await run({ [name]: section }, { seed: 1, short: true });
  expect(score.rows.flatMap(({ name: kind, through }) => through.map((what) => `${kind}: ${what}`))).toEqual(
    [],
  );
  expect(score.rows.length).toBeGreaterThan(1);
});

it('runs the sources, also where a build is beside them, which Node finds under the same name', () => {
  const words = ['test/attack/main.mjs', '--only', 'provider', '--attack', 'honest'];
  expect(execFileSync(process.execPath, words, { encoding: 'utf8' })).toMatch(/^all +5 +5 +0$/m);
});
