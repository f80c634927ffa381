/** The Activity page and the timeline in the real app: what was done is recorded, sealed, and still there at the next start. */
import { readFileSync } from 'node:fs';
import { expect } from '@playwright/test';
import { answerDialogs, importDocument, showList, showPage, test, vaultFile, vector } from './app.ts';

test('actions are recorded, kept for the next start, and cleared after a question', async ({
  keyring,
  start,
}) => {
  const first = await start();
  const file = vector('documents', 'msal-python-aad-several.json');
  await importDocument(first, file);
  await showList(first.window);
  await answerDialogs(first.app, { agree: true });
  await first.window.getByRole('button', { name: 'Copy…', exact: true }).click();
  await expect(first.window.getByText('Token copied.')).toBeVisible();
  await first.window.getByRole('tab', { name: 'Activity' }).click();
  await expect(
    first.window.getByRole('listitem').filter({ hasText: 'Copied an access token' }),
  ).toBeVisible();
  await first.window.getByRole('tab', { name: 'Timeline' }).click();
  await expect(first.window.getByRole('group', { name: 'Time range' })).toBeVisible();
  await first.quit();
  expect(readFileSync(vaultFile(keyring.env)).toString('latin1')).not.toContain('msal-python-aad');

  const { app, window, quit } = await start();
  await showPage(window, 'Activity');
  await expect(window.getByRole('listitem').filter({ hasText: file })).toContainText(/Imported \d+ accounts/);
  await expect(window.getByRole('listitem').filter({ hasText: 'Copied an access token' })).toBeVisible();
  const asked = await answerDialogs(app, { agree: true });
  await window.getByRole('button', { name: 'Clear…' }).click();
  await expect(window.getByRole('main').getByRole('listitem')).toHaveText([/Activity cleared/]);
  expect((await asked()).join()).toContain('Clear the activity?');
  await quit();
});
