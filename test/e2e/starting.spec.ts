import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, expect } from '@playwright/test';
import { findElectron } from '../../scripts/electron-path.mjs';
import { RESTART_TO_FINISH } from '../../src-main/errors.ts';
import { HELD } from '../support/driven.ts';
import { removePatiently } from '../support/remove.ts';
import { profileFolder, type Started, test, vector } from './app.ts';

const MAIN = fileURLToPath(new URL('../../out/main.cjs', import.meta.url));
const DOCUMENT = vector('documents', 'msal-node-7-adfs.json');

test('a second start brings the first window to the front and hands over its document (failure 13)', async ({
  start,
}) => {
  const { app, window, quit, startAgain } = await start();
  await window.getByRole('button', { name: 'Import a cache document…' }).waitFor();
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.minimize());
  expect(await startAgain(['--import', DOCUMENT])).toBe(0);
  await expect(window.getByRole('dialog')).toContainText('msal-node-7-adfs.json');
  const windows = () =>
    app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((each) => [each.isVisible(), each.isMinimized()]),
    );
  await expect.poll(windows).toEqual([[true, false]]);
  await quit();
});

test('of a flood of second starts, the last document is shown, and invalid ones change nothing', async ({
  start,
}) => {
  const { app, window, quit } = await start();
  await window.getByRole('button', { name: 'Import a cache document…' }).waitFor();
  await app.evaluate(
    ({ app: electron }, { hostile, document }) => {
      const invalid = ['relative.json', `${document}\0.json`, `/${'x'.repeat(100_000)}`];
      const flood = [...Array.from({ length: 500 }, () => hostile), document, ...invalid];
      const asked = flood.map((importFile) => ({ importFile, demo: false, background: false }));
      // Once this call is answered, because passing on the arguments takes long.
      setTimeout(() => {
        for (const handedOver of [...asked, null])
          electron.emit('second-instance', {}, ['tokenkeep://import'], '', handedOver);
      }, 200);
    },
    { hostile: vector('hostile', 'half-written.json'), document: DOCUMENT },
  );
  await expect(window.getByRole('dialog')).toContainText('msal-node-7-adfs.json');
  await expect(window.getByRole('alertdialog')).toHaveCount(0);
  await quit();
});

test('a window that is closed while it loads takes no document with it', async ({ start }) => {
  const { app, window, quit } = await start();
  await window.getByRole('button', { name: 'Import a cache document…' }).waitFor();
  // Only an app in the menu bar lives on without a window.
  await window.evaluate(() =>
    (
      globalThis as unknown as { app: Record<'setMenuBar', (on: boolean) => Promise<unknown>> }
    ).app.setMenuBar(true),
  );
  const opened = app.waitForEvent('window');
  const wasLoading = await app.evaluate(async ({ app: electron, BrowserWindow }, importFile) => {
    const second = (): void =>
      void electron.emit('second-instance', {}, [], '', { importFile, demo: false, background: false });
    const [first] = BrowserWindow.getAllWindows();
    first!.webContents.reload();
    const isLoading = first!.webContents.isLoading();
    second();
    await Promise.resolve().then(() => undefined); // until the app has taken the document
    first!.destroy();
    setTimeout(second, 50); // once this call is answered
    return isLoading;
  }, DOCUMENT);
  expect(wasLoading).toBe(true);
  await expect((await opened).getByRole('dialog')).toContainText('msal-node-7-adfs.json');
  await quit();
});

test('nothing at the start loads Node’s loader of ES modules, or its code that removes folders', async ({
  start,
}) => {
  const { app, quit } = await start();
  const loaded = await app.evaluate(() => Reflect.get(process, 'moduleLoadList') as string[]);
  expect(loaded).toContain('NativeModule crypto');
  expect(loaded).not.toContain('NativeModule internal/modules/esm/translators');
  expect(loaded).not.toContain('NativeModule internal/fs/rimraf');
  await quit();
});

test('a document on the command line is shown before it is merged', { tag: '@packaged' }, async ({
  start,
}) => {
  const { window, quit } = await start(['--import', DOCUMENT]);
  const plan = window.getByRole('dialog');
  await expect(plan).toContainText('msal-node-7-adfs.json');
  await plan.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(window.getByRole('listbox', { name: 'Accounts' })).toContainText('lee.park');
  await quit();
});

test('one that is no document is said in the window', async ({ start }) => {
  const { window, quit } = await start(['--import', vector('hostile', 'half-written.json')]);
  await expect(window.getByRole('alertdialog')).toContainText('cut off while it was written');
  await quit();
});

test('an argument that makes no sense ends the start with a sentence and a code', async ({ keyring }) => {
  const child = spawn(findElectron()!.executable, [MAIN, '--import'], { env: keyring.env });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(1);
  expect(said.join('')).toContain('--import needs a file: --import FILE.');
});

test('a start that fails says so in the system’s dialog, ends with a code, and repeats no text of the error', async ({
  keyring,
}) => {
  const script = join(keyring.env['HOME'] ?? '', 'failing.cjs');
  // Before there is a window, and while the rest of the app is loaded behind it; each after two errors that nothing handles.
  for (const what of ['session.fromPartition', 'ipcMain.handle']) {
    writeFileSync(
      script,
      `const { BrowserWindow, dialog, ipcMain, session } = require('electron');
      dialog.showErrorBox = (title, text) => {
        const windows = BrowserWindow.getAllWindows().length;
        require('node:fs').writeSync(2, windows + ' windows. ' + title + ': ' + text + '\\n');
      };
      const fail = () => { throw new TypeError('with the-text-of-a-token in it'); };
      ${what} = fail;
      require(${JSON.stringify(MAIN)});
      setImmediate(fail);
      Promise.resolve().then(fail);`,
    );
    const child = spawn(findElectron()!.executable, [script], { env: keyring.env });
    const said: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(1);
    const text = said.join('');
    expect(text).toContain(
      '0 windows. Tokenkeep: Tokenkeep could not start. Your saved sign-ins are unchanged.',
    );
    expect(text).toContain(
      'windows. Tokenkeep: An unexpected error occurred. Your saved sign-ins are unchanged.',
    );
    expect(text.match(/Tokenkeep: unexpected TypeError\n\s+at .*failing\.cjs/g)).toHaveLength(3);
    expect(text).not.toContain('the-text-of-a-token');
  }
});

test('an app that something else updated starts again when the user says so, with its arguments', async ({
  keyring,
}) => {
  const folder = keyring.env['HOME'] ?? '';
  const [script, asar, starts] = [join(folder, 'app.cjs'), join(folder, 'app.asar'), join(folder, 'starts')];
  writeFileSync(asar, 'the running version');
  // The second start only says that it is one.
  writeFileSync(
    script,
    `const { appendFileSync, readFileSync } = require('node:fs');
    const lines = [JSON.stringify(process.argv.slice(1)), /^NoNewPrivs:\\s+(\\d)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]];
    appendFileSync(${JSON.stringify(starts)}, lines.join(' ') + '\\n');
    process.noAsar = true;
    Object.defineProperty(process, 'resourcesPath', { value: ${JSON.stringify(folder)} });
    if (readFileSync(${JSON.stringify(starts)}, 'utf8').trim().includes('\\n')) require('electron').app.exit(0);
    else require(${JSON.stringify(MAIN)});`,
  );
  const app = await _electron.launch({
    executablePath: findElectron()?.executable ?? '',
    args: [...HELD, script, '--demo'],
    env: keyring.env,
    chromiumSandbox: true,
  });
  const ended = once(app.process(), 'exit');
  const window = await app.firstWindow();
  await window.getByRole('heading', { level: 1 }).first().waitFor();
  writeFileSync(`${asar}.new`, 'another version');
  renameSync(`${asar}.new`, asar);
  await app.evaluate(({ app: electron }) => void electron.emit('browser-window-focus'));
  await expect(window.getByText(RESTART_TO_FINISH)).toBeVisible();
  await window.getByRole('button', { name: 'Restart', exact: true }).click();
  expect(await ended).toEqual([0, null]);
  const lines = (): string[] => readFileSync(starts, 'utf8').trim().split('\n');
  await expect.poll(lines).toHaveLength(2);
  const [first = '', second] = lines();
  expect(second).toBe(first); // the test's own switches included
  expect(first).toContain(JSON.stringify([script, '--demo']).slice(1));
  if (process.platform === 'linux') expect(first).toMatch(/ 0$/);
});

test('the window comes back where it was', async ({ start }) => {
  const bounds = ({ app }: Started) =>
    app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getNormalBounds());
  const first = await start();
  await first.app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.setBounds({ x: 60, y: 40, width: 1000, height: 700 }),
  );
  await expect.poll(() => bounds(first)).toMatchObject({ width: 1000, height: 700 });
  await first.quit();
  const second = await start();
  await expect.poll(() => bounds(second)).toMatchObject({ width: 1000, height: 700 });
  await second.quit();
});

for (const [what, plant] of [
  ['named pipes', (file: string) => void execFileSync('mkfifo', [file])],
  ['links to an endless device', (file: string) => symlinkSync('/dev/zero', file)],
  ['folders', (file: string) => mkdirSync(file)],
] as const) {
  test(`with ${what} where its files should be, the app starts, works, and ends`, async ({
    start,
    keyring,
  }) => {
    const folder = profileFolder(keyring.env);
    mkdirSync(folder, { recursive: true });
    const names = [
      'settings',
      'contacted-hosts',
      'sign-in-profiles',
      'allowed-issuers',
      'keep-fresh',
      'window',
    ];
    for (const name of names) for (const end of ['', '.new']) plant(join(folder, `${name}.json${end}`));
    plant(join(folder, 'keychain-asked.new'));
    const { window, quit } = await start(['--import', DOCUMENT]);
    await window.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click();
    await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
    for (const request of ['profiles()', 'settings()', "setTimes('utc')"]) {
      const answer = await window.evaluate<{ ok: boolean; error?: { code: string } }>(
        `window.app.${request}`,
      );
      expect(answer.ok ? 'ok' : answer.error?.code).toBe('path_invalid');
    }
    await quit();
  });
}

for (const [name, folder] of [
  ['missing', () => '/nonexistent/tmp'],
  ['unwritable', () => '/proc'],
] as const) {
  test(`with a TMPDIR that is ${name} the app starts all the same, and says that it has no lock`, async ({
    start,
    keyring,
  }) => {
    const { window, quit } = await start([], { ...keyring.env, TMPDIR: folder() });
    await expect(window.getByRole('heading', { level: 1 }).first()).toBeVisible();
    const info = await window.evaluate<{ value: { startedWithoutLock: boolean } }>('window.app.info()');
    expect(info.value.startedWithoutLock).toBe(true);
    await expect(window.getByText('No start lock')).toBeVisible();
    await quit();
  });
}

for (const [what, sizes] of [
  ['that is full', [65_536, 8_192, 4_096, 512]],
  ['without inodes', [0]],
] as const) {
  test(`with a disk ${what} the app starts all the same, with a window`, async ({
    start,
    keyring,
  }, testInfo) => {
    const mounted = process.env['TOKENKEEP_SMALL_DISKS'];
    test.skip(mounted === undefined, 'There is no small disk: this system lets nobody mount one.');
    const disk = join(mounted ?? '', `worker-${testInfo.parallelIndex}`, 'disk');
    const folder = join(disk, 'data');
    mkdirSync(folder, { recursive: true });
    let refusal: unknown;
    for (const size of sizes) {
      try {
        for (let number = 0; ; number++)
          writeFileSync(join(disk, `fill-${size}-${number}`), Buffer.alloc(size));
      } catch (error) {
        refusal = error;
      }
    }
    expect(refusal).toMatchObject({ code: 'ENOSPC' });
    try {
      const { window, quit } = await start([`--user-data-dir=${folder}`], keyring.env);
      await expect(window.getByRole('heading', { level: 1 }).first()).toBeVisible();
      await quit();
    } finally {
      for (const name of readdirSync(disk)) removePatiently(join(disk, name));
    }
  });
}
