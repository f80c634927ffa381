/**
 * Among thousands of accounts, a key press, a scrolled line and a choice cost work for the rows that are seen, not for all accounts. The
 * work is counted, not timed: V8 counts the runs of each block of the page's scripts (`Profiler.startPreciseCoverage`).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { manyAccounts } from '../ipc/many.ts';
import { test, vaultFile } from './app.ts';
import { seed } from './library.ts';

const COUNT = 5_000;

/** Optimized code, and code compiled before the count began, is not counted in full. */
const COUNTED = '--js-flags=--no-compilation-cache --no-opt --no-maglev --no-sparkplug';

/** The clock or a loaded list may interfere. The minimum of several turns is the action's own work. */
const MOST_TURNS = 8;

test('keys, scrolling and choosing among 5,000 accounts pass over none of them, and a search and another order over each a few times', async ({
  keyring,
  start,
}) => {
  test.setTimeout(180_000);
  const { env } = keyring;
  const document = join(env['HOME']!, 'many.json');
  writeFileSync(document, manyAccounts(COUNT, Math.floor(Date.now() / 1000)));
  mkdirSync(dirname(vaultFile(env)), { recursive: true });
  await seed(env, vaultFile(env), document);
  const { window, quit } = await start([COUNTED]);
  const { keyboard } = window;
  const { expectWork, count } = await countWork(window);

  const table = window.getByRole('grid', { name: 'Accounts' });
  await table.focus();
  await keyboard.press('Home');
  for (const key of ['ArrowDown', 'PageDown', 'ArrowUp', ' ', 'Shift+ArrowDown'])
    await expectWork(`table: ${key}`, COUNT, () => keyboard.press(key));
  const scroll = (box: string) =>
    window.locator(box).evaluate((element) => {
      element.scrollTop += 4000;
    });
  await expectWork('table: scroll', COUNT, () => scroll('.people'));

  // Accounts with the same value are not compared with each other.
  for (const column of ['Home tenant', 'Status', 'Next expiry', 'Account'])
    await expectWork(`sort: ${column}`, 1.5 * COUNT, () =>
      table.getByRole('columnheader', { name: column }).getByRole('button').click(),
    );

  const search = window.getByRole('searchbox', { name: /^Search accounts/ });
  const searched = await expectWork('search', 6 * COUNT, async (turn) => {
    const user = String(1200 + turn);
    await search.fill(`user${user}@`);
    await expect(table.getByRole('row').filter({ hasText: `User Number ${user}` })).toHaveCount(1);
  });
  // The count includes a pass over all accounts, which a search needs.
  expect(searched).toBeGreaterThanOrEqual(COUNT);

  // A hundred tenants: the menu has elements for the first ones, and its field finds the others.
  await search.fill('');
  await window.getByRole('button', { name: 'Tenant', exact: true }).click();
  const menu = window.getByRole('menu', { name: 'Tenant' });
  await expect(menu.getByRole('menuitem')).toHaveCount(12);
  await window.getByRole('searchbox', { name: 'Find in Tenant' }).fill('tenant-99');
  await expect(menu.getByRole('menuitem')).toHaveText([/^tenant-99/]);
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await expect(menu).toHaveCount(0);
  await expect(window.getByRole('button', { name: 'Tenant: tenant-99' })).toBeVisible();
  await expect(table.getByRole('row').filter({ hasText: 'User Number 99' }).first()).toBeVisible();
  await window.getByRole('button', { name: 'Tenant: tenant-99' }).click();
  await menu.getByRole('menuitem', { name: 'All tenants' }).click();

  // In the list, each key also draws the account that it chooses: as much work in a short list as in the whole one.
  await search.fill('user12');
  await table.focus();
  await keyboard.press('Home');
  await keyboard.press('Enter');
  const list = window.getByRole('listbox', { name: 'Accounts' });
  const option = list.getByRole('option').first();
  await expect(option).not.toHaveAttribute('aria-setsize', String(COUNT));
  await list.focus();
  const inShortList = await count(() => keyboard.press('ArrowDown'));
  expect(inShortList.size).toBeGreaterThan(0);
  await search.fill('');
  await expect(option).toHaveAttribute('aria-setsize', String(COUNT));
  await list.focus();
  await keyboard.press('End');
  for (const key of ['ArrowUp', 'PageUp', 'ArrowDown', 'PageDown'])
    await expectWork(`list: ${key}`, COUNT / 2, () => keyboard.press(key), inShortList);
  await expectWork('list: scroll', COUNT / 2, () => scroll('.account-list'), inShortList);
  await quit();
});

/** How often each block of the page's scripts ran; a block is a function, its script and offsets. */
type Runs = ReadonlyMap<string, number>;

interface Counting {
  /** Counts the work of an action. */
  count: (act: () => Promise<unknown>) => Promise<Runs>;
  /** Repeats an action until the busiest block ran less than `limit` times more often than usual. Returns how often it ran. */
  expectWork: (
    what: string,
    limit: number,
    act: (turn: number) => Promise<unknown>,
    usual?: Runs,
  ) => Promise<number>;
}

/** Loads the page again with its work counted. */
async function countWork(window: Page): Promise<Counting> {
  const client = await window.context().newCDPSession(window);
  await client.send('Profiler.enable');
  await client.send('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  await client.send('HeapProfiler.collectGarbage');
  await window.reload();
  await expect(window.getByRole('contentinfo')).toContainText('5,000 accounts', { timeout: 60_000 });
  // The first rows are drawn before the list is loaded.
  const table = window.getByRole('grid', { name: 'Accounts' });
  await expect(table).toHaveAttribute('aria-busy', 'false', { timeout: 60_000 });

  const sinceLast = async (): Promise<Runs> => {
    const { result } = await client.send('Profiler.takePreciseCoverage');
    return new Map(
      result.flatMap(({ url, functions }) =>
        functions.flatMap(({ functionName, ranges }) =>
          url === '' // the test's own
            ? []
            : ranges.map(({ count, startOffset, endOffset }): [string, number] => [
                `${functionName} ${url} ${startOffset}-${endOffset}`,
                count,
              ]),
        ),
      ),
    );
  };
  const count = async (act: () => Promise<unknown>): Promise<Runs> => {
    await drawn(window);
    await sinceLast();
    await act();
    await drawn(window);
    return sinceLast();
  };
  return {
    count,
    expectWork: async (what, limit, act, usual = new Map()) => {
      let busiest: [string, number] = ['none', 0];
      for (let turn = 0; turn < MOST_TURNS; turn += 1) {
        busiest = ['none', 0];
        for (const [block, runs] of await count(() => act(turn))) {
          const more = runs - (usual.get(block) ?? 0);
          if (more > busiest[1]) busiest = [block, more];
        }
        if (busiest[1] < limit) return busiest[1];
      }
      expect(busiest[1], `${what}, ${busiest[0]}`).toBeLessThan(limit);
      throw new Error('unreachable');
    },
  };
}

/** Resolves when changes have been drawn. */
async function drawn(window: Page): Promise<void> {
  await window.evaluate(
    () =>
      new Promise<void>((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)));
      }),
  );
}
