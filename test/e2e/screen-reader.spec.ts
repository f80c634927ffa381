/**
 * Each page as a screen reader gets it: Chromium's accessibility tree. Every control has a role, a name and a state, and the reading order
 * is the visual order.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { manyAccounts } from '../ipc/many.ts';
import {
  answerDialogs,
  chooseToImport,
  importDocument,
  programCaches,
  showPage,
  test,
  vaultFile,
  vector,
} from './app.ts';
import { asNewer, changeKey, keyOf, seed } from './library.ts';
import { begin, test as besideProvider } from './provider.ts';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const JWT = `${part({ alg: 'RS256' })}.${part({ iss: 'https://id.example/', aud: 'api', exp: 1_700_000_000, realm_access: { roles: ['reader'] } })}.c2ln`;

interface AXNode {
  nodeId: string;
  ignored: boolean;
  role?: { value: string };
  name?: { value: string };
  properties?: { name: string; value: { value?: unknown } }[];
  childIds?: string[];
  parentId?: string;
  backendDOMNodeId?: number;
}

/** Roles that a user operates, and the state that each has to expose. */
const CONTROLS: Readonly<Record<string, string | null>> = {
  button: null,
  link: null,
  textbox: null,
  searchbox: null,
  combobox: 'expanded',
  checkbox: 'checked',
  switch: 'checked',
  radio: 'checked',
  menuitem: null,
  menuitemradio: 'checked',
  tab: 'selected',
  option: 'selected',
  listbox: null,
  grid: null,
  slider: null,
};

/** Roles that only group, and need a name to be distinguished. */
const NAMED = new Set([
  'dialog',
  'alertdialog',
  'region',
  'navigation',
  'tablist',
  'radiogroup',
  'image',
  'tabpanel',
]);

const roleOf = (node: AXNode): string => node.role?.value ?? '';
const nameOf = (node: AXNode): string => (node.name?.value ?? '').trim();
const propertyOf = (node: AXNode, name: string): unknown =>
  node.properties?.find((each) => each.name === name)?.value.value;
const said = (node: AXNode): string => `${roleOf(node)} “${nameOf(node)}”`;

/** Checks the window in its current state, with at least that many controls. */
async function listen(window: Page, screen: string, atLeast = 3): Promise<void> {
  const client = await window.context().newCDPSession(window);
  await client.send('Accessibility.enable');
  const { nodes } = (await client.send('Accessibility.getFullAXTree')) as unknown as { nodes: AXNode[] };
  const read = inOrder(nodes);
  const faults: string[] = [];

  for (const node of read) {
    const role = roleOf(node);
    if ((role in CONTROLS || NAMED.has(role)) && nameOf(node) === '') faults.push(`${role} without a name`);
    const state = CONTROLS[role] ?? null;
    if (state !== null && propertyOf(node, state) === undefined)
      faults.push(`${said(node)} does not tell: ${state}`);
    // A focusable element that is not a known control has nothing to be read. Scrolling boxes are focusable by Chromium's own rule.
    const nothing = ['generic', 'none', ''].includes(role) && propertyOf(node, 'focusable') === true;
    if (nothing && (await attributesOf(node)).includes('tabindex'))
      faults.push(`${said(node)} takes the focus`);
  }

  const headings = read
    .filter((node) => roleOf(node) === 'heading')
    .map((node) => Number(propertyOf(node, 'level')));
  const dialog = read.some((node) => /dialog$/.test(roleOf(node)));
  if (!dialog && headings.filter((level) => level === 1).length !== 1)
    faults.push(`headings of level 1: ${headings.filter((level) => level === 1).length}`);
  headings.forEach((level, index) => {
    const before = headings[index - 1];
    if (before !== undefined && level > before + 1)
      faults.push(`a heading of level ${level} after one of ${before}`);
  });

  // Read from top to bottom, column by column: what follows is not wholly above, unless it is in a column further right.
  const controls = read.filter(
    (node) => roleOf(node) in CONTROLS && !['listbox', 'grid'].includes(roleOf(node)),
  );
  expect.soft(controls.length, `controls of ${screen}`).toBeGreaterThanOrEqual(atLeast);
  let before: { node: AXNode; box: Box } | undefined;
  for (const node of controls) {
    const box = await boxOf(node);
    if (box === null) continue;
    if (before !== undefined && box.bottom <= before.box.top + 1 && box.left < before.box.right - 1)
      faults.push(`${said(node)} is read after ${said(before.node)}, and seen above it`);
    before = { node, box };
  }
  await client.detach();
  expect.soft(faults, screen).toEqual([]);

  async function attributesOf({ backendDOMNodeId }: AXNode): Promise<string[]> {
    const { node } = await client.send('DOM.describeNode', { backendNodeId: backendDOMNodeId ?? 0 });
    return node.attributes ?? [];
  }

  async function boxOf({ backendDOMNodeId }: AXNode): Promise<Box | null> {
    try {
      const { model } = await client.send('DOM.getBoxModel', { backendNodeId: backendDOMNodeId ?? 0 });
      const [left = 0, top = 0, right = 0, , , bottom = 0] = model.border;
      return right - left > 1 && bottom - top > 1 ? { left, top, right, bottom } : null;
    } catch {
      return null; // not drawn
    }
  }
}

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Returns all nodes that are read, in reading order. */
function inOrder(nodes: readonly AXNode[]): AXNode[] {
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const root = nodes.find(({ parentId }) => parentId === undefined);
  const found: AXNode[] = [];
  const visit = (node: AXNode | undefined): void => {
    if (node === undefined) return;
    if (!node.ignored) found.push(node);
    for (const id of node.childIds ?? []) visit(byId.get(id));
  };
  visit(root);
  return found;
}

test('the table of all accounts is read with name and state of every control, in the order in which it is seen', async ({
  keyring,
  start,
}) => {
  const { env } = keyring;
  const document = join(env['HOME']!, 'eight.json');
  writeFileSync(document, manyAccounts(8, Math.floor(Date.now() / 1000)));
  mkdirSync(dirname(vaultFile(env)), { recursive: true });
  await seed(env, vaultFile(env), document);
  const { window, quit } = await start();
  const table = window.getByRole('grid', { name: 'Accounts' });
  await table.waitFor();
  await listen(window, 'overview');
  await table.focus();
  await table.press('Space');
  await window.getByRole('region', { name: 'Selection' }).waitFor();
  await listen(window, 'overview, one selected');
  await window.getByRole('button', { name: 'Refresh 1' }).click();
  await window.getByRole('alertdialog', { name: '1 account not refreshed' }).waitFor();
  await listen(window, 'not refreshed', 1);
  await window.getByRole('button', { name: 'Close' }).click();
  await window.getByRole('button', { name: 'Sign out 1…' }).click();
  await window.getByRole('alertdialog').waitFor();
  await listen(window, 'sign out');
  await quit();
});

test('each page is read with role, name and state of every control, in the order in which it is seen', async ({
  start,
}) => {
  const { window, quit } = await start(['--demo']);
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  for (const name of [/^Tokens/, 'Timeline', 'Activity', 'Profile']) {
    await window.getByRole('tab', { name }).click();
    await listen(window, `account, ${String(name)}`);
  }
  for (const name of ['Inspect', 'Activity', 'Security', 'Health']) {
    await showPage(window, name);
    await expect(window.getByRole('main')).not.toHaveAttribute('aria-busy', 'true');
    await listen(window, name);
  }
  await window.getByRole('button', { name: 'More' }).click();
  await listen(window, 'menu');
  await window.getByRole('menuitem', { name: 'Settings' }).click();
  await window.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
  await listen(window, 'Settings');
  await window.getByRole('button', { name: 'More' }).click();
  await window.getByRole('menuitem', { name: 'About Tokenkeep' }).click();
  await window.getByRole('dialog').waitFor();
  await listen(window, 'About');
  await quit();
});

test('a token in Inspect, two that are compared, a sign-out and its receipt are read in the same way', async ({
  start,
}) => {
  const { window, quit } = await start(['--demo']);
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  await window.getByRole('button', { name: 'Sign out…' }).click();
  await window.getByRole('alertdialog').waitFor();
  await listen(window, 'sign out', 2);
  await window.getByRole('alertdialog').getByRole('button', { name: 'Sign out', exact: true }).click();
  await window.getByRole('dialog').getByRole('button', { name: 'Done' }).waitFor();
  await listen(window, 'receipt', 1);
  await window.getByRole('button', { name: 'Done' }).click();

  await showPage(window, 'Inspect');
  await window
    .getByRole('textbox', { name: 'Token' })
    .fill(JSON.stringify({ access_token: JWT, id_token: JWT }));
  await expect(window.getByRole('region', { name: 'Assessment' })).toContainText('Expired');
  await listen(window, 'Inspect, a token response');
  for (const tab of [/^Header/, 'Raw JSON']) {
    await window.getByRole('tab', { name: tab }).click();
    await listen(window, `Inspect, ${String(tab)}`);
  }
  await window.getByRole('button', { name: 'Compare' }).click();
  await window.getByRole('textbox', { name: 'Token B' }).fill(JWT.replace('ey', 'eY'));
  await listen(window, 'Inspect, compare');
  await quit();
});

test('the caches of other programs and their accounts are read in the same way', async ({
  keyring,
  start,
}) => {
  programCaches(keyring.env);
  const { window, quit } = await start();
  await window.getByRole('button', { name: 'Find caches' }).click();
  await window.getByRole('heading', { name: /found on this computer$/ }).waitFor();
  await listen(window, 'caches found');
  await window.getByRole('button', { name: 'Open all 2' }).click();
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  await listen(window, 'accounts of a source');
  await window
    .getByRole('region', { name: 'Sources' })
    .getByRole('button', { name: /^GitHub CLI/ })
    .click();
  await window.getByRole('heading', { name: 'GitHub CLI', level: 1 }).waitFor();
  await listen(window, 'a source that names its users');
  await window.getByRole('button', { name: /^Azure CLI/ }).click();
  await window.getByRole('heading', { name: 'Azure CLI', level: 1 }).waitFor();
  await listen(window, 'a source with accounts');
  await window.getByRole('button', { name: /^All accounts/ }).click();
  await expect(window.getByRole('region', { name: 'Named by programs' })).toContainText('ada-marsh');
  await listen(window, 'all accounts, with named users');
  await quit();
});

test('a locked keychain, a window that is locked and a damaged file are read in the same way', async ({
  keyring,
  start,
}) => {
  const file = vaultFile(keyring.env);
  mkdirSync(dirname(file), { recursive: true });
  await seed(keyring.env, file, vector('documents', 'msal-python-aad-several.json'));
  await keyring.lock();
  const locked = await start();
  await locked.window.getByRole('heading', { name: 'The keychain is locked' }).waitFor();
  await listen(locked.window, 'a locked keychain');
  await locked.quit();
  await keyring.unlock();

  const away = await start();
  await away.window.getByRole('button', { name: 'More' }).click();
  await away.window.getByRole('menuitem', { name: 'Settings' }).click();
  await away.window.getByRole('button', { name: 'When I am away' }).click();
  await expect(away.window.getByRole('button', { name: 'When I am away' })).toHaveAttribute(
    'aria-pressed',
    'true',
  );
  await away.app.evaluate(({ powerMonitor }) => void powerMonitor.emit('lock-screen'));
  await away.window.getByRole('heading', { name: 'Tokenkeep is locked' }).waitFor();
  await listen(away.window, 'locked', 1);
  await away.quit();

  const damaged = readFileSync(file);
  damaged.fill(0, 4224 + Math.floor((damaged.length - 4224) / 2), damaged.length - 400);
  writeFileSync(file, damaged);
  const last = await start();
  await expect(last.window.getByText(/accounts recovered/).first()).toBeVisible();
  await listen(last.window, 'a damaged file');
  await showPage(last.window, 'Security');
  await listen(last.window, 'Security of a damaged file');
  await last.quit();
});

test('an older file, a copy, a newer version and a wrong key are read in the same way', async ({
  keyring,
  start,
}) => {
  const { env } = keyring;
  const file = vaultFile(env);
  const several = vector('documents', 'msal-python-aad-several.json');
  mkdirSync(dirname(file), { recursive: true });
  await seed(env, file, several);
  const older = readFileSync(file);
  const first = await start();
  await importDocument(first, vector('documents', 'msal-node-7-adfs.json'));
  writeFileSync(`${file}-put`, older);
  renameSync(`${file}-put`, file);
  await first.window.getByText('An older file was put in place').first().waitFor();
  await listen(first.window, 'an older file');
  await showPage(first.window, 'Security');
  await listen(first.window, 'Security of an older file');
  await first.quit();

  renameSync(file, `${file}-original`);
  const other = join(dirname(file), 'other', 'accounts.vault');
  await seed(env, other, several);
  writeFileSync(file, readFileSync(other));
  const copied = await start();
  await copied.window.getByText('This vault is a copy').first().waitFor();
  await listen(copied.window, 'a copy');
  await copied.quit();

  renameSync(`${file}-original`, file);
  const own = readFileSync(file);
  writeFileSync(file, asNewer(own, await keyOf(env, file)));
  const newer = await start();
  await newer.window.getByRole('heading', { name: 'Written by a newer version' }).waitFor();
  await listen(newer.window, 'a newer version');
  await newer.quit();

  writeFileSync(file, own);
  await changeKey(env, file, 'another');
  const wrong = await start();
  await wrong.window.getByRole('heading', { name: 'The key doesn’t open this file' }).waitFor();
  await listen(wrong.window, 'a wrong key');
  await wrong.window.getByRole('button', { name: 'Start fresh…' }).click();
  await wrong.window.getByRole('alertdialog').waitFor();
  await listen(wrong.window, 'start fresh');
  await wrong.quit();
});

test('imports are read in the same way: the plan, a document that is none, and the passphrase of an export', async ({
  keyring,
  start,
}) => {
  const started = await start();
  const { app, window, quit } = started;
  await chooseToImport(started, vector('hostile', 'not-json.json'));
  await window.getByRole('alertdialog', { name: 'Import failed' }).waitFor();
  await listen(window, 'import failed', 1);
  await window.getByRole('button', { name: 'Close' }).click();
  await chooseToImport(started, vector('documents', 'msal-python-aad-several.json'));
  await window.getByRole('dialog', { name: 'Import this document?' }).waitFor();
  await listen(window, 'import', 2);
  await window.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();

  await showPage(window, 'Security');
  await window.getByRole('button', { name: 'Export…' }).click();
  await window.getByRole('button', { name: 'Generate' }).click();
  await listen(window, 'export', 6);
  const target = join(keyring.env['HOME']!, 'tokenkeep.age');
  await answerDialogs(app, { agree: true, target, file: target });
  await window.getByRole('button', { name: 'Choose location…' }).click();
  await window.getByRole('heading', { name: 'Exported' }).waitFor();
  await window.getByRole('button', { name: 'Done' }).click();
  await window.getByRole('main').getByRole('button', { name: 'Import…' }).click();
  await window.getByRole('heading', { name: 'Enter the passphrase of this file' }).waitFor();
  await listen(window, 'import of an export', 4);
  await window.getByRole('textbox', { name: 'Passphrase of the export' }).fill('something else');
  await window.getByRole('button', { name: 'Open', exact: true }).click();
  await window.getByText(/The passphrase does not open/).waitFor();
  await listen(window, 'a wrong passphrase', 4);
  await quit();
});

besideProvider(
  'a sign-in, and one that was refused, are read in the same way',
  async ({ start, provider }) => {
    const started = await start();
    const { window } = started;
    const { at, page } = await begin(started, provider);
    await listen(window, 'sign in');
    await window.getByRole('button', { name: 'Continue in your browser' }).click();
    const opened = await page();
    await listen(window, 'signing in', 1);
    await at.visit(opened, { user: 'noor', refuse: 'consent' });
    await expect(window.getByRole('alertdialog')).toContainText('refused');
    await listen(window, 'refused', 2);
    await started.quit();
  },
);

test('the first run and the dialog for a sign-in profile are read in the same way', async ({ start }) => {
  const { window, quit } = await start();
  await window.getByRole('button', { name: 'Find caches' }).waitFor();
  await listen(window, 'first run');
  await window.getByRole('button', { name: 'Sign in…' }).click();
  await window.getByRole('dialog').waitFor();
  await listen(window, 'add a sign-in profile');
  await quit();
});
