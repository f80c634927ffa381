/** What the app costs beside an empty window of the same Electron. Start and memory are printed, rest is asserted. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from '@playwright/test';
import { manyAccounts } from '../ipc/many.ts';
import { type Observed, type Rest, startObserved } from '../support/observed.ts';
import { profileFolder, test, vaultFile } from './app.ts';
import { seed } from './library.ts';

/** A drawn account, in the list or the table. */
const ACCOUNTS = '[role=option], [role=row][id]';

test.skip(process.platform !== 'linux', 'Wake-ups are counted in /proc.');

test('at rest the app hardly wakes and writes nothing', async ({ keyring }) => {
  const { env } = keyring;
  await seedAccounts(env, 10);
  const empty = await startObserved(env, join(env['HOME']!, 'empty'), null);
  const app = await startObserved(env, profileFolder(env), ACCOUNTS);
  try {
    tell('10 accounts', app, empty);
    // Chromium's own start goes on for some ten seconds, in an empty window too.
    const visible = await restOf(app, empty, 5);
    app.hide();
    empty.hide();
    const hidden = await restOf(app, empty, 2);
    console.log(`wake-ups a second: ${visible}; hidden: ${hidden}`);
  } finally {
    await Promise.all([empty.end(), app.end()]);
  }
});

// A time is no test. TOKENKEEP_ROUNDS=5 measures it.
const rounds = Number(process.env['TOKENKEEP_ROUNDS'] ?? 0);
if (rounds > 0)
  test('start and memory, told: drawn at most 1.3 times as late as an empty window, 1.5 with 10,000 accounts', async ({
    keyring,
  }) => {
    test.setTimeout(600_000);
    const { env } = keyring;
    for (const count of [10, 10_000]) {
      await seedAccounts(env, count);
      const ratios: number[][] = [[], []];
      for (let round = 0; round < rounds; round++) {
        const empty = await startObserved(env, join(env['HOME']!, 'empty'), null);
        const bare = [empty.drawn, empty.memory()];
        await empty.end();
        const app = await startObserved(env, profileFolder(env), ACCOUNTS);
        [app.drawn, app.memory()].forEach((value, index) => ratios[index]!.push(value / bare[index]!));
        await app.end();
      }
      const [drawn, memory] = ratios.map((all) =>
        all
          .map((ratio) => ratio.toFixed(2))
          .sort()
          .join(' '),
      );
      console.log(`${count} accounts: drawn ${drawn} times as late, memory ${memory} times`);
    }
  });

/** Waits until the app rests, and measures it beside the empty window. Fails where it wakes more often, or writes. */
async function restOf(app: Observed, empty: Observed, budget: number): Promise<string> {
  let last: Rest | undefined;
  for (let turn = 0; turn < 12; turn++) {
    const [seen, bare] = await Promise.all([app.rest(3), empty.rest(3)]);
    last = seen;
    if (seen.wakeUps <= bare.wakeUps + budget && seen.written === 0)
      return `${seen.wakeUps.toFixed(1)} beside ${bare.wakeUps.toFixed(1)}`;
  }
  expect(last?.written).toBe(0);
  expect(last?.wakeUps, last?.busiest).toBeLessThanOrEqual(budget);
  throw new Error('The empty window wakes more often than the app.');
}

async function seedAccounts(env: Record<string, string>, count: number): Promise<void> {
  const document = join(env['HOME']!, 'many.json');
  writeFileSync(document, manyAccounts(count, Math.floor(Date.now() / 1000)));
  mkdirSync(dirname(vaultFile(env)), { recursive: true });
  await seed(env, vaultFile(env), document);
}

function tell(what: string, app: Observed, empty: Observed): void {
  const ratio = (a: number, b: number) =>
    `${a.toFixed(0)} beside ${b.toFixed(0)}, ${(a / b).toFixed(2)} times`;
  console.log(
    `${what}: drawn ${ratio(app.drawn, empty.drawn)} (ms); memory ${ratio(app.memory(), empty.memory())} (MB)`,
  );
}
