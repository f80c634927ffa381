/** The short form of test/judges/differential.test.ts: Tokenkeep beside the real libraries on generated input. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compareResponses, compareUse, EXPLAINED } from './differential.ts';
import { MSAL_NODE, MSAL_PYTHON, withoutPython } from './judges.ts';

it.skipIf(withoutPython)('a token response becomes what MSAL Python makes of it', () => {
  const { failures, compared } = compareResponses(1, 200);
  expect(failures).toEqual([]);
  expect(compared).toBe(200);
});

describe.each([...MSAL_NODE, MSAL_PYTHON])('$name', (judge) => {
  it.skipIf(judge === MSAL_PYTHON && withoutPython)('uses a document as Tokenkeep does', () => {
    const { failures, compared } = compareUse(judge, 1, 40);
    expect(failures).toEqual([]);
    expect(compared).toBe(40);
  });
});

it('every difference that is let through is explained', () => {
  const page = readFileSync(new URL('../../docs/differences.md', import.meta.url), 'utf8');
  for (const kind of EXPLAINED) expect(page).toContain(`\n## ${kind}\n`);
});
