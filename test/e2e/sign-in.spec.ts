/** Signing in, staying signed in and signing out: the real app, with a keyring, against a real provider. */
import { expect, type Page } from '@playwright/test';
import { answerDialogs, importDocument, vaultFile, vector } from './app.ts';
import { peek } from './library.ts';
import { addProfile, begin, test } from './provider.ts';

const button = (window: Page, name: string) => window.getByRole('button', { name, exact: true });
const accounts = (window: Page) => window.getByRole('listbox', { name: 'Accounts' });

test('in the browser: sign in, refresh, keep fresh, sign out with revocation and the end of the session', async ({
  keyring,
  start,
  provider,
}) => {
  const started = await start();
  const { window } = started;
  const { at, page } = await begin(started, provider);
  await button(window, 'Continue in your browser').click();
  await expect(window.getByRole('heading', { name: 'Continue in your browser' })).toBeVisible();
  const back = await at.visit(await page(), { user: 'noor' });
  expect(back.title).toContain('You are signed in');
  await expect(window.getByText('Noor Haddad is signed in.')).toBeVisible(); // first, because it goes after seconds
  await expect(accounts(window)).toContainText('Noor Haddad');
  await expect(window.getByRole('dialog')).toHaveCount(0);

  // With the provider's real keys, which the main process fetches after it has asked.
  const asked = await answerDialogs(started.app, { agree: true });
  const signature = window.getByRole('group', { name: 'Signature' });
  await signature.getByRole('button', { name: 'Check signature…' }).click();
  await expect(signature).toContainText('Signature valid');
  expect(await asked()).toEqual([expect.stringContaining(`public keys of ${provider.issuer} once`)]);

  const before = await peek(keyring.env, vaultFile(keyring.env));
  await button(window, 'Refresh now').click();
  await expect(window.getByText('1 access token refreshed.')).toBeVisible();
  const after = await peek(keyring.env, vaultFile(keyring.env));
  const secret = (of: typeof before) => of.entities['RefreshToken']!.map((token) => token['secret']);
  expect(secret(after)).toHaveLength(1);
  expect(secret(after)).not.toEqual(secret(before));
  expect(provider.events.count('refreshed', 'noor')).toBe(1);
  expect(provider.events.count('reused')).toBe(0);

  await window.getByRole('switch', { name: 'Auto-refresh' }).check();
  await expect(window.getByText(/^Refreshes in 5\d min$/)).toBeVisible();

  await button(window, 'Sign out…').click();
  const question = window.getByRole('alertdialog');
  await expect(question.getByRole('checkbox', { name: /revoke the refresh token/ })).toBeChecked();
  await question.getByRole('checkbox', { name: /end the session/ }).check();
  await question.getByRole('button', { name: 'Sign out', exact: true }).click();
  const receipt = window.getByRole('dialog');
  await expect(receipt).toContainText('1 refresh token revoked');
  await expect(receipt).toContainText('sign-out page is open in your browser');
  await at.visit(await page(), { user: 'noor' });
  expect(provider.events.count('revoked')).toBe(1);
  expect(provider.events.count('session-ended')).toBe(1);
  await started.quit();
  expect((await peek(keyring.env, vaultFile(keyring.env))).entities['RefreshToken']).toEqual([]);
  for (const token of [...secret(before), ...secret(after)])
    expect(started.output.join('')).not.toContain(token);
});

test('with a code on another device', async ({ start, provider }) => {
  const started = await start();
  const { window } = started;
  const { at } = await begin(started, provider);
  await button(window, 'Use a device code…').click();
  const dialog = window.getByRole('dialog');
  const code = await dialog.locator('.device-code code').innerText();
  await expect(dialog.getByRole('img', { name: /QR code/ })).toBeVisible();
  await button(window, 'Copy').click();
  await expect.poll(() => started.app.evaluate(({ clipboard }) => clipboard.readText())).toBe(code);
  await at.visit(`${provider.issuer}/device?user_code=${code}`, { user: 'yuki' });
  await expect(accounts(window)).toContainText('Yuki Tanabe');
  await started.quit();
});

test('a refusal, a cancellation, an unknown client and a provider that is gone are told apart', async ({
  start,
  provider,
}) => {
  const started = await start();
  const { window } = started;
  const { at, page } = await begin(started, provider);
  const dialog = window.getByRole('alertdialog');

  await button(window, 'Continue in your browser').click();
  await at.visit(await page(), { user: 'piet', refuse: 'consent' });
  await expect(dialog).toContainText('The sign-in was refused');

  await button(window, 'Try again').click();
  await page();
  await button(window, 'Cancel').click();
  await expect(window.getByRole('dialog')).toHaveCount(0);

  await button(window, 'Sign in…').click();
  await button(window, 'Edit Example').click();
  await window.getByLabel('Client ID').fill('nobody');
  await button(window, 'Save').click();
  await button(window, 'Continue in your browser').click();
  await expect(dialog).toContainText('does not know the client ID nobody');

  await provider.stop();
  await button(window, 'Edit profile…').click();
  // In the smallest window, the sentence is below the fields.
  await window.setViewportSize({ width: 800, height: 500 });
  await window.getByLabel('Issuer').fill('not an address');
  await button(window, 'Save').click();
  await expect(window.getByRole('alert')).toBeInViewport({ ratio: 1 });
  await window.getByLabel('Issuer').fill(provider.issuer.replace('localhost', '127.0.0.1'));
  await button(window, 'Save').click();
  await button(window, 'Continue in your browser').click();
  await expect(dialog).toContainText('did not answer');
  await button(window, 'Close').click();
  await expect(button(window, 'Sign in…')).toBeVisible();
  await started.quit();
});

test('an untrusted certificate is refused before anything is sent', async ({ start, provider }) => {
  const started = await start();
  await addProfile(started, provider);
  await button(started.window, 'Continue in your browser').click();
  await expect(started.window.getByRole('alertdialog')).toContainText('is not trusted on this computer');
  await started.quit();
});

test('a revocation that fails keeps nothing here', async ({ keyring, start, provider }) => {
  const started = await start();
  const { window } = started;
  const { at, page } = await begin(started, provider);
  await button(window, 'Continue in your browser').click();
  await at.visit(await page(), { user: 'olu' });
  await expect(accounts(window)).toContainText('Olu Adeyemi');
  await button(window, 'Sign out…').click();
  const question = window.getByRole('alertdialog');
  await expect(question.getByRole('checkbox', { name: /revoke/ })).toBeChecked();
  provider.outages.add('/token/revocation');
  await question.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(window.getByRole('dialog')).toContainText('Not revoked');
  await expect(window.getByRole('dialog')).toContainText('None (checked again)');
  await started.quit();
  const { entities } = await peek(keyring.env, vaultFile(keyring.env));
  expect(entities['RefreshToken']).toEqual([]);
  expect(entities['Account']).toEqual([]);
});

test('several selected accounts are refreshed at once; imported ones are left, and nothing of theirs is sent', async ({
  start,
  provider,
}) => {
  const started = await start();
  const { window } = started;
  const { at, page } = await begin(started, provider);
  await button(window, 'Continue in your browser').click();
  await at.visit(await page(), { user: 'noor' });
  await expect(accounts(window)).toContainText('Noor Haddad');
  await importDocument(started, vector('documents', 'msal-node-7-kitchen-sink.json'));
  await window
    .getByRole('button', { name: /^All accounts/ })
    .first()
    .click();
  const table = window.getByRole('grid', { name: 'Accounts' });
  await table
    .getByRole('row', { name: /Noor Haddad/ })
    .getByRole('gridcell')
    .first()
    .click();
  provider.events.clear();
  await button(window, 'Refresh 1').click();
  await expect(window.getByText('1 account refreshed.')).toBeVisible();
  expect(provider.events.count('refreshed')).toBe(1);

  await window.getByRole('checkbox', { name: 'Select all' }).check();
  await window.getByRole('button', { name: /^Refresh \d+$/ }).click();
  const dialog = window.getByRole('alertdialog', { name: /accounts not refreshed$/ });
  await expect(dialog).toContainText('1 account refreshed.');
  await expect(dialog.getByRole('list', { name: 'Not refreshed' })).not.toContainText('Noor Haddad');
  await expect(dialog).toContainText('The refresh token was not used');
  expect(provider.events.count('refreshed')).toBe(2);
  await button(window, 'Close').click();
  await expect(window.getByRole('region', { name: 'Selection' })).toBeVisible();
  await started.quit();
});
