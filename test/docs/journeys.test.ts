import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const page = readFileSync('docs/journeys.md', 'utf8');
const steps = [...page.matchAll(/^\| `([^`]+)` \| `([^`]+)` \| (.+) \|$/gm)].map(
  ([, file = '', name = '', what = '']) => ({ file, name, what }),
);

it('the page walks five journeys, a step in each line', () => {
  expect([...page.matchAll(/^## \d\. /gm)]).toHaveLength(5);
  expect(steps.length).toBeGreaterThan(40);
});

it('every file that a step names exists, and has the name in it', () => {
  const wrong = steps.filter(
    ({ file, name }) => !existsSync(file) || !new RegExp(`\\b${name}\\b`).test(readFileSync(file, 'utf8')),
  );
  expect(wrong).toEqual([]);
});
