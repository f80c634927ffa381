/** Electron's security checklist (docs/security-checklist.md), item by item, against the running app. */
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from '@playwright/test';
import { answerDialogs, type Started, test } from './app.ts';

const PRELOAD = fileURLToPath(new URL('../../out/preload.cjs', import.meta.url));

/** Runs in the page; a compromised page of the app could do the same. */
const inPage = <T>({ window }: Started, script: string): Promise<T> => window.evaluate<T>(script);
const rejected = (started: Started, script: string): Promise<string> =>
  inPage(
    started,
    `(async () => { try { await (${script}); return 'allowed'; } catch (error) { return error.name; } })()`,
  );

test('the window is sandboxed, isolated, and has Electron’s safe settings', async ({ demo: started }) => {
  const { app } = started;
  const { preferences, pid } = await app.evaluate(({ BrowserWindow }) => {
    const { webContents } = BrowserWindow.getAllWindows()[0]!;
    const settings = webContents as unknown as { getLastWebPreferences(): Record<string, unknown> };
    return { preferences: { ...settings.getLastWebPreferences() }, pid: webContents.getOSProcessId() };
  });
  // Items 2, 3, 4, 6, 8, 9, 10, 11 and 12
  const on = ['contextIsolation', 'sandbox', 'webSecurity'];
  const off = [
    'nodeIntegration',
    'nodeIntegrationInWorker',
    'nodeIntegrationInSubFrames',
    'allowRunningInsecureContent',
    'experimentalFeatures',
    'enableBlinkFeatures',
    'webviewTag',
    'navigateOnDragDrop',
    'spellcheck',
  ];
  for (const name of on) expect(preferences[name], name).toBe(true);
  for (const name of off) expect(preferences[name], name).toBeFalsy();
  if (process.platform === 'linux') {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    // A core dump of any of its processes would contain no memory.
    const processes = await app.evaluate(({ app: electron }) =>
      electron.getAppMetrics().map(({ type, pid: id }) => ({ type, id })),
    );
    expect(processes.map(({ type }) => type)).toEqual(expect.arrayContaining(['Browser', 'Tab']));
    // The kernel never dumps a process whose files in /proc are root's (proc(5), PR_SET_DUMPABLE): so it is in the setuid sandbox, where
    // there are no user namespaces. The app is never root.
    const filters = () =>
      processes
        .filter(({ id }) => statSync(`/proc/${id}/coredump_filter`).uid !== 0)
        .map(({ type, id }) => `${type} ${readFileSync(`/proc/${id}/coredump_filter`, 'utf8').trim()}`);
    expect(filters()).toContainEqual(expect.stringMatching(/^Browser /));
    await expect.poll(() => filters().filter((one) => !/ 0+$/.test(one))).toEqual([]);
  }
  // Items 2 and 20: neither Node nor Electron, and only those bridge functions that the contracts name.
  expect(await inPage(started, '[typeof require, typeof process, typeof module, typeof electron]')).toEqual(
    Array.from({ length: 4 }, () => 'undefined'),
  );
  expect(await inPage<string[]>(started, 'Object.keys(window.tokenCache).sort()')).toEqual(
    [
      'status accounts accountsText firstAccountsText tokens claims search removalCount reveal copy',
      'chooseImport planImport unlockImport confirmImport cancelImport exportAll retry recover startFresh on',
      'keepMine takeFile makeOwn forget',
      'verify rotateKey compact activity examine repair undoRepair removeTokens nameTenant',
    ]
      .join(' ')
      .split(' ')
      .sort(),
  );
  expect(await inPage<string[]>(started, 'Object.keys(window.app).sort()')).toEqual(
    [
      'info on openDemo leaveDemo showFile menuState update downloadUpdate installUpdate',
      'profiles saveProfile removeProfile signIn signInProgress cancelSignIn openSignInPage copyDeviceCode',
      'signInAgain refreshStatus refreshNow refreshUnasked setAutoRefresh signOutOffers signOut signOuts',
      'signOutPlaces signOutCopies undoSignOut checkSignOut signOutDone clearActivity settings setTimes setStartAtLogin setUpdates setMenuBar setNotify setCloseWhenAway unlock checkSignature userInfo',
      'setAsksRarely saveList saveReceipt openHomepage showLicenses',
      'sources findSources openSource openAllSources closeSource showSource openProgram addSource importSource',
    ]
      .join(' ')
      .split(' ')
      .sort(),
  );
});

test('the page loads nothing but itself, and no text becomes code', async ({ demo: started }) => {
  const { app } = started;
  // Items 1, 7 and 18
  expect(await inPage(started, 'location.origin')).toBe('app://tokenkeep');
  const { status, policy, sniffing } = await app.evaluate(async ({ BrowserWindow }) => {
    const { session } = BrowserWindow.getAllWindows()[0]!.webContents;
    const response = await session.fetch('app://tokenkeep/');
    return {
      status: response.status,
      policy: response.headers.get('content-security-policy'),
      sniffing: response.headers.get('x-content-type-options'),
    };
  });
  expect(status).toBe(200);
  expect(sniffing).toBe('nosniff');
  expect(policy).toContain("default-src 'none'; script-src 'self';");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);

  expect(await rejected(started, "fetch('app://tokenkeep/')")).toBe('TypeError');
  expect(await rejected(started, "fetch('https://example.org/')")).toBe('TypeError');
  expect(await rejected(started, "fetch('file:///etc/passwd')")).toBe('TypeError');
  expect(await rejected(started, "fetch('data:text/plain,x')")).toBe('TypeError');
  expect(await rejected(started, "document.body.innerHTML = '<b>x</b>'")).toBe('TypeError');
  expect(await rejected(started, "new Worker('app://tokenkeep/x.js')")).not.toBe('allowed');
  expect(await rejected(started, "navigator.serviceWorker.register('/x.js')")).not.toBe('allowed');
  const loaded = (element: string) =>
    inPage(
      started,
      `new Promise((resolve) => {
        const element = ${element};
        element.onload = () => resolve('loaded');
        element.onerror = () => resolve('refused');
        document.body.append(element);
      })`,
    );
  expect(await loaded("Object.assign(new Image(), { src: 'https://example.org/x.png' })")).toBe('refused');
  expect(
    await loaded("Object.assign(new Image(), { src: 'file:///usr/share/pixmaps/debian-logo.png' })"),
  ).toBe('refused');
});

test('its session reaches no network, whatever the page’s policy says', async ({ start }) => {
  const started = await start();
  const { app, quit } = started;
  const reach = (url: string) =>
    app.evaluate(async ({ BrowserWindow }, address) => {
      const { session } = BrowserWindow.getAllWindows()[0]!.webContents;
      return session.fetch(address).then(
        (response) => String(response.status),
        (error: unknown) => String(error),
      );
    }, url);
  for (const url of ['https://example.org/', 'http://127.0.0.1:1/', 'ws://127.0.0.1:1/']) {
    expect(await reach(url)).toMatch(/ERR_BLOCKED_BY_CLIENT|ERR_UNKNOWN_URL_SCHEME|TypeError/);
  }
  // The main process requests nothing for it either: it asks about a host that is new to the app.
  const asked = await answerDialogs(app, { agree: false });
  const profile = {
    kind: 'oidc',
    name: 'x',
    authority: 'https://xn--pple-43d.example/what-the-window-knows',
    client_id: 'x',
    scopes: [],
    redirect_uri: 'http://127.0.0.1/',
  };
  const save = `window.app.saveProfile(${JSON.stringify(profile)}, null)`;
  expect(await inPage(started, save)).toMatchObject({ ok: false, error: { code: 'no_user_gesture' } });
  expect(await asked()).toEqual([]);
  await started.window.mouse.click(5, 5);
  expect(await inPage(started, save)).toMatchObject({ ok: false, error: { code: 'host_refused' } });
  expect(await asked()).toEqual([
    expect.stringContaining('use https://xn--pple-43d.example/what-the-window-knows?'),
  ]);
  expect(await inPage(started, 'window.app.profiles()')).toEqual({ ok: true, value: [] });
  // No redirect of a provider is followed: sign-in requests that, and Chromium has to comply.
  const visited: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    visited.push(path);
    response.writeHead(Number(/\d{3}$/.exec(path)?.[0] ?? 200), { Location: '/elsewhere' }).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const words = await app.evaluate(
    async ({ session }, port) => {
      const network = session.fromPartition('sign-in', { cache: false });
      const said: string[] = [];
      for (const redirect of ['manual', 'error'] as const) {
        for (const status of [302, 307, 308]) {
          const url = `http://127.0.0.1:${port}/${redirect}/${status}`;
          await network.fetch(url, { method: 'POST', body: 'token=secret', redirect }).then(
            () => said.push('followed'),
            (error: unknown) => said.push(String(error)),
          );
        }
      }
      return said;
    },
    (server.address() as AddressInfo).port,
  );
  server.close();
  expect(visited).toEqual(
    ['manual', 'error'].flatMap((redirect) => [302, 307, 308].map((status) => `/${redirect}/${status}`)),
  );
  // The message that tells the user about the redirect (app/sign-in/failures.ts).
  for (const said of words) expect(said).toMatch(/Redirect was cancelled|redirect policy was 'error'/);
  // Item 18: nothing outside the built window's folder.
  for (const path of [
    'main.cjs',
    '../main.cjs',
    '..%2fmain.cjs',
    '%2e%2e%2fpackage.json',
    'nothing.js',
    'assets/',
  ]) {
    expect(await reach(`app://tokenkeep/${path}`)).toBe('404');
  }
  expect(await reach('app://elsewhere/')).toMatch(/404|ERR_BLOCKED_BY_CLIENT/);
  await quit();
});

test('it goes nowhere, opens nothing and is permitted nothing', async ({ demo: started }) => {
  const { app, window } = started;
  const before = window.url();
  // Item 14
  expect(await inPage(started, "window.open('https://example.org/') === null")).toBe(true);
  expect(await inPage(started, "window.open('app://tokenkeep/') === null")).toBe(true);
  // Item 13
  await inPage(started, "void (location.href = 'https://example.org/')");
  await inPage(started, "void (location.href = 'file:///etc/passwd')");
  await inPage(
    started,
    `(() => { const link = document.createElement('a'); link.href = 'https://example.org/'; link.target = '_blank'; document.body.append(link); link.click(); link.remove(); })()`,
  );
  // Item 5
  for (const name of ['notifications', 'geolocation', 'camera', 'microphone', 'clipboard-read', 'midi']) {
    expect(
      await inPage(started, `navigator.permissions.query({ name: '${name}' }).then(({ state }) => state)`),
      name,
    ).toBe('denied');
  }
  expect(await inPage(started, 'Notification.requestPermission()')).toBe('denied');
  expect(await rejected(started, 'navigator.clipboard.readText()')).toBe('NotAllowedError');
  expect(await rejected(started, 'navigator.mediaDevices.getUserMedia({ video: true })')).not.toBe('allowed');
  // Items 11 and 12
  expect(
    await inPage(
      started,
      "document.createElement('webview') instanceof HTMLUnknownElement || !('src' in document.createElement('webview'))",
    ),
  ).toBe(true);
  // No download leaves the window.
  await inPage(
    started,
    `(() => { const link = document.createElement('a'); link.href = URL.createObjectURL(new Blob(['x'])); link.download = 'x.txt'; document.body.append(link); link.click(); link.remove(); })()`,
  );
  expect(window.url()).toBe(before);
  expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
  expect(await app.evaluate(({ webContents }) => webContents.getAllWebContents().length)).toBe(1);
});

test('it returns to its page from about: pages, whose navigation can’t be refused in Chromium', async ({
  start,
}) => {
  const started = await start(['--demo']);
  const { app, window } = started;
  const accounts = window.getByRole('listbox', { name: 'Accounts' });
  for (const address of ['about:blank', 'about:srcdoc', 'about:blank#x', 'about:blank?x', 'about:anything']) {
    await expect(accounts).toBeVisible();
    await app.evaluate(({ BrowserWindow }, to) => {
      const { webContents } = BrowserWindow.getAllWindows()[0]!;
      const left = new Promise<void>((resolve) => {
        const on = webContents.once.bind(webContents) as (name: string, done: () => void) => void;
        for (const name of ['did-navigate', 'did-fail-load', 'did-stop-loading']) on(name, resolve);
      });
      void webContents.executeJavaScript(`location.href = '${to}'`, true).catch(() => undefined);
      return left;
    }, address);
    await expect(accounts, address).toBeVisible();
    expect(await window.evaluate('location.href'), address).toBe('app://tokenkeep/');
  }
  await started.quit();
});

test('only its own window is answered', async ({ demo }) => {
  const { app } = demo;
  // Item 17: another window of the same process, with the same session, page and preload script.
  const answer = await app.evaluate(async ({ BrowserWindow }, preload) => {
    const own = BrowserWindow.getAllWindows()[0]!;
    const foreign = new BrowserWindow({
      show: false,
      webPreferences: {
        session: own.webContents.session,
        preload,
        sandbox: true,
      },
    });
    await foreign.loadURL('app://tokenkeep/');
    const ask = (contents: Electron.WebContents, script: string): Promise<unknown> =>
      contents.executeJavaScript(script) as Promise<unknown>;
    const answers = {
      foreign: await ask(foreign.webContents, 'window.tokenCache.accounts()'),
      foreignApp: await ask(foreign.webContents, 'window.app.info()'),
      own: await ask(own.webContents, 'window.tokenCache.accounts().then(({ ok }) => ok)'),
      hostile: await ask(own.webContents, "window.tokenCache.tokens({ toString: 'x' }, 1, 2)"),
    };
    foreign.destroy();
    return answers;
  }, PRELOAD);
  expect(answer.foreign).toMatchObject({ ok: false, error: { code: 'refused' } });
  expect(answer.foreignApp).toMatchObject({ ok: false, error: { code: 'refused' } });
  expect(answer.own).toBe(true);
  expect(answer.hostile).toMatchObject({
    ok: false,
    error: { code: 'invalid_argument', message: expect.stringContaining('arguments') as unknown },
  });
});

test('it logs no error, and Chromium stores nothing of it', async ({ start }) => {
  const { app, window, output, quit } = await start(['--demo']);
  await window.reload(); // so that messages during loading are captured too
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  for (const option of await window.getByRole('option').all()) await option.click();
  expect(
    output.filter((line) =>
      /Refused|violat|Content Security Policy|TrustedHTML|Uncaught|unexpected/i.test(line),
    ),
  ).toEqual([]);
  const words = await app.evaluate(({ BrowserWindow, session: sessions }) =>
    [
      BrowserWindow.getAllWindows()[0]!.webContents.session,
      sessions.defaultSession,
      sessions.fromPartition('sign-in', { cache: false }),
    ].map((each) => [each.isSpellCheckerEnabled(), each.getSpellCheckerLanguages()]),
  );
  // A spell checker would download dictionaries from Google.
  expect(words).toEqual(Array.from({ length: 3 }, () => [false, []]));
  const kept = await app.evaluate(({ BrowserWindow }) => {
    const { session } = BrowserWindow.getAllWindows()[0]!.webContents;
    return { persistent: session.isPersistent(), path: session.getStoragePath() };
  });
  expect(kept).toMatchObject({ persistent: false, path: null });
  await quit();
});
