/** The About dialog in the real app: what it opens, and that no script opens it. */
import { basename } from 'node:path';
import { expect } from '@playwright/test';
import { test } from './app.ts';

test('About shows the license texts in the file manager, and only a click opens a page', async ({
  start,
}) => {
  const { app, window, quit } = await start(['--demo']);
  await app.evaluate(({ shell }) => {
    const opened: string[] = [];
    Object.assign(globalThis, { opened });
    Object.assign(shell, {
      showItemInFolder: (file: string) => void opened.push(file),
      openExternal: (url: string) => Promise.resolve(void opened.push(url)),
    });
  });
  const opened = () => app.evaluate(() => (globalThis as unknown as { opened: string[] }).opened);
  await window.getByRole('button', { name: 'More' }).click();
  await window.getByRole('menuitem', { name: 'About Tokenkeep' }).click();
  const about = window.getByRole('dialog', { name: 'About Tokenkeep' });
  await expect(about).toContainText(process.platform);
  await about.getByRole('button', { name: 'Show licenses of the included software' }).click();
  await expect
    .poll(async () => (await opened()).map((file) => basename(file)))
    .toEqual([expect.stringMatching(/^(THIRD-PARTY-NOTICES\.txt|LICENSE)$/)]);
  // The tests' build has no home page. In no build can a script open one: each click allows one request.
  await expect(about).toContainText('This build has no link to source and documentation.');
  await window.evaluate('window.app.openHomepage()');
  const again = await window.evaluate<{ ok: boolean }>('window.app.openHomepage()');
  expect(again.ok).toBe(false);
  expect(await opened()).toHaveLength(1);
  await quit();
});
