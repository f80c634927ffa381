/** The costs of the app beside an empty window of the same Electron. Start and memory are printed, rest is asserted. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, type Page } from '@playwright/test';
import { findElectron } from '../../scripts/electron-path.mjs';
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

// Times are not asserted. TOKENKEEP_ROUNDS=5 measures them, and writes the figures to artifacts/window.json.
const rounds = Number(process.env['TOKENKEEP_ROUNDS'] ?? 0);
if (rounds > 0)
  test('start and memory, told: drawn at most 1.3 times as late as an empty window, 1.5 with 10,000 accounts', async ({
    keyring,
  }) => {
    test.setTimeout(600_000);
    const { env } = keyring;
    const start = {
      empty: () => startObserved(env, join(env['HOME']!, 'empty'), null),
      app: () => startObserved(env, profileFolder(env), ACCOUNTS),
    };
    const sizes = [];
    let atRest: Record<'visible' | 'hidden', Record<'empty' | 'app', Rest>> | undefined;
    for (const count of [10, 10_000]) {
      await seedAccounts(env, count);
      const empty: Record<'drawn' | 'memory', number[]> = { drawn: [], memory: [] };
      const app: typeof empty = { drawn: [], memory: [] };
      for (let round = 0; round < rounds; round++)
        for (const [figures, observe] of [[empty, start.empty] as const, [app, start.app] as const]) {
          const observed = await observe();
          figures.drawn.push(observed.drawn);
          figures.memory.push(observed.memory());
          await observed.end();
        }
      sizes.push({ accounts: count, empty, app });
      const times = (what: 'drawn' | 'memory') =>
        app[what].map((value, index) => (value / empty[what][index]!).toFixed(2)).join(' ');
      console.log(
        `${count} accounts: drawn ${times('drawn')} times as late, memory ${times('memory')} times`,
      );
      if (count === 10) atRest = await restOfBoth(await start.empty(), await start.app());
    }
    const figures = { electron: findElectron()?.version, sizes, rest: atRest };
    writeFileSync(
      fileURLToPath(new URL('../../artifacts/window.json', import.meta.url)),
      JSON.stringify(figures),
    );
  });

if (rounds > 0)
  test('long tasks, told: none over 50 ms while sorting, typing, filtering, choosing and opening, with 10,000 accounts', async ({
    keyring,
    start,
  }) => {
    test.setTimeout(600_000);
    await seedAccounts(keyring.env, 10_000);
    const { window } = await start();
    const table = window.getByRole('grid', { name: 'Accounts' });
    await expect(window.getByRole('button', { name: 'Copy list' })).toBeEnabled({ timeout: 60_000 });
    const found = new Map<string, number[]>();
    const longest = await longestTask(window);
    /** Does something, and notes the longest task of the page until it is drawn. */
    const during = async (what: string, act: () => Promise<void>): Promise<void> => {
      await longest();
      await act();
      await window.waitForTimeout(500); // what is drawn afterwards counts as well
      found.set(what, [...(found.get(what) ?? []), await longest()]);
    };
    const search = window.getByRole('searchbox', { name: /^Search accounts/ });
    const tenant = window.getByRole('button', { name: /^Tenant/ });
    const page = window.getByRole('navigation', { name: 'Pages' });
    for (let round = 0; round < rounds; round++) {
      for (const column of ['Account', 'Home tenant', 'Status'])
        await during(`sort by ${column}`, () => table.getByRole('button', { name: column }).click());
      await search.focus();
      for (const key of 'tenant-5') await during('type a letter', () => window.keyboard.press(key));
      await during('clear the search', () => search.fill(''));
      await during('open a filter', () => tenant.click());
      await during('filter', () => window.getByRole('menuitem', { name: /^tenant-7\b/ }).click());
      await tenant.click();
      await during('show all', () => window.getByRole('menuitem', { name: 'All tenants' }).click());
      await table.focus();
      await during('turn a page', () => window.keyboard.press('PageDown'));
      await during('select all', () => window.keyboard.press('ControlOrMeta+a'));
      await during('clear the selection', () => window.keyboard.press('Escape'));
      await during('open an account', () => window.keyboard.press('Enter'));
      await window.getByRole('listbox', { name: 'Accounts' }).focus();
      await during('choose the next one', () => window.keyboard.press('ArrowDown'));
      await during('go back', () => window.getByRole('button', { name: /^All accounts/ }).click());
      for (const name of ['Health', 'Accounts'])
        await during(`to ${name}`, () => page.getByRole('button', { name }).click());
    }
    for (const [what, times] of found)
      console.log(`${what}: ${times.some((time) => time > 0) ? `${times.join(', ')} ms` : 'none'}`);
  });

/** Returns the longest task of the page's main thread since the last call, in milliseconds; 0: none of 50 or more (W3C Long Tasks). */
async function longestTask(window: Page): Promise<() => Promise<number>> {
  const tasks = await window.evaluateHandle(() => {
    const all: number[] = [];
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) all.push(Math.round(duration));
    }).observe({ type: 'longtask' });
    return all;
  });
  return () => tasks.evaluate((all) => Math.max(0, ...all.splice(0)));
}

/** Waits until both are at rest, measures them side by side, visible and then hidden, and ends them. */
async function restOfBoth(empty: Observed, app: Observed) {
  const both = async () => {
    await pass(15_000); // Chromium's own start goes on for some ten seconds.
    const [bare, seen]: [Rest[], Rest[]] = [[], []];
    for (let turn = 0; turn < 3; turn++) {
      const [one, other] = await Promise.all([empty.rest(5), app.rest(5)]);
      bare.push(one);
      seen.push(other);
    }
    const quietest = (all: Rest[]): Rest => all.toSorted((a, b) => a.wakeUps - b.wakeUps)[0]!;
    return { empty: quietest(bare), app: quietest(seen) };
  };
  const visible = await both();
  app.hide();
  empty.hide();
  const hidden = await both();
  await Promise.all([empty.end(), app.end()]);
  return { visible, hidden };
}

/** Waits until the app rests, and measures it beside the empty window. Fails if the app wakes more often, or writes to the disk. */
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
