/** The user leaves: revealed tokens are hidden, and the vault is closed if the user wants that. */
import { expect } from '@playwright/test';
import { accountsOf, importDocument, test, vector } from './app.ts';

test('locks the vault when the user is away, and unlocks it after a click only', async ({ start }) => {
  const started = await start();
  const { app, window } = started;
  const leave = () => app.evaluate(({ powerMonitor }) => void powerMonitor.emit('lock-screen'));
  const lockScreen = window.getByRole('heading', { name: 'Tokenkeep is locked' });
  await importDocument(started, vector('documents', 'msal-python-aad-several.json'));
  const names = await accountsOf(window).getByRole('option').allInnerTexts();

  await test.step('nothing is closed that the user did not ask to close', async () => {
    await leave();
    await expect(accountsOf(window)).toBeVisible();
    expect(await window.evaluate('window.tokenCache.accounts().then(({ ok }) => ok)')).toBe(true);
  });

  await window.getByRole('button', { name: 'More' }).click();
  await window.getByRole('menuitem', { name: 'Settings' }).click();
  await window.getByRole('button', { name: 'When I am away' }).click();
  await expect(window.getByRole('button', { name: 'When I am away' })).toHaveAttribute(
    'aria-pressed',
    'true',
  );
  await leave();
  await expect(lockScreen).toBeVisible();
  await expect(window.getByRole('button', { name: 'Unlock' })).toBeInViewport({ ratio: 1 });

  await test.step('the window knows nothing and is told nothing', async () => {
    const page = await window.content();
    for (const name of names.flatMap((text) => text.split('\n')).filter((text) => text.includes('@')))
      expect(page).not.toContain(name);
    const asked = `Promise.all([
      tokenCache.accounts(), tokenCache.accountsText(), tokenCache.firstAccountsText(), tokenCache.search('a'), tokenCache.status(), app.profiles(), app.sources(), app.signOuts(),
      app.settings(), app.setCloseWhenAway(false), app.openDemo(), app.showFile(),
    ]).then((answers) => answers.map(({ ok, error }) => (ok ? 'answered' : error.code)))`;
    expect(await window.evaluate(asked)).toEqual(Array.from({ length: 12 }, () => 'away'));
    await leave();
    await expect(lockScreen).toBeVisible();
  });

  await test.step('no script unlocks it', async () => {
    await window.reload();
    await expect(lockScreen).toBeVisible();
    const answer = await window.evaluate<{ ok: boolean }>('window.app.unlock()');
    expect(answer.ok).toBe(false);
    await expect(lockScreen).toBeVisible();
  });

  await window.getByRole('button', { name: 'Unlock' }).click();
  await expect(accountsOf(window)).toBeVisible();
  expect(await accountsOf(window).getByRole('option').allInnerTexts()).toEqual(names);
  await started.quit();
});
