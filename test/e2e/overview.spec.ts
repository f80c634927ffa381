/** The overview of all accounts, and Inspect, in the real app. */
import { expect } from '@playwright/test';
import { importDocument, providersAsked, showPage, test, vaultFile, vector } from './app.ts';
import { peek } from './library.ts';

const KITCHEN_SINK = vector('documents', 'msal-node-7-kitchen-sink.json');

test('many accounts start with a table: search, filter, select by keyboard, and sign out several', async ({
  keyring,
  start,
}) => {
  const started = await start();
  const { window, quit } = started;
  const { keyboard } = window;
  await importDocument(started, KITCHEN_SINK);
  const table = window.getByRole('grid', { name: 'Accounts' });
  const rows = table.getByRole('row').filter({ has: window.getByRole('rowheader') });
  await expect(rows).toHaveCount(11);

  await window.getByRole('searchbox').fill('app:"contoso mail"');
  await expect(window.getByRole('status').filter({ hasText: / of 11$/ })).toBeVisible();
  await expect(rows).not.toHaveCount(11);
  await expect(rows.first().getByTitle(/Contoso Mail/)).toBeVisible();
  await window.getByRole('searchbox').fill('');
  await expect(rows).toHaveCount(11);

  await window.getByRole('button', { name: 'Tenant', exact: true }).click();
  await window.getByRole('menuitem').nth(1).click();
  await expect(window.getByRole('button', { name: /^Tenant: / })).toBeVisible();
  await expect(rows).not.toHaveCount(11);
  await window.getByRole('button', { name: /^Tenant: / }).click();
  await window.getByRole('menuitem', { name: 'All tenants' }).click();

  await window.getByRole('button', { name: 'Account', exact: true }).click();
  const select = async () => {
    await table.focus();
    await keyboard.press('Home');
    await keyboard.press(' ');
    await keyboard.press('Shift+ArrowDown');
  };
  const selected = table.getByRole('row', { selected: true });
  await select();
  await expect(selected).toHaveCount(2);
  // Escape closes the top layer: a menu first, then the selection.
  await window.getByRole('button', { name: 'More', exact: true }).press('Enter');
  await expect(window.getByRole('menu', { name: 'More' }).getByRole('menuitem').first()).toBeFocused();
  await keyboard.press('Escape');
  await expect(window.getByRole('menu')).toHaveCount(0);
  await expect(selected).toHaveCount(2);
  await table.focus();
  await keyboard.press('Escape');
  await expect(selected).toHaveCount(0);
  await expect(window.getByRole('region', { name: 'Selection' })).toHaveCount(0);
  await select();
  await expect(selected).toHaveCount(2);
  await window.getByRole('button', { name: 'Sign out 2…' }).click();
  const question = window.getByRole('alertdialog', { name: 'Sign out 2 accounts?' });
  await expect(question).toContainText('2 accounts:');
  await providersAsked(question);
  const revoke = question.getByRole('checkbox', { name: /revoke/ });
  if (await revoke.isVisible()) await revoke.uncheck(); // no provider can be reached from here
  await question.getByRole('button', { name: 'Sign out 2 accounts' }).click();
  await expect(window.getByRole('dialog', { name: '2 accounts are signed out' })).toContainText(
    'None (checked again)',
  );
  await expect(window.getByRole('button', { name: 'Done' })).toBeFocused();
  await keyboard.press('Enter');
  await expect(rows).toHaveCount(9);

  await table.focus();
  await keyboard.press('Home');
  await keyboard.press('Enter');
  await expect(window.getByRole('listbox', { name: 'Accounts' })).toBeVisible();
  await window.getByRole('button', { name: /^All accounts/ }).click();
  await expect(table).toBeVisible();
  await quit();
  expect((await peek(keyring.env, vaultFile(keyring.env))).entities['Account']!.length).toBeGreaterThan(0);
});

test('a button stays where it is while it is pressed, also if a notification ends meanwhile', async ({
  start,
}) => {
  const started = await start();
  const { window, quit } = started;
  const { keyboard, mouse } = window;
  await window.clock.install();
  await importDocument(started, KITCHEN_SINK);
  await window.getByRole('grid', { name: 'Accounts' }).focus();
  await keyboard.press('Home');
  await keyboard.press(' ');
  await keyboard.press('Shift+ArrowDown');
  const button = window.getByRole('button', { name: 'Sign out 2…' });
  const notification = window.getByRole('button', { name: 'Dismiss' });
  await expect(notification).toHaveCount(1);
  await button.hover();
  const before = await button.boundingBox();
  await mouse.down();
  await window.clock.fastForward('01:00');
  expect(await button.boundingBox()).toEqual(before);
  await mouse.up();
  await expect(window.getByRole('alertdialog', { name: 'Sign out 2 accounts?' })).toBeVisible();
  await expect(notification).toHaveCount(0);
  await quit();
});

test('a window without room for the list leads to all accounts, to the next one, and keeps the facts in the profile', async ({
  start,
}) => {
  const { window, quit } = await start(['--demo']);
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  await window.setViewportSize({ width: 800, height: 500 });
  await expect(window.getByRole('listbox', { name: 'Accounts' })).toBeHidden();
  const bar = window.getByRole('navigation', { name: 'Accounts' });
  const title = window.getByRole('heading', { level: 1 });
  await expect(bar).toContainText('1 of 5');
  await expect(bar.getByRole('button', { name: 'Previous account' })).toBeDisabled();
  await expect(title).toHaveText('Ada Marsh');
  await bar.getByRole('button', { name: 'Next account' }).focus();
  await window.keyboard.press('Enter');
  await expect(title).toHaveText('Tomas Okafor');
  await expect(window.getByText('Oldest token')).toBeHidden();
  await window.getByRole('tab', { name: 'Profile' }).click();
  await expect(window.getByRole('tabpanel').getByText('Oldest token')).toBeVisible();
  await window.getByRole('searchbox').fill('nobody at all');
  await expect(bar.getByRole('status')).toContainText('No account matches');
  await bar.getByRole('button', { name: 'Clear search' }).click();
  await bar.getByRole('button', { name: 'All accounts' }).click();
  await expect(window.getByRole('grid', { name: 'Accounts' })).toBeVisible();
  await quit();
});

test('a token that is pasted anywhere is inspected, and not stored', async ({ demo }) => {
  const { window } = demo;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = `${part({ alg: 'RS256' })}.${part({ aud: 'api://orders', iss: 'https://id.example/', exp: 1_700_000_000 })}.c2ln`;
  await window.getByRole('listbox', { name: 'Accounts' }).focus();
  await window.evaluate((text) => {
    const data = new DataTransfer();
    data.setData('text/plain', text);
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
  }, `Authorization: Bearer ${token}`);
  await expect(window.getByRole('heading', { name: 'Inspect', level: 1 })).toBeVisible();
  await expect(window.getByRole('region', { name: 'Assessment' })).toContainText(/Expired .* ago/);
  await expect(window.getByRole('row', { name: /exp Expires 2023-11-14 22:13:20Z/ })).toBeVisible();

  await test.step('on the page itself, any text; in a comparison, into the slot that is empty', async () => {
    const paste = (text: string) =>
      window.evaluate((pasted) => {
        const data = new DataTransfer();
        data.setData('text/plain', pasted);
        document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
      }, text);
    await paste('{"error":"invalid_grant","error_description":"Expired."}');
    await expect(window.getByRole('main')).toContainText('This is an error, not a token: invalid_grant.');
    await paste(token);
    await window.getByRole('button', { name: 'Compare' }).click();
    await paste(`${token.slice(0, -4)}b3Ro`);
    await expect(window.getByRole('textbox', { name: 'Token A' })).toHaveValue(token);
    await expect(window.getByRole('textbox', { name: 'Token B' })).toHaveValue(/b3Ro$/);
    await expect(window.getByRole('main')).toContainText('The signatures differ.');
  });
  await showPage(window, 'Security');
  await showPage(window, 'Inspect');
  await expect(window.getByRole('textbox', { name: 'Token' })).toHaveValue('');
  expect(await window.content()).not.toContain(token);
});
