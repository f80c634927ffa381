/** [Note: no secret in a window], looked for in all that the window holds. */
import { readFileSync } from 'node:fs';
import { expect, type Page } from '@playwright/test';
import { answerDialogs, importDocument, test, vector } from './app.ts';

const FILE = vector('documents', 'msal-node-7-kitchen-sink.json');

/**
 * A part of each secret that nothing else has: its beginning for what is opaque or a refresh token, and the whole of
 * a JWT's signature. A heap snapshot keeps the first 1,024 characters of a text.
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

/** Everything that the page's JavaScript holds. */
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
  const asked = await answerDialogs(app, { agree: true });
  for (const account of await window.getByRole('option').all()) {
    await account.click();
    await expect(account).toHaveAttribute('aria-selected', 'true');
    const count = await window.getByRole('tab', { name: /^Tokens/ }).textContent();
    const rows = window.getByRole('grid').getByRole('row');
    await expect(rows).toHaveCount(Number(count?.replace('Tokens', '')) + 1); // and the row of headings
    for (const row of (await rows.all()).slice(1)) await row.click();
  }
  const wanted = secrets();
  const heap = await heapOf(window);
  const page = await window.content();
  expect(heap).toContain('avery.howard@contoso.example'); // it is this page's heap
  for (const secret of wanted) {
    expect(heap).not.toContain(secret);
    expect(page).not.toContain(secret);
  }
  expect(await asked()).toEqual([]);

  await window.getByRole('button', { name: 'Reveal…' }).click();
  const shown = await window.getByRole('textbox', { name: /^Secret of/ }).inputValue();
  expect(wanted).toContain(shown.slice(0, 200));
  expect(await asked()).toHaveLength(1);
  expect(await heapOf(window)).toContain(shown.slice(0, 200)); // so the search above would have found one

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
  await window.getByRole('button', { name: 'Copy…' }).click();
  await expect.poll(async () => (await asked()).length).toBe(2);
  await expect(window.getByRole('textbox', { name: /^Secret of/ })).toHaveCount(0);
  expect(await app.evaluate(({ clipboard }) => clipboard.readText())).toBe('the user’s own');
  expect(JSON.parse((await asked())[0]!)).toMatchObject({
    defaultId: 1,
    cancelId: 1,
    buttons: ['Show', 'Cancel'],
  });
  await quit();
});

test('a copied token leaves the clipboard when the app ends, and nothing else does', async ({ start }) => {
  const { app, window, quit } = await start(['--demo']);
  await answerDialogs(app, { agree: true });
  await window.getByRole('button', { name: 'Copy…' }).click();
  const read = () => app.evaluate(({ clipboard }) => clipboard.readText());
  await expect.poll(read).toMatch(/^eyJ/);
  // The screen is locked.
  await app.evaluate(({ powerMonitor }) => void powerMonitor.emit('lock-screen'));
  await expect.poll(read).toBe('');
  await expect(window.getByText(/left the clipboard|clipboard.*cleared/i).first()).toBeVisible();
  await window.getByRole('button', { name: 'Copy…' }).click();
  await expect.poll(read).toMatch(/^eyJ/);
  await app.evaluate(({ clipboard }) => clipboard.writeText('the user’s own'));
  await app.evaluate(({ powerMonitor }) => void powerMonitor.emit('lock-screen'));
  expect(await read()).toBe('the user’s own');
  await quit();
});
