/** A hostile page in the window, in a frame, and one that imitates the app's page: none of them gets anything over IPC. */
import { expect } from '@playwright/test';
import { type Started, test } from '../e2e/app.ts';

/** Everything that the bridges offer, asked without arguments; what comes back when all is refused or not there. */
const ASK = `(async () => {
  const answers = [];
  for (const name of ['tokenCache', 'app'])
    for (const [request, ask] of Object.entries(window[name] ?? {}))
      if (request !== 'on' && request !== 'planImport') // takes a dropped file, and there is none
        answers.push(await ask('x', 'x').then(({ ok, error }) => ok ? request : error.code));
  return [...new Set(answers)];
})()`;

async function openDemo(start: (args: string[]) => Promise<Started>): Promise<Started> {
  const started = await start(['--demo']);
  await started.window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  return started;
}

test('a page from elsewhere does not load, and whatever stands in its place is refused', async ({ demo }) => {
  const { window } = demo;
  expect(await window.evaluate('window.tokenCache.accounts().then(({ ok }) => ok)')).toBe(true);
  // Not by itself, which is refused already, but driven by a debugger: the worst that could come.
  for (const url of ['http://127.0.0.1:1/', 'https://example.org/', 'file:///etc/passwd']) {
    await expect(window.goto(url), url).rejects.toThrow(/ERR_|interrupted|aborted/i);
    await expect.poll(() => window.evaluate('location.protocol').catch(() => '')).toBe('chrome-error:');
    // The preload script has run here too; the main process looks at where it was asked from.
    const answers = await window.evaluate<string[]>(ASK);
    expect(answers.filter((answer) => answer !== 'refused')).toEqual([]);
  }
});

test('another path of the same origin is not there', async ({ demo }) => {
  const { window } = demo;
  for (const path of ['main.cjs', '..%2fmain.cjs', '%2e%2e%2fpackage.json', 'index.html%00.png']) {
    const response = await window.goto(`app://tokenkeep/${path}`).catch(() => null);
    expect(response === null || response.status() === 404, path).toBe(true);
  }
});

test('no frame can be made in the page, so none has a bridge or borrows its parent’s', async ({ demo }) => {
  const { window } = demo;
  const made = await window.evaluate(() =>
    ['iframe', 'IFRAME', 'frame', 'object', 'embed'].map((name) => {
      try {
        const frame = document.createElement(name);
        document.body.append(frame);
        return frame.tagName;
      } catch (error) {
        return (error as Error).name;
      }
    }),
  );
  expect(made).toEqual(Array.from({ length: 5 }, () => 'NotSupportedError'));
  expect(await window.evaluate(() => window.frames.length)).toBe(0);
});

test('what does not come from the bridge is heard by no one', async ({ start }) => {
  const { window, output, quit } = await openDemo(start);
  // Messages in the shapes that Electron's own IPC has had over the years, and arguments of every kind.
  await window.evaluate(() => {
    for (const channel of ['token-cache', 'tokenCache:accounts', 'ELECTRON_BROWSER_REQUIRE', 'ipc-message'])
      globalThis.postMessage({ channel, type: channel, args: ['accounts'], id: 1 }, '*');
  });
  const answers = await window.evaluate<string[]>(`(async () => {
    const odd = [undefined, null, -1, NaN, {}, [], 'x'.repeat(1e6), { __proto__: { length: 1 } }, new Date(), 1n];
    const answers = [];
    for (const value of odd)
      for (const request of ['tokens', 'claims', 'reveal', 'copy', 'removalCount', 'app.signOut', 'app.refreshNow'])
        answers.push(await (request.startsWith('app.') ? window.app[request.slice(4)] : window.tokenCache[request])(value, value).then(({ ok, error }) => ok ? 'answered ' + request : error.code, (error) => error.name));
    return [...new Set(answers)].sort();
  })()`);
  expect(answers.filter((answer) => answer.startsWith('answered'))).toEqual([]);
  expect(answers).toContain('invalid_argument');
  await expect(window.getByRole('listbox', { name: 'Accounts' })).toBeVisible();
  await quit();
  expect(output.join('')).not.toMatch(/unexpected/i);
});
