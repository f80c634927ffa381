/**
 * [Note: a packaged app lets nobody into its main process] Playwright drives Electron through Node's inspector, which a fuse has turned
 * off. What remains is Chromium's own switch for the window, --remote-debugging-port: a test sees only what a page sees, and the program is
 * exactly the shipped one. It ends by SIGTERM, which Electron treats as Quit.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chromium, type ElectronApplication, expect, type Page } from '@playwright/test';
import { SOFTWARE_DRAWN } from '../support/driven.ts';

/** A started app, of the clone or packaged. */
export interface Started {
  /** The main process; throws if the app is packaged. */
  readonly app: ElectronApplication;
  window: Page;
  /** The output of the app in its terminal, and of the page in its console. */
  output: string[];
  /** Quits as a user does, and waits for the end. */
  quit: () => Promise<void>;
  /** Starts the program a second time, which passes its arguments to the first. Returns its exit code. */
  startAgain: (args: readonly string[]) => Promise<number | null>;
}

const PACKAGED = Symbol('packaged');

export const isPackaged = (started: Started): boolean => PACKAGED in started;

export async function startPackaged(
  executable: string,
  env: Record<string, string>,
  args: readonly string[],
): Promise<{ child: ChildProcess; started: Started }> {
  const child = spawn(executable, ['--remote-debugging-port=0', SOFTWARE_DRAWN, ...args], { env });
  const output: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => output.push(text));
  const address = await debuggerOf(child, output);
  const { window } = await attach(address);
  window.on('console', (message) => output.push(`[${message.type()}] ${message.text()}`));
  const started = {
    [PACKAGED]: true,
    get app(): ElectronApplication {
      throw new Error('A packaged app lets nobody into its main process: this test is none for it.');
    },
    window,
    output,
    quit: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
    startAgain: (next: readonly string[]) => exitCode(executable, next, env),
  };
  return { child, started };
}

/** Connects to the window of a packaged app at the address where its Chromium listens. `end` ends the app. */
export async function attach(address: string): Promise<{ window: Page; end: () => Promise<void> }> {
  // Playwright drops a window that has not loaded anything yet, and doesn't return to it.
  await expect.poll(() => pagesAt(address), { timeout: 30_000 }).toContainEqual(expect.stringMatching(/./));
  const browser = await chromium.connectOverCDP(address);
  const context = browser.contexts()[0];
  if (context === undefined) throw new Error('Chromium has no context to look into.');
  const window = context.pages()[0] ?? (await context.waitForEvent('page'));
  await drawn(window);
  const end = async (): Promise<void> => {
    const session = await browser.newBrowserCDPSession();
    const gone = new Promise((resolve) => browser.once('disconnected', resolve));
    await session.send('Browser.close').catch(() => undefined); // The app may have ended before it answers.
    await gone;
  };
  return { window, end };
}

/** Waits until the page is loaded: a window is announced before its document has a body. */
export const drawn = (window: Page): Promise<void> =>
  window.locator('body *').first().waitFor({ state: 'attached' });

/** Returns the addresses of Chromium's pages. */
async function pagesAt(address: string): Promise<string[]> {
  const answer = await fetch(`http://${new URL(address).host}/json/list`);
  const targets = (await answer.json()) as { type: string; url: string }[];
  return targets.filter(({ type, url }) => type === 'page' && url !== 'about:blank').map(({ url }) => url);
}

/** Returns the address at which Chromium says that it listens. */
async function debuggerOf(child: ChildProcess, output: readonly string[]): Promise<string> {
  for (;;) {
    const address = /DevTools listening on (ws:\S+)/.exec(output.join(''))?.[1];
    if (address !== undefined) return address;
    const end = child.exitCode ?? child.signalCode;
    if (end !== null) throw new Error(`It ended with ${end}: ${output.join('')}`);
    await Promise.race([once(child.stderr!, 'data'), once(child, 'exit')]);
  }
}

/** Runs a program and returns its exit code. */
export async function exitCode(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<number | null> {
  const [code] = (await once(spawn(program, args, { env, stdio: 'ignore' }), 'exit')) as [number | null];
  return code;
}
