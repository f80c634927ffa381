/**
 * The real app in the real Electron, each with a home, a profile and a keyring of its own. Chromium's sandbox is on;
 * dialogs of the system, which no test can click, are answered in the main process.
 *
 * In a packaged app, a test can reach only the window, see [Note: a packaged app lets nobody into its main process] in packaged.ts. Tests
 * that need no more are tagged @packaged: when the packaged app is tested, they run there alone.
 */

import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  _electron,
  expect,
  test as base,
  type ElectronApplication,
  type Locator,
  type Page,
} from '@playwright/test';
import { findElectron } from '../../scripts/electron-path.mjs';
import { startDisplay } from '../../scripts/session/display.mjs';
import { HELD } from '../support/driven.ts';
import { type Keyring, type Place, startKeyring } from '../support/keyring.ts';
import { drawn, exitCode, isPackaged, type Started, startPackaged } from './packaged.ts';

export { type Started } from './packaged.ts';

const MAIN = fileURLToPath(new URL('../../out/main.cjs', import.meta.url));

/** The app under test: that of this clone, or a packaged executable. */
export interface Packaged {
  packagedApp: string;
  /** Its inspector fuse was reset, so that it can be driven like the app of the clone. */
  inspectable: boolean;
}

export const test = base.extend<
  { keyring: Keyring & Place; start: Start; demo: Started },
  { display: string; sharedDemo: Started } & Packaged
>({
  // Concurrent tests would share one clipboard and one focus, so each worker has a screen of its own.
  display: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads which fixtures are used from the pattern.
    async ({}, use) => {
      if (process.platform !== 'linux') return use('the only one');
      const directory = await mkdtemp('/tmp/tokenkeep-');
      const { DISPLAY, XAUTHORITY, end } = await startDisplay(directory, process.env);
      Object.assign(process.env, { DISPLAY, XAUTHORITY });
      await use(DISPLAY);
      await end();
      await rm(directory, { recursive: true, force: true });
    },
    { scope: 'worker', auto: true },
  ],
  packagedApp: ['', { option: true, scope: 'worker' }],
  inspectable: [false, { option: true, scope: 'worker' }],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads which fixtures are used from the pattern.
  keyring: async ({}, use) => {
    const keyring = await startKeyring();
    await use(keyring);
    await keyring.close();
  },
  start: async ({ keyring, packagedApp, inspectable }, use, { errors }) => {
    const running: ChildProcess[] = [];
    const windows: Page[] = [];
    await use(async (args = [], env = keyring.env, through = packagedApp) => {
      const started = await startApp({ packagedApp, inspectable }, running, args, env, through);
      windows.push(started.window);
      return started;
    });
    if (errors.length > 0) for (const window of windows) console.log(await shownBy(window));
    // A test that failed in the middle leaves its app behind, maybe with a dialog open.
    for (const process of running) process.kill('SIGKILL');
  },
  sharedDemo: [
    async ({ display: _display, packagedApp, inspectable }, use) => {
      const running: ChildProcess[] = [];
      const keyring = await startKeyring();
      const started = await startApp(
        { packagedApp, inspectable },
        running,
        ['--demo'],
        keyring.env,
        packagedApp,
      );
      await demoAccounts(started.window);
      await use(started);
      for (const process of running) process.kill('SIGKILL');
      await keyring.close();
    },
    { scope: 'worker' },
  ],
  // The app with sample data, for tests that change nothing but the page. They share one, and are told apart by its end: each has to leave
  // it as it was. After a failed test, Playwright starts another worker, and so another app.
  demo: async ({ sharedDemo }, use, { errors }) => {
    const { window } = sharedDemo;
    await use(sharedDemo);
    if (errors.length > 0) console.log(await shownBy(window));
    await window.goto('app://tokenkeep/');
    await demoAccounts(window);
  },
});

/** Waits for the sample data, and expects it to be complete. */
async function demoAccounts(window: Page): Promise<void> {
  await expect(window.getByRole('listbox', { name: 'Accounts' }).getByRole('option')).toHaveCount(5);
}

async function startApp(
  { packagedApp, inspectable }: Packaged,
  running: ChildProcess[],
  args: readonly string[],
  env: Env,
  through: string,
): Promise<Started> {
  if (packagedApp !== '' && !inspectable) {
    const { child, started } = await startPackaged(through, env, args);
    running.push(child);
    return started;
  }
  const program = packagedApp === '' ? clone() : { executable: packagedApp, first: [] };
  const app = await launch(program, env, args);
  running.push(app.process());
  return watch(app, program, env);
}

/**
 * Starts the app and waits for its window. `env` is that of a keyring, see test/support/keyring.ts; `through` is a program that starts
 * the packaged app and becomes it.
 */
export type Start = (
  args?: readonly string[],
  env?: Record<string, string>,
  through?: string,
) => Promise<Started>;

/** Returns the text of a window, for the output of a failed test. */
async function shownBy(window: Page): Promise<string> {
  if (window.isClosed()) return 'The window is closed.';
  const page = window.locator('body').ariaSnapshot({ timeout: 5000 });
  return page.then(
    (text) => `The window shows:\n${text}`,
    (error: unknown) => `The window does not answer: ${String(error)}`,
  );
}

interface Program {
  executable: string;
  /** The arguments before the app's own. */
  first: readonly string[];
}

function clone(): Program {
  const electron = findElectron();
  if (electron === undefined) throw new Error('There is no Electron: run `npm test`, which installs it.');
  return { executable: electron.executable, first: [MAIN] };
}

async function watch(app: ElectronApplication, program: Program, env: Env): Promise<Started> {
  holdAnswers(app);
  const output: string[] = [];
  for (const stream of [app.process().stdout, app.process().stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => output.push(text));
  }
  const window = await app.firstWindow();
  await drawn(window);
  window.on('console', (message) => output.push(`[${message.type()}] ${message.text()}`));
  const startAgain = (args: readonly string[]): Promise<number | null> =>
    exitCode(program.executable, [...program.first, ...args], env);
  return { app, window, output, quit: () => app.close(), startAgain };
}

function launch(program: Program, env: Env, args: readonly string[]): Promise<ElectronApplication> {
  return _electron.launch({
    executablePath: program.executable,
    // A packaged app does not accept such a switch.
    args: [...(program.first.length > 0 ? HELD : []), ...program.first, ...args],
    env,
    chromiumSandbox: true,
    timeout: 90_000,
  });
}

type Env = Record<string, string>;

/** Returns the folder in which the app keeps its files under that home. */
export const profileFolder = (env: Record<string, string>): string =>
  join(env['HOME'] ?? '', '.config', 'Tokenkeep');
export const vaultFile = (env: Record<string, string>): string => join(profileFolder(env), 'accounts.vault');

export interface Answers {
  /** The answer to a system dialog with a question: the first button, or Cancel. null: the dialog is shown, and waits. */
  agree: boolean | null;
  /** The result of the file dialog; null if it is dismissed. */
  file?: string | null;
  /** The result of the save dialog; null if it is dismissed. */
  target?: string | null;
}

/**
 * Has the scripts that tests run in main run once more when V8 loses their answer: its inspector doesn't hold the promise that it waits for,
 * so a garbage collection at that moment loses the answer, not what the script did. A script may thus run twice.
 */
function holdAnswers(app: ElectronApplication): void {
  const evaluate = app.evaluate.bind(app) as (...words: unknown[]) => Promise<unknown>;
  const again = (...words: unknown[]): Promise<unknown> =>
    evaluate(...words).catch((error: unknown) => {
      if (!String(error).includes('promise was garbage collected')) throw error;
      return evaluate(...words);
    });
  Object.assign(app, { evaluate: again });
}

/** Sets the answers of the system's dialogs from now on. The returned function gives the questions asked so far. */
export async function answerDialogs(
  app: ElectronApplication,
  { agree, file = null, target = null }: Answers,
): Promise<() => Promise<string[]>> {
  await app.evaluate(
    ({ dialog }, answers) => {
      const asked: string[] = [];
      const kept = globalThis as { systemsOwn?: (...args: unknown[]) => unknown };
      const systemsOwn = (kept.systemsOwn ??= Reflect.get(dialog, 'showMessageBox') as (
        ...args: unknown[]
      ) => unknown);
      Object.assign(globalThis, { askedByDialogs: asked, filesAsked: 0 });
      const askFile = () => void (globalThis as unknown as { filesAsked: number }).filesAsked++;
      Object.assign(dialog, {
        showMessageBox: (...args: unknown[]) => {
          asked.push(JSON.stringify(args.at(-1)));
          if (answers.agree === null) return systemsOwn(...args);
          return Promise.resolve({ response: answers.agree ? 0 : 1, checkboxChecked: false });
        },
        showOpenDialog: () => {
          askFile();
          return Promise.resolve({
            canceled: answers.file === null,
            filePaths: answers.file === null ? [] : [answers.file],
          });
        },
        showSaveDialog: () => {
          askFile();
          return Promise.resolve({ canceled: answers.target === null, filePath: answers.target ?? '' });
        },
      });
    },
    { agree, file, target },
  );
  return () => app.evaluate(() => (globalThis as unknown as { askedByDialogs: string[] }).askedByDialogs);
}

/** Waits until a file dialog has been answered since `answerDialogs`. The next answers would otherwise be those of that dialog. */
export async function fileDialogAnswered(app: ElectronApplication): Promise<void> {
  const asked = () => app.evaluate(() => (globalThis as unknown as { filesAsked: number }).filesAsked);
  await expect.poll(asked).toBeGreaterThan(0);
}

/**
 * Imports a file with the Import button, as if it had been chosen in the system's dialog; in a packaged app, with a second start, since the
 * dialog can't be answered there.
 */
export async function chooseToImport(started: Started, file: string): Promise<void> {
  const { window } = started;
  if (isPackaged(started)) {
    await started.startAgain(['--import', file]);
    return;
  }
  await answerDialogs(started.app, { agree: true, file });
  await window.getByRole('button', { name: /^Import( a cache document)?…$/ }).click();
}

/** All accounts: the list, or the table that is shown first for six or more users. */
export const accountsOf = (window: Page): Locator =>
  window.getByRole('listbox', { name: 'Accounts' }).or(window.getByRole('grid', { name: 'Accounts' }));

/** Opens the first account if the table of all accounts is shown. */
export async function showList(window: Page): Promise<void> {
  const table = window.getByRole('grid', { name: 'Accounts' });
  await accountsOf(window).waitFor();
  if (!(await table.isVisible())) return;
  await table.focus();
  await table.press('Enter');
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
}

/** Imports a document and waits until its accounts are there. */
export async function importDocument(started: Started, file: string): Promise<void> {
  await chooseToImport(started, file);
  const { window } = started;
  await window.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();
  await window.getByRole('dialog').waitFor({ state: 'detached' });
  await accountsOf(window).waitFor();
}

/** Waits until the question about a sign-out says what is removed and what the providers support: checkboxes come, and its buttons move. */
export async function providersAsked(question: Locator): Promise<void> {
  await question.waitFor();
  await expect(question.getByText(/^(?:Counting|Checking what the provider supports)…$/)).toHaveCount(0);
}

/** Opens a page of the window. */
export async function showPage(window: Page, name: string): Promise<void> {
  await window.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name }).click();
  await window.getByRole('heading', { name, level: 1 }).waitFor();
}

/** Writes a cache of Azure CLI, and a file of GitHub CLI that names a user, to the places of these programs. */
export function programCaches(env: Record<string, string>): void {
  const files = {
    '.azure/msal_token_cache.json': readFileSync(vector('documents', 'msal-python-aad-single.json')),
    '.config/gh/hosts.yml': 'github.com:\n    user: ada-marsh\n    oauth_token: gho_made-up\n',
  };
  for (const [file, content] of Object.entries(files)) {
    const path = join(env['HOME'] ?? '', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

/** A document of test/vectors. */
export const vector = (kind: 'documents' | 'hostile', file: string): string =>
  fileURLToPath(new URL(`../vectors/${kind}/${file}`, import.meta.url));
