/**
 * Electron's security checklist (docs/security-checklist.md), each of its 20 items against the running packaged app. What
 * can be asked from within is asked in test/e2e/security.spec.ts too, of the app of this clone.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { expect } from '@playwright/test';
import { type Started, test } from '../e2e/app.ts';
import { processesOf } from './processes.ts';

const inPage = <T>({ window }: Started, script: string): Promise<T> => window.evaluate<T>(script);
const outcome = (started: Started, script: string): Promise<string> =>
  inPage(
    started,
    `(async () => { try { await (${script}); return 'allowed'; } catch (error) { return error.name; } })()`,
  );

test('item by item', async ({ packagedApp, keyring, start }) => {
  test.skip(process.platform !== 'linux', 'it looks into /proc');
  // Whatever would be opened outside the app leaves its address here.
  const opened = join(keyring.env['HOME'] ?? '', 'opened');
  const bin = join(keyring.env['HOME'] ?? '', 'bin');
  mkdirSync(bin);
  for (const name of ['xdg-open', 'gio', 'sensible-browser', 'x-www-browser'])
    writeFileSync(join(bin, name), `#!/bin/sh\necho "$@" >> ${opened}\n`, { mode: 0o755 });
  const env = { ...keyring.env, PATH: `${bin}:${keyring.env['PATH'] ?? ''}` };
  const started = await start(['--demo'], env);
  const { window } = started;
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  const response = await window.reload();
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  const processes = await processesOf(window);
  const page = processes.find(({ type }) => type === 'renderer');
  const switches = processes.map(({ command }) => command).join('\n');

  await test.step('1: only secure content is loaded', async () => {
    expect(await inPage(started, 'location.origin')).toBe('app://tokenkeep');
    const loaded = await inPage<string[]>(
      started,
      "[...document.querySelectorAll('script, link')].map((element) => element.src ?? element.href)",
    );
    expect(loaded.length).toBeGreaterThan(0);
    for (const url of loaded) expect(url).toMatch(/^app:\/\/tokenkeep\//);
  });
  await test.step('2: no Node.js in the page', async () => {
    expect(await inPage(started, '[typeof require, typeof process, typeof module, typeof Buffer]')).toEqual(
      Array.from({ length: 4 }, () => 'undefined'),
    );
  });
  await test.step('3: contexts are isolated', async () => {
    const session = await window.context().newCDPSession(window);
    const contexts: string[] = [];
    session.on('Runtime.executionContextCreated', ({ context }) => contexts.push(context.name));
    await session.send('Runtime.enable');
    expect(contexts).toContain('Electron Isolated Context');
    await session.detach();
  });
  await test.step('4: processes are sandboxed', () => {
    expect(page?.status).toMatch(/^Seccomp:\s+2$/m);
    expect(page?.status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(switches).not.toMatch(/--no-sandbox|--disable-setuid-sandbox/);
  });
  await test.step('5: permissions are refused', async () => {
    for (const name of ['notifications', 'geolocation', 'camera', 'microphone', 'clipboard-read', 'midi'])
      expect(
        await inPage(started, `navigator.permissions.query({ name: '${name}' }).then(({ state }) => state)`),
        name,
      ).toBe('denied');
  });
  await test.step('6: web security is on', async () => {
    expect(switches).not.toContain('--disable-web-security');
    expect(await outcome(started, "fetch('https://example.org/')")).toBe('TypeError');
  });
  await test.step('7: there is a content security policy', async () => {
    const policy = response?.headers()['content-security-policy'];
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(await outcome(started, "document.body.innerHTML = '<b>x</b>'")).toBe('TypeError');
    // Later: while a debugger's own script runs, Chromium lets it evaluate.
    const evaluated = `new Promise((resolve, reject) => setTimeout(() => {
      try { resolve(new Function('return 1')()); } catch (error) { reject(error); }
    }))`;
    expect(await outcome(started, evaluated)).toBe('EvalError');
  });
  await test.step('8: no insecure content', () => {
    expect(switches).not.toContain('--allow-running-insecure-content');
  });
  await test.step('9: no experimental features', () => {
    expect(switches).not.toMatch(
      /--enable-experimental-web-platform-features|--enable-features=\S*Experimental/,
    );
  });
  await test.step('10: no Blink features', () => {
    expect(switches).not.toContain('--enable-blink-features');
  });
  await test.step('11 and 12: no web views, so none with popups or options', async () => {
    expect(await inPage(started, "'src' in document.createElement('webview')")).toBe(false);
  });
  await test.step('13: it goes nowhere', async () => {
    for (const url of ['https://example.org/', 'file:///etc/passwd', 'data:text/html,x'])
      await inPage(started, `void (location.href = '${url}')`);
    expect(window.url()).toBe('app://tokenkeep/');
  });
  await test.step('14: it opens no windows', async () => {
    expect(await inPage(started, "window.open('https://example.org/') === null")).toBe(true);
    expect(await inPage(started, "window.open('app://tokenkeep/') === null")).toBe(true);
    expect(window.context().pages()).toHaveLength(1);
  });
  await test.step('15: nothing is opened outside', async () => {
    for (const url of ['https://example.org/', 'mailto:ada@example.org', 'file:///etc/passwd'])
      await inPage(
        started,
        `(() => { const link = document.createElement('a'); link.href = '${url}'; link.target = '_blank'; document.body.append(link); link.click(); link.remove(); })()`,
      );
    expect(existsSync(opened)).toBe(false);
  });
  await test.step('16: a current Electron, or one that is marked', () => {
    // contents.spec.ts: "it says that it is a development build"
    expect(switches).toContain(packagedApp);
  });
  await test.step('17: senders are checked', async () => {
    expect(await inPage(started, 'window.tokenCache.accounts().then(({ ok }) => ok)')).toBe(true);
    // foreign.spec.ts asks from pages and frames that are not the window's own.
  });
  await test.step('18: no file protocol', async () => {
    expect(await outcome(started, "fetch('file:///etc/passwd')")).toBe('TypeError');
    const image = await inPage(
      started,
      `new Promise((resolve) => { const image = new Image(); image.onload = () => resolve('loaded'); image.onerror = () => resolve('refused'); image.src = 'file:///usr/share/pixmaps/debian-logo.png'; })`,
    );
    expect(image).toBe('refused');
  });
  await test.step('19: fuses', async () => {
    const wire = await getCurrentFuseWire(packagedApp);
    // '0'; fuses.spec.ts has them all
    expect(wire[FuseV1Options.RunAsNode]).toBe(48);
  });
  await test.step('20: no Electron API for the page', async () => {
    expect(
      await inPage(started, 'Object.keys(window).filter((name) => /electron|ipc|node/i.test(name))'),
    ).toEqual([]);
    for (const bridge of ['tokenCache', 'app'])
      expect(
        await inPage<string[]>(
          started,
          `Object.entries(window.${bridge}).filter(([name, value]) => typeof value !== 'function' || /send|invoke|ipc/i.test(name)).map(([name]) => name)`,
        ),
      ).toEqual([]);
    expect(
      await inPage(
        started,
        'Object.isFrozen(window.tokenCache) || (() => { try { window.tokenCache.accounts = 1; } catch { return true; } return window.tokenCache.accounts !== 1; })()',
      ),
    ).toBe(true);
  });
  await started.quit();
  expect(started.output.join('')).not.toMatch(/Uncaught|unexpected/i);
});
