import { join } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { setTheStage, type Stage, takeTurns } from '../support/refreshing/refreshers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setTheStage();
}, 60_000);
afterAll(() => stage.close());

it.each([
  { by: 'callback', person: 'noor', times: 10 },
  { by: 'msal-node-7', person: 'piet', times: 10 },
  { by: 'msal-node-5', person: 'noor', times: 3 },
  { by: 'msal-node-3', person: 'piet', times: 3 },
  { by: 'msal-node-2', person: 'noor', times: 3 },
] as const)(
  'four processes share a vault, by $by, $times expiries: one refresh for each, and no refresh token twice',
  async ({ by, person, times }) => {
    const file = join(temporaryFolder(), 'cache.vault');
    const place = { kind: 'vault', file, key: temporaryFolder() } as const;
    await takeTurns(stage, { place, by, person, times, skews: [-3, 0, 0, 4] });
  },
  120_000,
);
