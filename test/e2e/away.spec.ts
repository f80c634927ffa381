/** The user leaves: revealed tokens are hidden, and the vault is closed if the user wants that. */
import { expect } from '@playwright/test';
import { accountsOf, importDocument, test, vector } from './app.ts';

test('locks the vault when the user is away, and unlocks it after a click only', async ({ start }) => {
  const started = await start();
  const { app, window } = started;
  const leave = () => app.evaluate(({ powerMonitor }) => void powerMonitor.emit('lock-screen'));
  const lockScreen = window.getByRole('heading', { name: 'Tokenkeep is locked' });
  await importDocument(started, vector('documents', 'msal-python-aad-several.json'));
  await expect(accountsOf(window).getByRole('option')).toHaveCount(5);
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

  await test.step('its button is seen in the smallest window at 200 %', async () => {
    await app.evaluate(({ BrowserWindow }) => {
      const [own] = BrowserWindow.getAllWindows();
      own!.setContentSize(800, 500);
      own!.webContents.setZoomFactor(2);
    });
    await expect.poll(() => window.evaluate('innerWidth')).toBe(400);
    await expect(window.getByRole('button', { name: 'Unlock' })).toBeInViewport({ ratio: 1 });
    await app.evaluate(({ BrowserWindow }) => {
      const [own] = BrowserWindow.getAllWindows();
      own!.webContents.setZoomFactor(1);
      own!.setContentSize(1280, 772);
    });
  });

  await test.step('the window knows nothing and is told nothing', async () => {
    const page = await window.content();
    for (const name of names.flatMap((text) => text.split('\n')).filter((text) => text.includes('@')))
      expect(page).not.toContain(name);
    const asked = `(async () => {
      const answered = new Set();
      let refused = 0;
      for (const bridge of ['tokenCache', 'app'])
        for (const [name, ask] of Object.entries(globalThis[bridge]).filter(([each]) => each !== 'on'))
          for (const args of [[], [null], [true], [false], ['a'], [['a']], ['a', null], ['a', true]]) {
            const { ok, error } = await Promise.resolve().then(() => ask(...args)).catch(() => ({ ok: false }));
            if (ok) answered.add(name);
            if (error?.code === 'away') refused++;
          }
      return { answered: [...answered].sort(), refused };
    })()`;
    const { answered, refused } = await window.evaluate<{ answered: string[]; refused: number }>(asked);
    // What the locked screen shows, and giving up an import: nothing of the vault.
    expect(answered).toEqual(['cancelImport', 'info', 'update']);
    expect(refused).toBeGreaterThan(40);
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
  await expect.poll(() => accountsOf(window).getByRole('option').allInnerTexts()).toEqual(names);
  await expect(accountsOf(window)).toBeFocused();

  await test.step('a page whose process has crashed comes back, and a locked one stays locked', async () => {
    await leave();
    await expect(lockScreen).toBeVisible();
    // Playwright gives up a page that has crashed, so its window is asked.
    const text = await app.evaluate(async ({ BrowserWindow }) => {
      const contents = BrowserWindow.getAllWindows()[0]!.webContents;
      const loaded = new Promise<void>((resolve) => contents.once('did-finish-load', () => resolve()));
      contents.forcefullyCrashRenderer();
      await loaded;
      return contents.executeJavaScript(`new Promise((resolve) => {
        const look = () => document.querySelector('h1, h2') ? resolve(document.body.innerText) : setTimeout(look, 50);
        look();
      })`) as Promise<string>;
    });
    expect(text).toContain('Tokenkeep is locked');
    for (const name of names) expect(text).not.toContain(name);
  });
  await started.quit();
});
