import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { setTheStage, type Stage, takeTurns } from '../support/refreshing/refreshers.ts';
import { temporaryFolder } from '../vault/fakes.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setTheStage();
}, 60_000);
afterAll(() => stage.close());

it.each([
  { by: 'callback', person: 'noor' },
  { by: 'msal', person: 'piet' },
] as const)(
  'four processes share a vault, by $by, 25 expiries: one refresh for each, and no refresh token twice',
  async ({ by, person }) => {
    const file = join(temporaryFolder(), 'cache.vault');
    const place = { kind: 'vault', file, key: randomBytes(32).toString('base64') } as const;
    await takeTurns(stage, { place, by, person, times: 25, skews: [-3, 0, 0, 4] });
  },
  120_000,
);
