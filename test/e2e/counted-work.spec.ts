/**
 * In the table of thousands of accounts, a key press, a scrolled line and a choice cost work for the rows that are seen, not for all accounts. The
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

/** The clock or a loaded list may come between. The least of some turns is the action's own work. */
const MOST_TURNS = 8;

test('keys, scrolling and choosing in a table of 5,000 accounts pass over none of them, and a search over each a few times', async ({
  keyring,
  start,
}) => {
  test.setTimeout(90_000);
  const { env } = keyring;
  const document = join(env['HOME']!, 'many.json');
  writeFileSync(document, manyAccounts(COUNT, Math.floor(Date.now() / 1000)));
  mkdirSync(dirname(vaultFile(env)), { recursive: true });
  await seed(env, vaultFile(env), document);
  const { window, quit } = await start([COUNTED]);
  const { keyboard } = window;
  const expectWork = await countWork(window);

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

  const search = window.getByRole('searchbox');
  const searched = await expectWork('search', 6 * COUNT, async (turn) => {
    const user = String(1200 + turn);
    await search.fill(`user${user}@`);
    await expect(table.getByRole('row').filter({ hasText: `User Number ${user}` })).toHaveCount(1);
  });
  // The count sees a pass over all accounts: a search needs one.
  expect(searched).toBeGreaterThanOrEqual(COUNT);
  await quit();
});

interface Work {
  /** How often the busiest block of the page's scripts ran. */
  runs: number;
  /** Which one that is: function, script and offsets. */
  block: string;
}

/**
 * Loads the page again with its work counted. Returns a function that does something until the busiest block ran less often than `limit`,
 * and tells how often it did.
 */
async function countWork(
  window: Page,
): Promise<(what: string, limit: number, act: (turn: number) => Promise<unknown>) => Promise<number>> {
  const client = await window.context().newCDPSession(window);
  await client.send('Profiler.enable');
  await client.send('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  await client.send('HeapProfiler.collectGarbage');
  await window.reload();
  await expect(window.getByRole('contentinfo')).toContainText('5,000 accounts', { timeout: 60_000 });

  const sinceLast = async (): Promise<Work> => {
    const { result } = await client.send('Profiler.takePreciseCoverage');
    const blocks = result.flatMap(({ url, functions }) =>
      functions.flatMap(({ functionName, ranges }) =>
        url === '' // the test's own
          ? []
          : ranges.map(({ count, startOffset, endOffset }) => ({
              runs: count,
              block: `${functionName} ${url} ${startOffset}-${endOffset}`,
            })),
      ),
    );
    return blocks.reduce((busiest, block) => (block.runs > busiest.runs ? block : busiest), {
      runs: 0,
      block: 'none',
    });
  };
  return async (what, limit, act) => {
    let work: Work | undefined;
    for (let turn = 0; turn < MOST_TURNS; turn += 1) {
      await drawn(window);
      await sinceLast();
      await act(turn);
      await drawn(window);
      work = await sinceLast();
      if (work.runs < limit) return work.runs;
    }
    expect(work?.runs, `${what}, ${work?.block}`).toBeLessThan(limit);
    throw new Error('unreachable');
  };
}

/** Resolves when what has changed is drawn. */
async function drawn(window: Page): Promise<void> {
  await window.evaluate(
    () =>
      new Promise<void>((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)));
      }),
  );
}
