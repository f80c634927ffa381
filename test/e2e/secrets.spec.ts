/** Checks [Note: no secret in a window]: searches everything that the window holds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { answerDialogs, importDocument, showList, type Started, test, vector } from './app.ts';

const FILE = vector('documents', 'msal-node-7-kitchen-sink.json');

/**
 * Returns a unique part of each secret: the beginning of an opaque or refresh token, and the whole signature of a JWT. A heap snapshot
 * keeps the first 1,024 characters of a string.
 */
function secrets(): string[] {
  const document = JSON.parse(readFileSync(FILE, 'utf8')) as Record<
    string,
    Record<string, { secret?: string }>
  >;
  const all = Object.values(document).flatMap((section) =>
    Object.values(section).flatMap(({ secret }) => secret ?? []),
  );
  expect(all.length).toBeGreaterThan(20);
  return all.flatMap((secret) => [
    secret.slice(0, 200),
    secret.split('.').length === 3 ? secret.split('.')[2]! : secret,
  ]);
}

/** Returns everything that the page's JavaScript holds. */
async function heapOf(window: Page): Promise<string> {
  const devtools = await window.context().newCDPSession(window);
  const chunks: string[] = [];
  devtools.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => void chunks.push(chunk));
  await devtools.send('HeapProfiler.collectGarbage');
  await devtools.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  await devtools.detach();
  return chunks.join('');
}

test('no secret is in the window until it was revealed', async ({ start }) => {
  const started = await start();
  const { app, window, output, quit } = started;
  await importDocument(started, FILE);
  await showList(window);
  const asked = await answerDialogs(app, { agree: true });
  for (const account of await window.getByRole('option').all()) {
    await account.click();
    await expect(account).toHaveAttribute('aria-selected', 'true');
    const count = await window.getByRole('tab', { name: /^Tokens/ }).textContent();
    const rows = window.getByRole('grid').getByRole('row');
    await expect(rows).toHaveCount(Number(count?.replace('Tokens', '')) + 1); // including the row of headings
    for (const row of (await rows.all()).slice(1)) await row.click();
  }
  const wanted = secrets();
  const heap = await heapOf(window);
  const page = await window.content();
  expect(heap).toContain('avery.howard@contoso.example'); // proves that it is this page's heap
  for (const secret of wanted) {
    expect(heap).not.toContain(secret);
    expect(page).not.toContain(secret);
  }
  expect(await asked()).toEqual([]);

  await window.getByRole('button', { name: 'Reveal…' }).click();
  const shown = await window.getByRole('textbox', { name: /^Secret of/ }).inputValue();
  expect(wanted).toContain(shown.slice(0, 200));
  expect(await asked()).toHaveLength(1);
  expect(await heapOf(window)).toContain(shown.slice(0, 200)); // so the search above would have found a secret

  await window.getByRole('button', { name: 'Hide' }).click();
  await expect(window.getByRole('textbox', { name: /^Secret of/ })).toHaveCount(0);
  expect(await window.content()).not.toContain(shown);
  expect(output.join('')).not.toContain(shown.slice(0, 200));
  await quit();
});

test('a reveal or a copy that the user refuses gives nothing', async ({ start }) => {
  const { app, window, quit } = await start(['--demo']);
  const asked = await answerDialogs(app, { agree: false });
  await app.evaluate(({ clipboard }) => clipboard.writeText('the user’s own'));
  await window.getByRole('button', { name: 'Reveal…' }).click();
  await expect.poll(async () => (await asked()).length).toBe(1);
  // After a No, main does not ask again for a while, and says so.
  const close = window.getByRole('alertdialog').getByRole('button', { name: 'Close' });
  await expect(async () => {
    await window.getByRole('button', { name: 'Copy…' }).click();
    const said = async () => ((await close.isVisible()) ? 'too early' : (await asked()).length);
    await expect.poll(said).not.toBe(1);
    if (await close.isVisible()) await close.click();
    expect(await asked()).toHaveLength(2);
  }).toPass();
  await expect(window.getByRole('textbox', { name: /^Secret of/ })).toHaveCount(0);
  expect(await app.evaluate(({ clipboard }) => clipboard.readText())).toBe('the user’s own');
  expect(JSON.parse((await asked())[0]!)).toMatchObject({
    defaultId: 1,
    cancelId: 1,
    buttons: ['Show', 'Cancel'],
  });
  await quit();
});

/**
 * Holds back timers of half a minute that the main process sets from now on, and returns a function that fires them. Only an inspector can
 * inject this, and a release lets nobody attach one.
 */
async function holdHalfMinutes({ app }: Started): Promise<() => Promise<void>> {
  await app.evaluate(() => {
    const held: (() => void)[] = [];
    const systemsOwn = globalThis.setTimeout;
    const setTimeout = (work: () => void, after?: number, ...args: unknown[]) => {
      if (after !== 30_000) return systemsOwn(work, after, ...args);
      held.push(work);
      return undefined;
    };
    Object.assign(globalThis, { setTimeout, heldTimers: held });
  });
  return () =>
    app.evaluate(() => {
      const { heldTimers } = globalThis as unknown as { heldTimers: (() => void)[] };
      for (const fallDue of heldTimers.splice(0)) fallDue();
    });
}

test('a copied token leaves the clipboard after 30 seconds, with the screen and with the app; nothing else does', async ({
  keyring,
  start,
}) => {
  const started = await start(['--demo']);
  const { app, window, quit } = started;
  const halfAMinutePasses = await holdHalfMinutes(started);
  await answerDialogs(app, { agree: true });
  const copy = () => window.getByRole('button', { name: 'Copy…' }).click();
  const read = () => app.evaluate(({ clipboard }) => clipboard.readText());
  const left = window.getByRole('status').filter({ hasText: 'The token was cleared from the clipboard.' });

  await copy();
  await expect.poll(read).toMatch(/^eyJ/);
  await expect(window.getByText(/Token copied\. Cleared from the clipboard in/)).toBeVisible();
  await halfAMinutePasses();
  await expect.poll(read).toBe('');
  await expect(left).toBeVisible();
  await expect(window.getByText(/Token copied/)).toHaveCount(0);

  const lockScreen = () => app.evaluate(({ powerMonitor }) => void powerMonitor.emit('lock-screen'));
  await copy();
  await expect.poll(read).toMatch(/^eyJ/);
  await lockScreen();
  await expect.poll(read).toBe('');

  await copy();
  await expect.poll(read).toMatch(/^eyJ/);
  await app.evaluate(({ clipboard }) => clipboard.writeText('the user’s own'));
  await halfAMinutePasses();
  await lockScreen();
  expect(await read()).toBe('the user’s own');

  await copy();
  await expect.poll(read).toMatch(/^eyJ/);
  const file = join(keyring.env['HOME'] ?? '', 'on-the-clipboard.json');
  await app.evaluate(({ app: electron, clipboard }, target) => {
    electron.on('will-quit', (event) => {
      if (event.defaultPrevented) return; // the app still has something to end
      event.preventDefault();
      void Promise.resolve(clipboard.readText()).then((text) => {
        process.getBuiltinModule('node:fs').writeFileSync(target, JSON.stringify(text));
        electron.exit(0);
      });
    });
  }, file);
  await quit();
  expect(JSON.parse(readFileSync(file, 'utf8'))).toBe('');
});
