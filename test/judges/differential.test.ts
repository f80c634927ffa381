/** Tokenkeep beside MSAL Python and MSAL Node 2, 3, 5 and 7 on thousands of generated inputs. `SEED=n` begins elsewhere. */
import { describe, expect, it } from 'vitest';
import { compareResponses, compareUse, reportOf } from '../interop/differential.ts';
import { MSAL_NODE, MSAL_PYTHON, withoutPython } from '../interop/judges.ts';

const seed = Number(process.env['SEED'] ?? 1);

it.skipIf(withoutPython)('5,000 token responses become what MSAL Python makes of them', () => {
  const result = compareResponses(seed, 5_000);
  console.log(`MSAL Python, responses: ${reportOf(result)}`);
  expect(result.failures).toEqual([]);
});

describe.each([...MSAL_NODE, MSAL_PYTHON])('$name', (judge) => {
  it.skipIf(judge === MSAL_PYTHON && withoutPython)('uses 2,000 documents as Tokenkeep does', () => {
    const result = compareUse(judge, seed, 2_000);
    console.log(`${judge.name}, documents: ${reportOf(result)}`);
    expect(result.failures).toEqual([]);
  });
});
