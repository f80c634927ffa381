/**
 * A picture of every screen and state, light and dark, in artifacts/screenshots: `npm run screenshots`. Each is also checked for
 * accessibility (WCAG 2.1 A and AA, and what a screen reader gets), so that the pictures show exactly what was checked. `npm test` takes no
 * pictures, and checks the screens in one theme and the other by turns. Of a screen in another size or in the user's colors, it checks what
 * can be computed without axe, but for a few.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { trustingFetch } from '../../examples/provider/trusting-fetch.ts';
import { manyAccounts } from '../ipc/many.ts';
import { tokenCachePrefix } from '../../src-main/ipc/contract-names.ts';
import { requestChannel } from '../../src-main/ipc/requests.ts';
import { encrypt } from '../../src-main/vault/exchange/age.ts';
import { browser } from '../support/browser.ts';
import { startBusWithoutKeyring } from '../support/keyring.ts';
import {
  answerDialogs,
  chooseToImport,
  fileDialogAnswered,
  importDocument,
  programCaches,
  providersAsked,
  showPage,
  test,
  vaultFile,
  vector,
} from './app.ts';
import { asNewer, changeKey, keyOf, seed } from './library.ts';
import { addProfile, test as besideProvider, meet } from './provider.ts';
import { checkReading } from './reading.ts';
import { troubledDocument } from './troubled.ts';

const FOLDER = join('artifacts', 'screenshots');
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const EXPIRED = `${part({ alg: 'RS256', kid: 'a-key' })}.${part({
  iss: 'https://id.contoso.example/',
  aud: 'api://contoso.example',
  sub: 'u1',
  preferred_username: 'dana@contoso.example',
  scp: 'Orders.Read',
  iat: 1_700_000_000,
  exp: 1_700_003_600,
})}.c2ln`;
const SEVERAL = vector('documents', 'msal-python-aad-several.json');

// Each picture is taken and checked twice.
test.setTimeout(180_000);

/** Whether both themes of each screen are checked and kept as pictures. */
const LOOKED_AT = process.env['TOKENKEEP_PICTURES'] === 'all';

const accounts = (window: Page) => window.getByRole('listbox', { name: 'Accounts' });

type Theme = 'light' | 'dark';

/** Half the size of what AxeBuilder loads by itself. */
const AXE = readFileSync(
  createRequire(import.meta.resolve('@axe-core/playwright')).resolve('axe-core/axe.min.js'),
  'utf8',
);

/** Levels A and AA. */
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];

/** The rules among them that look at colors. */
const COLORS = ['color-contrast', 'link-in-text-block'];

/** Screens that differ from another one by the window's size or the colors. */
const VARIANT = /^(?:narrow|high-contrast|zoomed)-/;
/** Those that are checked with axe by `npm test` as well: of each kind, one with a dialog, a table or the least room. */
const CHECKED_VARIANTS = ['narrow-overview', 'high-contrast-sign-out', 'zoomed-smallest'];

let checked = 0;

/**
 * Takes the window in its current state, in both themes, or in one of them in turn. Transitions are over, and the pointer is out of the
 * way. Endless progress bars are not waited for.
 */
async function picture(
  window: Page,
  name: string,
  themes: readonly Theme[] = ['light', 'dark'],
): Promise<void> {
  await window.mouse.move(0, 0);
  // axe does not detect clipping, so the contents must fill at least a third of the window.
  const shown = () => (document.querySelector('main')?.getBoundingClientRect().height ?? 0) / innerHeight;
  expect.soft(await window.evaluate(shown), `the height of ${name}`).toBeGreaterThan(1 / 3);
  const isBrief = !LOOKED_AT && VARIANT.test(name) && !CHECKED_VARIANTS.includes(name);
  if (!isBrief) await checkReading(window, name);
  const taken = LOOKED_AT ? themes : [themes[checked++ % themes.length] ?? 'light'];
  for (const theme of taken) {
    await window.emulateMedia({ colorScheme: theme });
    await window.evaluate(() =>
      Promise.allSettled(
        document
          .getAnimations()
          .filter((animation) => animation.effect?.getComputedTiming().endTime !== Infinity)
          .map((animation) => animation.finished),
      ),
    );
    if (LOOKED_AT) await window.screenshot({ path: join(FOLDER, `${name}-${theme}.png`) });
    const forced = await window.evaluate(() => matchMedia('(forced-colors: active)').matches);
    if (forced) expect.soft(await ownColors(window), `colors of the theme in ${name}, ${theme}`).toEqual([]);
    if (isBrief) continue;
    // Loading axe takes longer than running it: each document loads it once.
    const isLoaded = await window.evaluate(() => 'axe' in globalThis);
    const axe = new AxeBuilder({ page: window, axeSource: isLoaded ? ';' : AXE })
      .setLegacyMode(true) // Electron can't open a second page for it
      .options({ resultTypes: ['violations'] }) // passed checks are not reported
      .disableRules(forced ? ['color-contrast'] : []); // the user's own setting, which can be emulated only in part
    // The themes share one document and differ in colors.
    const isFirst = theme === taken[0];
    const { violations } = await (isFirst
      ? axe.withTags(WCAG)
      : axe.withRules(forced ? COLORS.slice(1) : COLORS)
    ).analyze();
    const found = violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`,
    );
    expect.soft(found, `${name}, ${theme}`).toEqual([]);
  }
}

/** The elements that keep a color of the theme where the user's colors replace them. A QR code keeps its own. */
const ownColors = (window: Page): Promise<string[]> =>
  window.evaluate(() => {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.setProperty('forced-color-adjust', 'none');
    const resolved = (color: string) => {
      probe.style.color = color;
      return getComputedStyle(probe).color;
    };
    const users = ['Canvas', 'CanvasText', 'Highlight', 'HighlightText', 'ButtonFace'].map(resolved);
    const names = [
      'accent',
      'text',
      'soft',
      'faint',
      'ok',
      'soon',
      'gone',
      'selected',
      'accent-soft',
      'line',
    ];
    const own = names.map((name) => resolved(`var(--${name})`)).filter((color) => !users.includes(color));
    probe.remove();
    return [...document.querySelectorAll('body *:not(.qr, .qr *)')].flatMap((element) => {
      const { color, backgroundColor, borderColor, boxShadow, outlineColor } = getComputedStyle(element);
      const used = [color, backgroundColor, borderColor, boxShadow, outlineColor].join(' ');
      const found = own.filter((one) => used.includes(one));
      return found.length === 0 ? [] : [`${element.outerHTML.slice(0, 100)}: ${found.join(', ')}`];
    });
  });

test('first run, a document to import, one that is none', async ({ start }) => {
  const started = await start();
  const { window, quit } = started;
  await expect(window.getByRole('button', { name: 'Import a cache document…' })).toBeVisible();
  await picture(window, 'first-run');
  await chooseToImport(started, vector('documents', 'msal-node-7-kitchen-sink.json'));
  await expect(window.getByRole('dialog')).toBeVisible();
  await picture(window, 'import');
  await window.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await chooseToImport(started, vector('hostile', 'not-json.json'));
  await expect(window.getByRole('alertdialog')).toBeVisible();
  await picture(window, 'import-refused');
  await window.getByRole('button', { name: 'Close' }).click();
  await window.getByRole('button', { name: 'Find caches' }).click();
  await expect(window.getByRole('heading', { name: /caches? found/i })).toBeVisible();
  await picture(window, 'no-caches-found', ['light']);
  await window.getByRole('button', { name: 'Back' }).click();
  await expect(window.getByRole('button', { name: 'Open sample data' })).toBeVisible();
  await quit();
});

test('the caches of other programs, the users they name, a sign-out there', async ({ keyring, start }) => {
  programCaches(keyring.env);
  const { window, quit } = await start();
  await window.getByRole('button', { name: 'Find caches' }).click();
  await expect(window.getByRole('heading', { name: '2 caches found on this computer' })).toBeVisible();
  const missing = window.getByText(/^Not found: .*mcp-remote$/);
  expect(await missing.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);
  await picture(window, 'caches-found');
  await window.getByRole('button', { name: 'Open all 2' }).click();
  await expect(accounts(window)).toBeVisible();
  await picture(window, 'sources', ['light']);
  await window
    .getByRole('region', { name: 'Sources' })
    .getByRole('button', { name: /^GitHub CLI/ })
    .click();
  await expect(window.getByRole('heading', { name: 'GitHub CLI', level: 1 })).toBeVisible();
  await picture(window, 'source-names');
  await window.getByRole('button', { name: /^Azure CLI/ }).click();
  await expect(window.getByRole('heading', { name: 'Azure CLI', level: 1 })).toBeVisible();
  await picture(window, 'source');
  // The program writes to its cache.
  const cache = join(keyring.env['HOME']!, '.azure', 'msal_token_cache.json');
  writeFileSync(cache, readFileSync(cache));
  const live = window.locator('[data-chosen="true"][data-tone="live"]');
  await expect(live).toContainText('Changed just now');
  await window.emulateMedia({ forcedColors: 'active' });
  await picture(window, 'high-contrast-source', ['light']);
  await window.emulateMedia({ forcedColors: 'none' });
  await window.getByRole('button', { name: /^All accounts/ }).click();
  await expect(window.getByRole('region', { name: 'Named by programs' })).toBeVisible();
  await picture(window, 'named-users');
  await window.setViewportSize({ width: 800, height: 500 });
  await picture(window, 'narrow-named-users', ['light']);
  await window.setViewportSize({ width: 1280, height: 772 });
  const table = window.getByRole('grid', { name: 'Accounts' });
  await table.focus();
  await window.keyboard.press('Enter');
  await window.getByRole('button', { name: 'Sign out…' }).click();
  const question = window.getByRole('alertdialog');
  await providersAsked(question);
  await question.getByRole('checkbox', { name: /^Microsoft, on all devices/ }).uncheck();
  await picture(window, 'sign-out-source');
  await question.getByRole('button', { name: /^Sign out of/ }).click();
  await expect(window.getByRole('dialog').getByRole('button', { name: 'Done' })).toBeVisible();
  await picture(window, 'receipt-source');
  await quit();
});

test('an imported account, whose program keeps its own copy; a newer version', async ({ keyring, start }) => {
  programCaches(keyring.env);
  const { app, window, quit } = await start([
    '--import',
    join(keyring.env['HOME'] ?? '', '.azure/msal_token_cache.json'),
  ]);
  await window.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();
  await expect(accounts(window)).toBeVisible();
  await app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]!.webContents.send('app:event:update', { state: 'restart' }),
  );
  await expect(window.getByText('Restart to finish the update')).toBeVisible();
  await picture(window, 'update-restart');
  await window.getByRole('button', { name: 'Sign out…' }).click();
  const question = window.getByRole('alertdialog');
  await providersAsked(question);
  for (const box of await question.getByRole('checkbox', { name: /revoke|browser/ }).all())
    await box.uncheck();
  await picture(window, 'sign-out-own-copy', ['light']);
  await question.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(window.getByRole('dialog').getByRole('button', { name: 'Done' })).toBeVisible();
  await picture(window, 'receipt-own-copy', ['light']);
  await quit();
});

test('activity, timeline, inspecting; signing out, one and all; about', async ({ start }) => {
  const { window, quit } = await start(['--demo']);
  await accounts(window)
    .getByRole('option', { name: /Ada Marsh/ })
    .click();
  await window.getByRole('tab', { name: 'Timeline' }).click();
  await expect(window.getByText('Mail Assistant').first()).toBeVisible();
  await picture(window, 'timeline');
  await window.getByRole('tab', { name: 'Activity' }).click();
  await expect(window.getByText('Showed an access token')).toBeVisible();
  await picture(window, 'account-activity');
  await showPage(window, 'Activity');
  await expect(window.getByText('Rotated the encryption key')).toBeVisible();
  await picture(window, 'activity');
  await showPage(window, 'Health');
  await expect(window.getByRole('main')).not.toHaveAttribute('aria-busy', 'true');
  await picture(window, 'health-sample', ['light']);
  await showPage(window, 'Inspect');
  await picture(window, 'inspect-empty', ['light']);
  await window
    .getByRole('textbox', { name: 'Token' })
    .fill('{"error":"invalid_grant","error_description":"The refresh token has expired."}');
  await picture(window, 'inspect-error', ['light']);
  await window.getByRole('textbox', { name: 'Token' }).fill(EXPIRED);
  await expect(window.getByRole('region', { name: 'Assessment' })).toContainText('Expired');
  await picture(window, 'inspect');
  await window.getByRole('tab', { name: /^Header/ }).click();
  await picture(window, 'inspect-header', ['light']);
  await window.getByRole('tab', { name: 'Raw JSON' }).click();
  await picture(window, 'inspect-raw', ['light']);
  await window.getByRole('button', { name: 'Compare' }).click();
  await window.getByRole('textbox', { name: 'Token B' }).fill(EXPIRED.replace('.c2ln', '.c2lu'));
  await picture(window, 'compare', ['light']);

  await window.getByRole('button', { name: 'Accounts', exact: true }).click();
  await window.getByRole('button', { name: 'Sign out…' }).click();
  await picture(window, 'sign-out');
  await window.getByRole('alertdialog').getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(window.getByRole('button', { name: 'Done' })).toBeVisible();
  await picture(window, 'receipt');
  await window.getByRole('button', { name: 'Done' }).click();
  await window.getByRole('button', { name: 'More' }).click();
  await picture(window, 'menu');
  await window.getByRole('menuitem', { name: 'Sign out all…' }).click();
  await picture(window, 'sign-out-all');
  await window.getByRole('button', { name: 'Cancel' }).click();
  await window.getByRole('button', { name: 'More' }).click();
  await window.getByRole('menuitem', { name: /About/ }).click();
  await picture(window, 'about');
  await quit();
});

test('accounts, tokens, claims; a secret shown, and one copied', async ({ start }) => {
  const { app, window, quit } = await start(['--demo']);
  await expect(accounts(window)).toBeVisible();
  await window.getByRole('row').filter({ hasText: 'Microsoft Graph' }).first().click();
  await picture(window, 'main');
  await window.getByRole('tab', { name: 'Header' }).click();
  await picture(window, 'token-header');
  await window.getByRole('tab', { name: 'Details' }).click();
  await picture(window, 'token-details');
  await window
    .getByRole('row')
    .filter({ hasText: /^Refresh/ })
    .first()
    .click();
  await picture(window, 'opaque');
  await window.getByRole('tab', { name: 'Profile' }).click();
  await picture(window, 'profile');
  await window
    .getByRole('button', { name: /^Name tenant/ })
    .first()
    .click();
  await picture(window, 'tenant-name', ['light']);
  await window.getByRole('button', { name: 'Cancel' }).click();
  await window.getByRole('tab', { name: /^Tokens/ }).click();
  await window.getByRole('row').filter({ hasText: 'Microsoft Graph' }).first().click({ button: 'right' });
  await picture(window, 'token-menu');
  await window.keyboard.press('Escape');
  await window.getByRole('option').filter({ hasText: 'nightly-report' }).click();
  await picture(window, 'app-only');
  await window.getByRole('option').filter({ hasText: 'Rosa Stein' }).click();
  await picture(window, 'needs-sign-in');
  await window.getByRole('searchbox').fill('rosa example.org');
  await expect(window.getByRole('option')).toHaveCount(1);
  await picture(window, 'search');
  await window.getByRole('searchbox').fill('no such thing');
  await expect(window.getByRole('option')).toHaveCount(0);
  await picture(window, 'no-match');

  await window.getByRole('searchbox').fill('');
  await accounts(window)
    .getByRole('option', { name: /Ada Marsh/ })
    .click();
  await answerDialogs(app, { agree: true });
  await window.getByRole('button', { name: 'Copy…' }).click();
  await expect(window.getByText(/clipboard/i).first()).toBeVisible();
  await window.getByRole('button', { name: 'Reveal…' }).click();
  await expect(window.getByRole('button', { name: 'Hide' })).toBeVisible();
  await picture(window, 'revealed');
  await quit();
});

test('the security page: verified, a new key, an export, its import', async ({ keyring, start }) => {
  await seed(keyring.env, vaultFile(keyring.env), SEVERAL);
  const started = await start();
  const { app, window, quit } = started;
  await showPage(window, 'Security');
  await picture(window, 'security');
  await window.getByRole('button', { name: 'Verify now' }).click();
  await expect(window.getByText('File verified: complete and unchanged')).toBeVisible();
  await picture(window, 'security-verified');
  await window.getByRole('button', { name: 'Rotate key…' }).click();
  await picture(window, 'rotate-key');
  await window.getByRole('button', { name: 'Rotate key', exact: true }).click();
  await expect(window.getByRole('heading', { name: 'Key rotated' })).toBeVisible();
  await picture(window, 'rotated');
  await window.getByRole('button', { name: 'Done' }).click();

  await window.getByRole('button', { name: 'Export…' }).click();
  await picture(window, 'export');
  await window.getByRole('textbox', { name: 'Passphrase', exact: true }).fill('password1234');
  await window.getByRole('textbox', { name: 'Confirm passphrase' }).fill('password4321');
  await picture(window, 'export-differ');
  await window.getByRole('button', { name: 'Generate' }).click();
  await picture(window, 'export-suggested');
  const passphrase = await window.getByRole('textbox', { name: 'Passphrase', exact: true }).inputValue();
  const target = join(keyring.env['HOME'] ?? '', 'tokenkeep.age');
  await answerDialogs(app, { agree: true, target, file: target });
  await window.getByRole('button', { name: 'Choose location…' }).click();
  await expect(window.getByRole('heading', { name: 'Exported' })).toBeVisible({ timeout: 60_000 });
  await picture(window, 'exported');
  await window.getByRole('button', { name: 'Done' }).click();

  // The key of an export takes seconds, on purpose: of what is opened here, it takes none.
  writeFileSync(target, await encrypt(readFileSync(SEVERAL), passphrase, 10));
  await window.getByRole('main').getByRole('button', { name: 'Import…' }).click();
  await expect(window.getByRole('heading', { name: 'Enter the passphrase of this file' })).toBeVisible();
  await picture(window, 'import-locked');
  const field = window.getByRole('textbox', { name: 'Passphrase of the export' });
  await field.fill('something else');
  await window.getByRole('button', { name: 'Open', exact: true }).click();
  await expect(window.getByText(/The passphrase does not open/)).toBeVisible({ timeout: 60_000 });
  await picture(window, 'import-wrong-passphrase');
  await field.fill(passphrase);
  await window.getByRole('button', { name: 'Open', exact: true }).click();
  // The file is opened: everything in it is in the vault already.
  await expect(window.getByRole('heading', { name: 'Nothing to import' })).toBeVisible({ timeout: 60_000 });
  await window.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();

  await window.getByRole('button', { name: 'More' }).click();
  await window.getByRole('menuitem', { name: 'Settings' }).click();
  await window.getByRole('button', { name: 'When I am away' }).click();
  await expect(window.getByRole('button', { name: 'When I am away' })).toHaveAttribute(
    'aria-pressed',
    'true',
  );
  await picture(window, 'settings');
  await app.evaluate(({ powerMonitor }) => void powerMonitor.emit('lock-screen'));
  await expect(window.getByRole('heading', { name: 'Tokenkeep is locked' })).toBeVisible();
  await picture(window, 'locked-away');
  await quit();
});

test('the health page: findings, a repair, nothing found', async ({ keyring, start }) => {
  const started = await start();
  const { window, quit } = started;
  await importDocument(started, troubledDocument(keyring.env['HOME'] ?? ''));
  await showPage(window, 'Health');
  await expect(window.getByRole('button', { name: 'Repair all…' })).toBeVisible();
  await picture(window, 'health');
  await window.getByRole('button', { name: 'Repair all…' }).click();
  await picture(window, 'repair');
  await window.getByRole('dialog').getByRole('button', { name: 'Repair', exact: true }).click();
  await expect(window.getByRole('button', { name: 'Undo' })).toBeVisible();
  await picture(window, 'repaired');

  const many = join(keyring.env['HOME'] ?? '', 'many.json');
  writeFileSync(many, manyAccounts(20, Math.floor(Date.now() / 1000)));
  await window.getByRole('button', { name: 'Accounts', exact: true }).click();
  await importDocument(started, many);
  await window
    .getByRole('button', { name: /^All accounts/ })
    .first()
    .click();
  const table = window.getByRole('grid', { name: 'Accounts' });
  await table.focus();
  for (const key of ['Home', ' ', 'Shift+ArrowDown', 'Shift+ArrowDown', 'Shift+ArrowDown'])
    await window.keyboard.press(key);
  await expect(window.getByRole('button', { name: 'Sign out 4…' })).toBeVisible();
  await expect(window.getByRole('button', { name: 'Refresh 4' })).toBeVisible();
  await picture(window, 'overview');
  await window.emulateMedia({ forcedColors: 'active' });
  await picture(window, 'high-contrast-overview', ['light']);
  await window.emulateMedia({ forcedColors: 'none' });
  await window.setViewportSize({ width: 800, height: 500 });
  await picture(window, 'narrow-overview', ['light']);
  await window.setViewportSize({ width: 1280, height: 800 });
  await window.getByRole('button', { name: 'Refresh 4' }).click();
  await expect(window.getByRole('alertdialog', { name: '4 accounts not refreshed' })).toBeVisible();
  await picture(window, 'not-refreshed');
  await quit();
});

test('the first of many accounts, before the list is there', async ({ keyring, start }) => {
  const { env } = keyring;
  const document = join(env['HOME'] ?? '', 'many.json');
  writeFileSync(document, manyAccounts(1_000, Math.floor(Date.now() / 1000)));
  mkdirSync(dirname(vaultFile(env)), { recursive: true });
  await seed(env, vaultFile(env), document);
  const { app, window, quit } = await start();
  const table = window.getByRole('grid', { name: 'Accounts' });
  await expect(table).toHaveAttribute('aria-busy', 'false', { timeout: 60_000 });
  await app.evaluate(
    ({ ipcMain }, channel) => {
      ipcMain.removeHandler(channel);
      // The list stays away. A promise that nothing refers to would be collected, and Electron would answer with an error.
      ipcMain.handle(channel, () => new Promise((answer) => Object.assign(globalThis, { answer })));
    },
    requestChannel(tokenCachePrefix(), 'accountsText'),
  );
  await window.reload();
  await expect(table).toHaveAttribute('aria-busy', 'true');
  await expect(window.getByRole('progressbar', { name: 'Loading all accounts' })).toBeVisible();
  await picture(window, 'first-of-many');
  await table.evaluate((grid) => (grid.closest('.scrolls') ?? grid).scrollTo(0, 2_500));
  await picture(window, 'first-of-many-below', ['light']);
  await quit();
});

test('in a narrow window, in high contrast, without motion, at 200 %', async ({ start }) => {
  const { app, window, quit } = await start(['--demo']);
  await expect(accounts(window)).toBeVisible();
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.setContentSize(800, 500));
  await expect.poll(() => window.evaluate(() => innerWidth)).toBe(800);
  await picture(window, 'narrow');
  await window.getByRole('row').filter({ hasText: 'Microsoft Graph' }).first().click();
  await picture(window, 'narrow-token');
  await showPage(window, 'Security');
  await picture(window, 'narrow-security');
  await showPage(window, 'Inspect');
  await window.getByRole('textbox', { name: 'Token' }).fill(EXPIRED);
  await picture(window, 'narrow-inspect', ['light']);
  await window.getByRole('button', { name: 'More' }).click();
  await window.getByRole('menuitem', { name: 'Settings' }).click();
  await picture(window, 'narrow-settings', ['light']);

  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.setContentSize(1280, 772));
  await expect.poll(() => window.evaluate(() => innerWidth)).toBe(1280);
  await window.getByRole('button', { name: 'Accounts', exact: true }).click();
  await window.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  await window.getByRole('searchbox').fill('contoso');
  await expect(window.locator('mark').first()).toBeVisible();
  await accounts(window).focus();
  await window.keyboard.press('ArrowDown');
  await picture(window, 'high-contrast');
  await window.getByRole('button', { name: 'Sign out…' }).click();
  await picture(window, 'high-contrast-sign-out');
  await window.getByRole('button', { name: 'Cancel' }).click();
  await window.getByRole('row').filter({ hasText: 'Microsoft Graph' }).first().click({ button: 'right' });
  await picture(window, 'high-contrast-token-menu', ['light']);
  await window.keyboard.press('Escape');
  await window.getByRole('button', { name: 'More' }).click();
  await window.getByRole('menuitem', { name: 'Settings' }).click();
  await picture(window, 'high-contrast-settings', ['light']);
  await window.getByRole('button', { name: 'Accounts', exact: true }).click();
  await window.emulateMedia({ forcedColors: 'none' });
  await window.getByRole('searchbox').fill('');
  /** The CSS pixels of a window of that size at 200%. */
  const zoom = async (width: number, height: number) => {
    await window.setViewportSize({ width: width / 2, height: height / 2 });
    await expect.poll(() => window.evaluate(() => innerWidth)).toBe(width / 2);
    // Nothing is wider than the window: it scrolls downwards at most (WCAG 2.2, 1.4.10).
    expect(await window.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width / 2);
    // The search has room for a name.
    expect((await window.getByRole('searchbox').boundingBox())?.width).toBeGreaterThan(120);
  };
  await zoom(1280, 800);
  await picture(window, 'zoomed', ['light']);
  await zoom(800, 500);
  await picture(window, 'zoomed-smallest', ['light']);
  await showPage(window, 'Security');
  await picture(window, 'zoomed-security', ['light']);
  await quit();
});

test('the keychain: locked, not answering, missing, and changes that are held in memory', async ({
  keyring,
  start,
}) => {
  await seed(keyring.env, vaultFile(keyring.env), SEVERAL);
  await keyring.lock();
  const locked = await start();
  await expect(locked.window.getByRole('heading', { name: 'The keychain is locked' })).toBeVisible();
  await picture(locked.window, 'locked');
  await showPage(locked.window, 'Security');
  await picture(locked.window, 'security-locked');
  await locked.window.getByRole('button', { name: 'Accounts' }).click();
  await importDocument(locked, vector('documents', 'msal-node-7-adfs.json'));
  await picture(locked.window, 'not-saved');
  await locked.quit();
  await keyring.unlock();

  keyring.hang();
  const waiting = await start();
  await expect(waiting.window.getByText('Waiting for the keychain…').first()).toBeVisible({
    timeout: 30_000,
  });
  await picture(waiting.window, 'waiting');
  keyring.resume();
  await waiting.quit();

  const without = await startBusWithoutKeyring();
  const none = await start([], without.env);
  await expect(none.window.getByRole('heading', { name: /No keychain found/ })).toBeVisible();
  await picture(none.window, 'no-keychain');
  await none.quit();
  await without.close();
});

test('the key: missing, and another', async ({ keyring, start }) => {
  await seed(keyring.env, vaultFile(keyring.env), SEVERAL);
  await changeKey(keyring.env, vaultFile(keyring.env), 'another');
  const wrong = await start();
  await expect(wrong.window.getByRole('heading', { name: 'The key doesn’t open this file' })).toBeVisible();
  await picture(wrong.window, 'wrong-key');
  await wrong.quit();
  await changeKey(keyring.env, vaultFile(keyring.env), 'none');
  const missing = await start();
  await expect(missing.window.getByRole('heading', { name: 'The encryption key is missing' })).toBeVisible();
  await picture(missing.window, 'key-missing');
  await missing.window.getByRole('button', { name: 'Start fresh…' }).click();
  await picture(missing.window, 'start-fresh');
  await missing.window.getByRole('button', { name: 'Cancel' }).click();
  // Nothing is set aside before the import is confirmed.
  const lost = readFileSync(vaultFile(keyring.env));
  const restore = async (file: string | null) => {
    await answerDialogs(missing.app, { agree: true, file });
    await missing.window.getByRole('button', { name: 'Restore from an export…' }).click();
    await missing.window.getByRole('button', { name: 'Choose export…' }).click();
    await fileDialogAnswered(missing.app);
  };
  await missing.window.getByRole('button', { name: 'Restore from an export…' }).click();
  await picture(missing.window, 'restore', ['light']);
  await missing.window.getByRole('button', { name: 'Cancel' }).click();
  await restore(null);
  await expect(missing.window.getByRole('heading', { name: 'The encryption key is missing' })).toBeVisible();
  await restore(vector('hostile', 'not-json.json'));
  await missing.window.getByRole('alertdialog').getByRole('button', { name: 'Close' }).click();
  expect(readFileSync(vaultFile(keyring.env)).equals(lost)).toBe(true);
  await restore(SEVERAL);
  await picture(missing.window, 'restore-plan', ['light']);
  await missing.window.getByRole('button', { name: 'Restore', exact: true }).click();
  await expect(missing.window.getByRole('option')).toHaveCount(5);
  const kept = readdirSync(dirname(vaultFile(keyring.env))).filter((name) =>
    name.startsWith('accounts.vault.'),
  );
  expect(kept.some((name) => readFileSync(join(dirname(vaultFile(keyring.env)), name)).equals(lost))).toBe(
    true,
  );
  await missing.quit();
});

test('the file: older, and a copy', async ({ keyring, start }) => {
  const file = vaultFile(keyring.env);
  await seed(keyring.env, file, SEVERAL);
  const older = readFileSync(file);
  const started = await start();
  await importDocument(started, vector('documents', 'msal-node-7-adfs.json'));
  writeFileSync(`${file}-put`, older);
  renameSync(`${file}-put`, file);
  await expect(started.window.getByText('An older file was put in place').first()).toBeVisible();
  await picture(started.window, 'older');
  await showPage(started.window, 'Security');
  await picture(started.window, 'security-older', ['light']);
  await started.quit();
  renameSync(file, `${file}-original`);
  await seed(keyring.env, join(dirname(file), 'other', 'accounts.vault'), SEVERAL);
  writeFileSync(file, readFileSync(join(dirname(file), 'other', 'accounts.vault')));
  const copied = await start();
  await expect(copied.window.getByText('This vault is a copy').first()).toBeVisible();
  await picture(copied.window, 'copy');
  await copied.quit();
});

test('the file: damaged, read-only, newer; what cannot be read or written is left as it is', async ({
  keyring,
  start,
}) => {
  const file = vaultFile(keyring.env);
  await seed(keyring.env, file, SEVERAL);
  const good = readFileSync(file);
  const isUnchanged = (from: Buffer) => expect(readFileSync(file).equals(from)).toBe(true);

  const damaged = Buffer.from(good);
  const middle = 4224 + Math.floor((good.length - 4224) / 2); // FORMAT.md: frames begin at 4224
  damaged[middle] = (damaged[middle] ?? 0) ^ 0xff;
  writeFileSync(file, damaged);
  const first = await start();
  await expect(first.window.getByText(/4 of 5 accounts recovered/).first()).toBeVisible();
  await expect(first.window.getByText(/Lost: /).first()).toBeVisible();
  isUnchanged(damaged);
  await picture(first.window, 'damaged');
  await showPage(first.window, 'Security');
  await first.window.getByRole('button', { name: 'Verify now' }).click();
  await expect(first.window.getByText('Damaged: parts of the file')).toBeVisible();
  await picture(first.window, 'security-damaged');
  await first.window.getByRole('button', { name: 'Accounts', exact: true }).click();
  await first.window.getByRole('button', { name: 'Keep recovered accounts…' }).click();
  await picture(first.window, 'recover');
  await first.window
    .getByRole('dialog')
    .or(first.window.getByRole('alertdialog'))
    .getByRole('button', { name: /Keep/ })
    .click();
  await expect(first.window.getByText('Encrypted')).toBeVisible();
  await expect(first.window.getByRole('option')).toHaveCount(4);
  const aside = readdirSync(dirname(file)).find((name) => name.includes('.damaged-')) ?? '';
  expect(readFileSync(join(dirname(file), aside)).equals(damaged)).toBe(true);
  await first.quit();

  const kept = readFileSync(file);
  chmodSync(file, 0o400);
  chmodSync(dirname(file), 0o500);
  try {
    const second = await start();
    await expect(second.window.getByText('Read-only').first()).toBeVisible();
    await expect(second.window.getByRole('option')).toHaveCount(4);
    await picture(second.window, 'read-only');
    await second.window.getByRole('button', { name: 'Sign out…' }).click();
    await second.window
      .getByRole('alertdialog')
      .getByRole('button', { name: 'Sign out', exact: true })
      .click();
    await expect(second.window.getByRole('alertdialog', { name: 'Nothing was signed out' })).toBeVisible();
    await second.quit();
  } finally {
    chmodSync(dirname(file), 0o700);
  }
  isUnchanged(kept);
  chmodSync(file, 0o600);

  const newer = asNewer(kept, await keyOf(keyring.env, file));
  writeFileSync(file, newer);
  const third = await start();
  await expect(third.window.getByRole('heading', { name: 'Written by a newer version' })).toBeVisible();
  await picture(third.window, 'newer');
  await third.quit();
  isUnchanged(newer);
});

besideProvider('signing in, staying signed in, leaving', async ({ start, provider }) => {
  const started = await start();
  const { app, window } = started;
  const at = browser(trustingFetch(provider.ca));
  const { opened } = await meet(started, provider);
  await window.getByRole('button', { name: 'Sign in…' }).click();
  await picture(window, 'profile-microsoft');
  await window.getByRole('button', { name: 'Cancel' }).click();
  await addProfile(started, provider);
  await picture(window, 'sign-in');
  await window.getByRole('button', { name: 'Edit Example' }).click();
  await picture(window, 'profile-oidc');
  await window.getByRole('button', { name: 'Cancel' }).click();
  await window.getByRole('button', { name: 'Use a device code…' }).click();
  await expect(window.getByRole('img', { name: /QR code/ })).toBeVisible();
  await picture(window, 'sign-in-code');
  await window.getByRole('button', { name: 'Cancel' }).click();
  await window.getByRole('button', { name: 'Sign in…' }).click();
  await window.getByRole('button', { name: 'Continue in your browser' }).click();
  await expect.poll(async () => (await opened()).length).toBe(1);
  await picture(window, 'sign-in-browser');
  await at.visit((await opened())[0]!, { user: 'noor', refuse: 'consent' });
  await expect(window.getByRole('alertdialog')).toContainText('refused');
  await picture(window, 'sign-in-refused');
  await window.getByRole('button', { name: 'Try again' }).click();
  await expect.poll(async () => (await opened()).length).toBe(2);
  await at.visit((await opened())[1]!, { user: 'noor' });
  await expect(accounts(window)).toContainText('Noor Haddad');
  await window.getByRole('switch', { name: 'Auto-refresh' }).check();
  await picture(window, 'kept-fresh');
  await answerDialogs(app, { agree: true });
  await window.getByRole('button', { name: 'Check signature…' }).click();
  await expect(window.getByRole('group', { name: 'Signature' })).toContainText('Signature valid');
  await picture(window, 'signature', ['light']);
  await window.getByRole('button', { name: 'Copy…', exact: true }).click();
  await expect(window.getByText('Token copied.', { exact: false }).first()).toBeVisible();
  const token = await app.evaluate(({ clipboard }) => clipboard.readText());
  await window.getByRole('tab', { name: 'User info' }).click();
  await picture(window, 'user-info', ['light']);
  await showPage(window, 'Inspect');
  await window.getByRole('textbox', { name: 'Token' }).fill(token);
  await window.getByRole('button', { name: 'Check signature…' }).click();
  await expect(window.getByRole('region', { name: 'Signature' })).toContainText('Signature valid');
  await picture(window, 'inspect-signature');
  await window.getByRole('button', { name: 'Accounts', exact: true }).click();
  await window.getByRole('button', { name: 'Sign out…' }).click();
  await expect(window.getByRole('checkbox', { name: /revoke/ })).toBeChecked();
  await picture(window, 'sign-out-offers');
  provider.outages.add('/token/revocation');
  await window.getByRole('alertdialog').getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(window.getByRole('dialog')).toContainText('Not revoked');
  await picture(window, 'receipt-not-revoked');
  await started.quit();
});
