/** A whole session without a pointer: where the focus goes, that it is visible, and what screen readers announce. */
import { join } from 'node:path';
import { type ElementHandle, expect, type Locator, type Page } from '@playwright/test';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import type { AccountList, TokenCacheBridge } from '../../src-main/ipc/contract.ts';
import { browser } from '../support/browser.ts';
import { answerDialogs, vector } from './app.ts';
import { meet, test } from './provider.ts';

/** More stops than any screen has. */
const MOST_STOPS = 60;
const PASSPHRASE = 'orbit velvet canyon mustard ladder';

interface Stop {
  what: string;
  /** Whether the focus is visible: on the element, on its active descendant or on the field around it. */
  seen: boolean;
  isTarget: boolean;
  /** Whether the target is still in the page. */
  isThere: boolean;
}

/** Returns where the focus is. */
function focus(window: Page, target: ElementHandle | null = null): Promise<Stop> {
  return window.evaluate((wanted) => {
    const at = document.activeElement ?? document.body;
    const active = document.getElementById(at.getAttribute('aria-activedescendant') ?? '');
    const drawn = [at, active, at.closest('.search')].flatMap((each) =>
      each === null ? [] : getComputedStyle(each),
    );
    return {
      what: `${at.tagName} ${at.getAttribute('aria-label') ?? at.textContent.slice(0, 40)}`,
      seen:
        at !== document.body &&
        drawn.some(({ outlineStyle, boxShadow }) => outlineStyle !== 'none' || boxShadow !== 'none'),
      isTarget: at === wanted,
      isThere: wanted?.isConnected === true,
    };
  }, target);
}

/** Presses Tab until an element has the focus. The focus must be visible at each stop on the way. */
async function tabTo(window: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  const stops: string[] = [];
  // Finding an element by its role takes longer than all else, so it is found once, unless it is drawn anew.
  let element = await target.elementHandle();
  let { isTarget } = await focus(window, element);
  while (!isTarget) {
    await window.keyboard.press(key);
    let stop = await focus(window, element);
    if (!stop.isThere) {
      element = await target.elementHandle();
      stop = await focus(window, element);
    }
    ({ isTarget } = stop);
    // From the last stop the focus leaves the page for the window's frame, and comes back.
    if (!stop.what.startsWith('BODY'))
      expect(stop.seen, `${stop.what} shows that it has the focus`).toBe(true);
    stops.push(stop.what);
    if (stops.length > MOST_STOPS) throw new Error(`Tab does not lead there, but to:\n${stops.join('\n')}`);
  }
}

test('a whole session by keyboard', async ({ keyring, start, provider }) => {
  test.setTimeout(180_000);
  const started = await start();
  const { app, window, quit } = started;
  const { keyboard } = window;
  const { opened } = await meet(started, provider);
  const at = browser(trustingFetch(provider.ca));
  const button = (name: string | RegExp) => window.getByRole('button', { name, exact: true });
  const press = async (target: Locator) => {
    await tabTo(window, target);
    await keyboard.press('Enter');
  };
  const typeInto = async (name: string, text: string) => {
    await tabTo(window, window.getByRole('textbox', { name, exact: true }));
    await keyboard.press('ControlOrMeta+A');
    await keyboard.type(text);
  };
  const said = (text: string | RegExp) =>
    expect(window.getByRole('status').filter({ hasText: text }).first()).toBeAttached();
  const list = window.getByRole('listbox', { name: 'Accounts' });
  const chosen = list.getByRole('option', { selected: true });

  await test.step('the first thing to do has the focus; a profile is filled in and saved with Enter', async () => {
    await expect(button('Find caches')).toBeFocused();
    await press(button('Sign in…'));
    const microsoft = window.getByRole('radio', { name: 'Microsoft accounts' });
    await tabTo(window, microsoft);
    await keyboard.press('ArrowRight');
    await expect(window.getByRole('radio', { name: 'OpenID Connect provider' })).toBeFocused();
    await typeInto('Issuer', provider.issuer);
    await typeInto('Client ID', 'desktop-app');
    await typeInto('Scopes', 'profile email offline_access orders.read');
    await typeInto('Name', 'Example');
    await answerDialogs(app, { agree: true }); // the main process asks whether a host on this computer is intended
    await keyboard.press('Enter');
    await expect(button('Continue in your browser')).toBeFocused();
  });

  await test.step('Escape gives a sign-in up, and the focus is where it was; the next one ends among the accounts', async () => {
    await keyboard.press('Enter');
    await expect(window.getByRole('dialog', { name: 'Continue in your browser' })).toBeVisible();
    await expect(button('Cancel')).toBeFocused();
    await expect.poll(async () => (await opened()).length).toBe(1);
    await keyboard.press('Escape');
    await expect(window.getByRole('dialog')).toHaveCount(0);
    await expect(button('Sign in…')).toBeFocused();
    await keyboard.press('Enter');
    await expect(button('Continue in your browser')).toBeFocused();
    await keyboard.press('Enter');
    await expect.poll(async () => (await opened()).length).toBe(2);
    await at.visit((await opened())[1]!, { user: 'noor' });
    await said('Noor Haddad is signed in.');
    await expect(list).toBeFocused();
    await expect(chosen).toHaveAccessibleName(/Noor Haddad/);
  });

  await test.step('a document is imported', async () => {
    await answerDialogs(app, { agree: true, file: vector('documents', 'msal-python-aad-several.json') });
    await press(button('Import…'));
    await expect(button('Import')).toBeFocused();
    await keyboard.press('Enter');
    await said(/Imported .*5 accounts and|5 accounts added/);
    await expect(button('Import…')).toBeFocused();
  });

  await test.step('arrows, Home, End and typed letters choose an account', async () => {
    await tabTo(window, list);
    await keyboard.press('Home');
    const first = await chosen.textContent();
    await keyboard.press('ArrowDown');
    await expect(chosen).not.toHaveText(first ?? '');
    await keyboard.press('ArrowUp');
    await expect(chosen).toHaveText(first ?? '');
    await keyboard.press('End');
    await expect(chosen).toHaveAttribute('aria-posinset', '6');
    await keyboard.type('mor');
    await expect(chosen).toHaveAccessibleName(
      'Morgan Reyes morgan.reyes@mail.example , Unknown, never tried',
    );
    expect(await list.getAttribute('aria-activedescendant')).toBe(await chosen.getAttribute('id'));
  });

  await test.step('arrows lead through tabs and tokens; what a token says follows', async () => {
    const profile = window.getByRole('tab', { name: 'Profile' });
    await tabTo(window, window.getByRole('tab', { name: /^Tokens/ }));
    for (const name of ['Timeline', 'Activity', 'Profile']) {
      await keyboard.press('ArrowRight');
      await expect(window.getByRole('tab', { name })).toBeFocused();
    }
    await expect(profile).toBeFocused();
    await expect(window.getByRole('region', { name: 'Home tenant' })).toBeVisible();
    for (const name of ['Activity', 'Timeline', /^Tokens/]) {
      await keyboard.press('ArrowLeft');
      await expect(window.getByRole('tab', { name })).toBeFocused();
    }
    const grid = window.getByRole('grid', { name: 'Tokens' });
    await tabTo(window, grid);
    await keyboard.press('Home');
    await expect(grid.getByRole('row', { selected: true })).toContainText('Microsoft Graph');
    await keyboard.press('End');
    await expect(grid.getByRole('row', { selected: true })).toContainText('Identity');
    await tabTo(window, button('Time left'));
    await keyboard.press('Enter');
    await expect(window.getByRole('columnheader', { name: 'Time left' })).toHaveAttribute(
      'aria-sort',
      'ascending',
    );
    await tabTo(window, window.getByRole('tab', { name: 'Claims' }));
    await keyboard.press('ArrowRight');
    await expect(window.getByRole('tabpanel', { name: 'Header' })).toContainText('RS256');
  });

  await test.step('a secret is shown, hidden with Escape, and copied', async () => {
    await press(button('Reveal…'));
    await expect(window.getByRole('textbox', { name: /^Secret of ID/ })).toBeFocused();
    await keyboard.press('Escape');
    await expect(window.getByRole('textbox', { name: /^Secret of/ })).toHaveCount(0);
    await expect(button('Reveal…')).toBeFocused();
    await press(button('Copy…'));
    await said(/Token copied\..*Cleared from the clipboard in 30 seconds/);
    await expect(button('Copy…')).toBeFocused();
  });

  await test.step('a search says how many it found; Down goes to them, Escape ends it', async () => {
    await keyboard.press('ControlOrMeta+F');
    await expect(window.getByRole('searchbox')).toBeFocused();
    await keyboard.type('noor');
    await said('1 of 6');
    await expect(list.locator('mark').first()).toHaveText('Noor');
    await keyboard.press('ArrowDown');
    await expect(list).toBeFocused();
    await expect(chosen).toHaveAccessibleName(/Noor Haddad/);
    await keyboard.press('ControlOrMeta+F');
    await keyboard.press('Escape');
    await expect(window.getByRole('searchbox')).toHaveValue('');
    await expect(list.getByRole('option')).toHaveCount(6);
  });

  await test.step('a sign-out is asked about, given up, done, and its receipt read', async () => {
    await press(button('Sign out…'));
    await expect(button('Cancel')).toBeFocused();
    await keyboard.press('Escape');
    await expect(window.getByRole('alertdialog')).toHaveCount(0);
    await expect(button('Sign out…')).toBeFocused();
    await keyboard.press('Enter');
    await press(button('Sign out'));
    const receipt = window.getByRole('dialog', { name: 'Noor Haddad is signed out' });
    await expect(receipt).toContainText('None (checked again)');
    await expect(button('Done')).toBeFocused();
    await keyboard.press('Enter');
    await expect(receipt).toHaveCount(0);
    await expect.poll(async () => (await focus(window)).what).not.toMatch(/^BODY/);
    await expect(list.getByRole('option')).toHaveCount(5);
  });

  const target = join(keyring.env['HOME'] ?? '', 'mine.age');
  await test.step('everything is exported', async () => {
    await tabTo(window, button('Security'), 'Shift+Tab');
    await keyboard.press('Enter');
    await answerDialogs(app, { agree: true, target, file: target });
    await press(button('Export…'));
    await expect(window.getByRole('textbox', { name: 'Passphrase', exact: true })).toBeFocused();
    await keyboard.type(PASSPHRASE);
    await said('Fair');
    await typeInto('Confirm passphrase', PASSPHRASE);
    await keyboard.press('Enter');
    await expect(window.getByRole('heading', { name: 'Exported' })).toBeVisible({ timeout: 60_000 });
    await expect(button('Done')).toBeFocused();
    await keyboard.press('Enter');
    await expect(button('Export…')).toBeFocused();
  });

  await test.step('the export is opened with its passphrase', async () => {
    await tabTo(window, window.getByRole('main').getByRole('button', { name: 'Import…' }));
    await keyboard.press('Enter');
    await expect(window.getByRole('textbox', { name: 'Passphrase of the export' })).toBeFocused();
    await keyboard.type(PASSPHRASE);
    await keyboard.press('Enter');
    await expect(window.getByRole('dialog', { name: 'Nothing to import' })).toBeVisible({
      timeout: 60_000,
    });
    await expect(button('Cancel')).toBeFocused();
    await keyboard.press('Escape');
    await expect(window.getByRole('main').getByRole('button', { name: 'Import…' })).toBeFocused();
  });

  await test.step('what a repair took away is taken back', async () => {
    await tabTo(window, button('Health'), 'Shift+Tab');
    await keyboard.press('Enter');
    await press(button('Repair all…'));
    await expect(button('Cancel')).toBeFocused();
    await press(button('Repair'));
    await said(/Repaired: /);
    await press(button('Undo'));
    await said(/Undone: /);
    await expect.poll(async () => (await focus(window)).what).not.toMatch(/^BODY/);
  });
  await quit();
});

test('Ctrl+F leads to the search from every page, but not out of a dialog; Meta+F belongs to the desktop', async ({
  start,
}) => {
  const { window, quit } = await start(['--demo']);
  const { keyboard } = window;
  const search = window.getByRole('searchbox');
  const list = window.getByRole('listbox', { name: 'Accounts' });
  await list.focus();
  await keyboard.press('Meta+F');
  await expect(list).toBeFocused();
  for (const page of ['Accounts', 'Inspect', 'Activity', 'Security', 'Health']) {
    await window.getByRole('navigation').getByRole('button', { name: page }).click();
    await keyboard.press('Control+F');
    await expect(search).toBeFocused();
  }
  await window.getByRole('button', { name: 'Sign out…' }).click();
  await expect(window.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await keyboard.press('Control+F');
  await expect(window.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await quit();
});

test('a menu closes with the token or the page that it belongs to, and its button keeps the focus', async ({
  start,
}) => {
  const { app, window, quit } = await start(['--demo']);
  const { keyboard } = window;
  const menu = window.getByRole('menu');
  const tokens = window.getByRole('grid', { name: 'Tokens' });
  const button = window.getByRole('button', { name: 'Copy as' });
  await answerDialogs(app, { agree: true });
  const show = (page: string) =>
    app.evaluate(({ Menu }, label) => {
      const items = Menu.getApplicationMenu()?.items.flatMap(({ submenu }) => submenu?.items ?? []) ?? [];
      items.find((item) => item.label === label)?.click();
    }, page);

  await test.step('the page', async () => {
    await tokens.focus();
    await keyboard.press('Shift+F10');
    await expect(menu).toBeVisible();
    await show('&Inspect');
    await expect(tokens).toHaveCount(0);
    await show('&Accounts');
    await expect(tokens).toBeVisible();
    await expect(menu).toHaveCount(0);
  });

  await test.step('the token, removed with the menu', async () => {
    await button.focus();
    await keyboard.press('Enter');
    await window.getByRole('menuitem', { name: 'Remove this token…' }).press('Enter');
    await expect(window.getByText('1 token removed.')).toBeVisible();
    await expect(button).toBeFocused();
  });

  await test.step('the token, removed while the menu is open', async () => {
    await tokens.getByRole('row').filter({ hasText: 'Refresh token' }).click();
    await button.focus();
    await keyboard.press('Enter');
    await expect(menu).toBeVisible();
    await window.evaluate(async () => {
      const { tokenCache } = globalThis as unknown as { tokenCache: TokenCacheBridge };
      const text = await tokenCache.accountsText();
      const { accounts } = JSON.parse(text.ok ? text.value : '') as AccountList;
      for (const { id } of accounts) {
        const all = await tokenCache.tokens(id);
        const found = all.ok ? all.value.filter(({ type }) => type === 'RefreshToken') : [];
        if (found.length > 0) await tokenCache.removeTokens(found.map((token) => token.id));
      }
    });
    await expect(menu).toHaveCount(0);
    await expect(button).toBeFocused();
  });
  await quit();
});

test('Escape closes the top layer, and the focus goes back to where it was', async ({ start }) => {
  const { window, quit } = await start(['--demo']);
  const { keyboard } = window;
  const button = (name: string) => window.getByRole('button', { name, exact: true });
  const escape = async (layer: Locator, before: Locator) => {
    // A key that comes before the layer has the focus goes to the page.
    await expect.poll(() => layer.evaluate((element) => element.contains(document.activeElement))).toBe(true);
    await keyboard.press('Escape');
    await expect(layer).toHaveCount(0);
    await expect(before).toBeFocused();
  };

  await test.step('menus', async () => {
    for (const name of ['More', 'Account actions', 'Copy as']) {
      await button(name).focus();
      await keyboard.press('Enter');
      await escape(window.getByRole('menu'), button(name));
    }
    const tokens = window.getByRole('grid', { name: 'Tokens' });
    await tokens.focus();
    for (const key of ['Shift+F10', 'ContextMenu']) {
      await keyboard.press(key);
      await expect(window.getByRole('menuitem', { name: /^Token/ })).toBeFocused();
      await keyboard.press('ArrowDown');
      await expect(window.getByRole('menuitem', { name: 'Authorization header…' })).toBeFocused();
      await escape(window.getByRole('menu', { name: 'Token' }), tokens);
    }
  });

  await test.step('a dialog', async () => {
    await button('Sign out…').focus();
    await keyboard.press('Enter');
    await escape(window.getByRole('alertdialog'), button('Sign out…'));
  });

  await test.step('a dialog that was opened from a menu', async () => {
    await button('Account actions').focus();
    await keyboard.press('Enter');
    await window.getByRole('menuitem', { name: 'Name tenant…' }).press('Enter');
    const dialog = window.getByRole('dialog', { name: 'Name this tenant' });
    await expect(dialog.getByRole('textbox')).toBeFocused();
    await escape(dialog, button('Account actions'));
  });
  await quit();
});
