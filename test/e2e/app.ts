/**
 * The real app in the real Electron, each with a home, a profile and a keyring of its own. Chromium's sandbox is on;
 * dialogs of the system, which no test can click, are answered in the main process.
 */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test as base, _electron, type ElectronApplication, type Page } from '@playwright/test';
import { findElectron } from '../../scripts/electron-path.mjs';
import { type Keyring, type Place, startKeyring } from '../support/keyring.ts';

const MAIN = fileURLToPath(new URL('../../out/main.cjs', import.meta.url));

export interface Started {
  app: ElectronApplication;
  window: Page;
  /** What the app wrote to its terminal, and the page to its console. */
  output: string[];
  /** Quits as a user does, and waits for the end. */
  quit: () => Promise<void>;
}

export const test = base.extend<{ keyring: Keyring & Place; start: Start }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads which fixtures are used from the pattern.
  keyring: async ({}, use) => {
    const keyring = await startKeyring();
    await use(keyring);
    await keyring.close();
  },
  start: async ({ keyring }, use) => {
    const running: ChildProcess[] = [];
    await use(async (args = [], env = keyring.env) => {
      const app = await launch(env, args);
      running.push(app.process());
      return watch(app);
    });
    // A test that failed in the middle leaves its app behind, maybe with a dialog open.
    for (const process of running) process.kill('SIGKILL');
  },
});

/** Starts the app and waits for its window. `env` is that of a keyring, see test/support/keyring.ts. */
export type Start = (args?: readonly string[], env?: Record<string, string>) => Promise<Started>;

async function watch(app: ElectronApplication): Promise<Started> {
  const output: string[] = [];
  for (const stream of [app.process().stdout, app.process().stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => output.push(text));
  }
  const window = await app.firstWindow();
  window.on('console', (message) => output.push(`[${message.type()}] ${message.text()}`));
  return { app, window, output, quit: () => app.close() };
}

function launch(env: Record<string, string>, args: readonly string[]): Promise<ElectronApplication> {
  const electron = findElectron();
  if (electron === undefined) throw new Error('There is no Electron: run `npm test`, which installs it.');
  return _electron.launch({
    executablePath: electron.executable,
    args: [MAIN, ...args],
    env,
    chromiumSandbox: true,
    timeout: 30_000,
  });
}

/** Where the app keeps its files under that home. */
export const profileFolder = (env: Record<string, string>): string =>
  join(env['HOME'] ?? '', '.config', 'Tokenkeep');
export const vaultFile = (env: Record<string, string>): string => join(profileFolder(env), 'accounts.vault');

export interface Answers {
  /** What a dialog of the system that asks is answered with: the first button, or Cancel. */
  agree: boolean;
  /** What the file dialog gives; null where it is dismissed. */
  file?: string | null;
}

/** From now on the system's dialogs answer so; gives what they asked, as it is asked. */
export async function answerDialogs(
  app: ElectronApplication,
  { agree, file = null }: Answers,
): Promise<() => Promise<string[]>> {
  await app.evaluate(
    ({ dialog }, answers) => {
      const asked: string[] = [];
      Object.assign(globalThis, { askedByDialogs: asked });
      Object.assign(dialog, {
        showMessageBox: (...args: unknown[]) => {
          asked.push(JSON.stringify(args.at(-1)));
          return Promise.resolve({ response: answers.agree ? 0 : 1, checkboxChecked: false });
        },
        showOpenDialog: () =>
          Promise.resolve({
            canceled: answers.file === null,
            filePaths: answers.file === null ? [] : [answers.file],
          }),
      });
    },
    { agree, file },
  );
  return () => app.evaluate(() => (globalThis as unknown as { askedByDialogs: string[] }).askedByDialogs);
}

/** Chooses a file by the Import button, as if it had been picked in the system's dialog. */
export async function chooseToImport({ app, window }: Started, file: string): Promise<void> {
  await answerDialogs(app, { agree: true, file });
  await window.getByRole('button', { name: /^Import( a cache document)?…$/ }).click();
}

/** Imports a document and waits until its accounts are there. */
export async function importDocument(started: Started, file: string): Promise<void> {
  await chooseToImport(started, file);
  const { window } = started;
  await window.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();
  await window.getByRole('dialog').waitFor({ state: 'detached' });
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
}

/** A document of test/vectors. */
export const vector = (kind: 'documents' | 'hostile', file: string): string =>
  fileURLToPath(new URL(`../vectors/${kind}/${file}`, import.meta.url));
