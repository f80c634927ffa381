/** The clock is set while the app runs. The vault's contents stay complete, whenever that happens. */
import { expect, type Page } from '@playwright/test';
import { accountsOf, importDocument, test, vaultFile, vector } from './app.ts';
import { peek } from './library.ts';

const countIn = async (window: Page): Promise<string | undefined> =>
  /\d+ accounts/.exec(await window.getByRole('contentinfo').innerText())?.[0];

test('a clock that jumps ten years, forth and back, costs nothing', async ({ keyring, start }) => {
  const started = await start();
  const { app, window, quit } = started;
  const jump = async (years: number): Promise<void> => {
    const shift = (by: number): void => {
      const clock = globalThis as { ownNow?: () => number };
      const own = (clock.ownNow ??= Date.now.bind(Date));
      Date.now = () => own() + by;
    };
    const milliseconds = years * 365 * 86_400_000;
    await app.evaluate((_electron, by) => {
      const clock = globalThis as { ownNow?: () => number };
      const own = (clock.ownNow ??= Date.now.bind(Date));
      Date.now = () => own() + by;
    }, milliseconds);
    await window.evaluate(shift, milliseconds);
  };
  const documents = ['msal-python-aad-several', 'msal-node-7-adfs', 'msal-python-oidc'];
  for (const [index, years] of [10, -10, 0].entries()) {
    await jump(years);
    await importDocument(started, vector('documents', `${documents[index]}.json`));
    await expect(window.getByText('Encrypted')).toBeVisible();
    expect(await window.evaluate('tokenCache.verify().then(({ ok }) => ok)')).toBe(true);
  }
  const shown = await countIn(window);
  expect(shown).toMatch(/^\d+ accounts$/);
  await quit();
  expect((await peek(keyring.env, vaultFile(keyring.env))).state).toBe('ready');
  const again = await start();
  await expect(accountsOf(again.window)).toBeVisible();
  expect(await countIn(again.window)).toBe(shown);
  await again.quit();
});
