/**
 * [Note: the window has no network] Tries every known way out of a page, and those in the browser's own lists, with the proof at the
 * socket: listeners for UDP, TCP and mDNS on this computer, names that only a look-up would tell, and a record: Chromium's own network log,
 * or the system calls of a packaged app, which writes no log.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { answerDialogs, type Started, test, vector } from './app.ts';
import { tryElements, tryFunctions, tryLinks, tryStyles } from './ways-out/generated.ts';
import { prepare, triedIn } from './ways-out/page.ts';
import { tryRealms, tryReplacedParts, tryWebRtc } from './ways-out/realms.ts';
import { tryRequests } from './ways-out/requests.ts';
import { MARK, sinks } from './ways-out/sinks.ts';
import { systemCalls } from './ways-out/system-calls.ts';

interface NetworkLog {
  constants: { logEventTypes: Record<string, number> };
  events: { type: number; params?: { address?: string; host?: string } }[];
}

/** Asserts that a log of Chromium's network service has no look-up, no connection, and no trace of the attempts. */
async function assertNothingIn(log: string): Promise<void> {
  await expect.poll(() => existsSync(log) && readFileSync(log, 'utf8').length).toBeGreaterThan(1000);
  const text = readFileSync(log, 'utf8');
  const whole = text.trimEnd().endsWith('}') ? text : text.replace(/,\s*$/, ']}');
  const { constants, events } = JSON.parse(whole) as NetworkLog;
  const kinds = new Map(Object.entries(constants.logEventTypes).map(([name, type]) => [type, name]));
  const met = (pattern: RegExp) =>
    events
      .filter(({ type }) => pattern.test(kinds.get(type) ?? ''))
      .map(({ type, params }) => ({ kind: kinds.get(type), params }));
  expect(met(/^HOST_RESOLVER_/).map(({ params }) => params)).toEqual([]);
  expect(met(/^(?:TCP_CONNECT_ATTEMPT|TCP_CONNECT|UDP_CONNECT|UDP_LOCAL_ADDRESS|UDP_BYTES_SENT)$/)).toEqual(
    [],
  );
  expect([...new Set(text.match(new RegExp(`${MARK}-[\\w-]+`, 'g')) ?? [])]).toEqual([]);
}

/** Writes a log of the network from now on. Returns a function that ends it. */
async function logFromMain(started: Started, log: string): Promise<() => Promise<void>> {
  await started.app.evaluate(
    ({ netLog }, file) => netLog.startLogging(file, { captureMode: 'everything' }),
    log,
  );
  return () => started.app.evaluate(({ netLog }) => netLog.stopLogging());
}

async function assertStillThere(window: Page): Promise<void> {
  expect(window.url()).toBe('app://tokenkeep/');
  await window.reload();
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
}

/** Tries every way out. Returns their number, after the requests have had time to arrive. */
async function tryAll(window: Page, ports: { udp: number; tcp: number }): Promise<number> {
  await prepare(window, ports);
  await tryWebRtc(window);
  await tryRealms(window);
  await tryRequests(window);
  await tryLinks(window);
  await tryStyles(window);
  await tryElements(window);
  await tryFunctions(window);
  await tryReplacedParts(window);
  const { tried, realms } = await triedIn(window);
  await window.waitForTimeout(1500); // what is still under way
  await assertStillThere(window);
  expect(realms).toEqual([]);
  return tried.length;
}

// In the packaged app, the record is the system calls, without which nothing reaches a socket. Chromium's own log is the record elsewhere.
test('no way out of the page reaches a socket or has a name looked up', { tag: '@packaged' }, async ({
  start,
  keyring,
  packagedApp,
  inspectable,
}) => {
  test.setTimeout(240_000);
  const here = await sinks();
  await here.prove();
  const home = keyring.env['HOME'] ?? '';
  const log = join(home, 'net-log.json');
  // A release refuses the switch that writes a log, and scripts in the main process. There, the system calls are the record.
  const released = packagedApp !== '' && !inspectable;
  const calls = released ? systemCalls(packagedApp, join(home, 'calls')) : undefined;
  const started = await start(
    packagedApp === '' ? ['--demo', `--log-net-log=${log}`] : ['--demo'],
    keyring.env,
    calls?.executable,
  );
  const { window, quit } = started;
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  const endLog = inspectable ? await logFromMain(started, log) : undefined;
  const atStart = calls?.met() ?? [];
  const tried = await tryAll(window, here.ports);
  const since = calls?.met().slice(atStart.length) ?? [];
  await endLog?.();
  await quit();
  here.close();
  const proof = released && calls === undefined ? 'sinks alone: no strace' : 'sinks and record';
  test.info().annotations.push({ type: 'ways out tried', description: `${tried} (${proof})` });
  expect(tried).toBeGreaterThan(2000);
  expect({ udp: here.packets, tcp: here.connections, mdns: here.questions }).toEqual({
    udp: [],
    tcp: [],
    mdns: [],
  });
  if (!released) return assertNothingIn(log);
  // Chromium creates sockets at its start, to listen for the test and to find out which kinds of addresses exist.
  expect(atStart.filter((call) => !/^\d+ +socket\(/.test(call))).toEqual([]);
  expect(since).toEqual([]);
});

/** Pastes in the window as the user's own Paste does. */
const paste = (app: Started['app']): Promise<void> =>
  app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.webContents.paste());

test('markup that the user pastes or drops makes no frame', async ({ demo }) => {
  const { app, window } = demo;
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  const html = '<b>x</b><iframe></iframe><object data="about:blank"></object><embed src="about:blank">';
  await app.evaluate(({ clipboard }, markup) => {
    const write = Reflect.get(clipboard, 'write') as (data: object) => void;
    Reflect.apply(write, clipboard, [{ html: markup, text: 'words' }]);
  }, html);
  await window.evaluate((markup) => {
    // What the page itself does about it does not count as protection.
    Event.prototype.preventDefault = () => undefined;
    Event.prototype.stopImmediatePropagation = () => undefined;
    const add = (id: string, tag: string, left: number): HTMLElement => {
      const made = Object.assign(document.createElement(tag), { id: `attack-${id}`, textContent: id });
      Object.assign(made.style, { position: 'fixed', zIndex: '9999', top: '0', left: `${left}px` });
      Object.assign(made.style, { width: '100px', height: '100px', userSelect: 'text' });
      document.body.append(made);
      return made;
    };
    const from = add('from', 'div', 0);
    from.draggable = true;
    from.addEventListener('dragstart', ({ dataTransfer }) => {
      dataTransfer?.setData('text/html', markup);
      dataTransfer?.setData('text/plain', 'dragged');
    });
    for (const [name, target] of Object.entries({
      to: add('to', 'div', 200),
      field: add('field', 'textarea', 400),
    })) {
      if (name === 'to') target.contentEditable = 'true';
      target.addEventListener('dragover', (event) => Reflect.set(event, 'returnValue', true));
    }
  }, html);
  const into = async (id: string): Promise<string> => {
    await window.evaluate((name) => {
      const target = document.querySelector<HTMLElement>(`#attack-${name}`)!;
      target.focus();
      if (target instanceof HTMLTextAreaElement) target.select();
      else getSelection()?.selectAllChildren(target);
    }, id);
    await paste(app);
    await window.mouse.move(20, 20);
    await window.mouse.down();
    for (const [x, y] of [
      [120, 30],
      [id === 'to' ? 250 : 450, 30],
      [id === 'to' ? 255 : 455, 35],
    ] as const)
      await window.mouse.move(x, y, { steps: 5 });
    await window.mouse.up();
    return window.evaluate((name) => {
      const target = document.querySelector<HTMLTextAreaElement>(`#attack-${name}`)!;
      return `${target.innerHTML} ${target.value}`;
    }, id);
  };
  // Pasted in order, so by then the editable text would have its contents.
  const edited = await into('to');
  await expect.poll(() => into('field')).toContain('words');
  expect(edited).toBe('to undefined');
  expect(await window.evaluate(() => globalThis.length)).toBe(0);
});

test('a frame that is there all the same goes with the page', async ({ demo }) => {
  const { window } = demo;
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  await window.evaluate(() => void Object.assign(globalThis, { before: true }));
  // No policy and no guard is asked here.
  const devTools = await window.context().newCDPSession(window);
  const { root } = await devTools.send('DOM.getDocument');
  const { nodeId } = await devTools.send('DOM.querySelector', { nodeId: root.nodeId, selector: 'body' });
  await devTools.send('DOM.setOuterHTML', {
    nodeId,
    outerHTML: '<body><iframe></iframe></body>',
  });
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  expect(await window.evaluate(() => [globalThis.length, Reflect.has(globalThis, 'before')])).toEqual([
    0,
    false,
  ]);
});

test('the page has none of the features that a policy can deny', async ({ start }) => {
  const { window, quit, output } = await start(['--demo']);
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  const allowed = await window.evaluate(() =>
    (
      document as unknown as { featurePolicy: { allowedFeatures(): string[] } }
    ).featurePolicy.allowedFeatures(),
  );
  expect(allowed).toEqual([]);
  expect(output.join('')).not.toMatch(/Permissions-Policy/i);
  await quit();
});

test('a script reads no clipboard; the user’s own Paste works', async ({ demo: started }) => {
  const { app, window } = started;
  await app.evaluate(({ clipboard }) => clipboard.writeText('password-of-the-user'));
  const read = await window.evaluate(async () => {
    const field = document.createElement('textarea');
    field.id = 'attack';
    document.body.append(field);
    field.focus();
    // oxlint-disable-next-line typescript/no-deprecated -- what an attack would use
    document.execCommand('paste');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const pasted = field.value;
    const answer = await navigator.clipboard.readText().catch(() => '');
    field.focus();
    return [pasted, answer];
  });
  expect(read).toEqual(['', '']);
  expect(await app.evaluate(({ clipboard }) => clipboard.readText())).toBe('password-of-the-user');
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.webContents.paste());
  await expect
    .poll(() => window.evaluate(() => document.querySelector<HTMLTextAreaElement>('#attack')?.value))
    .toBe('password-of-the-user');
});

test('nothing opens without the user’s doing, one at a time, and less and less after a No', async ({
  start,
}) => {
  const started = await start(['--demo']);
  const { app, window, quit } = started;
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  const asked = await answerDialogs(app, { agree: false });
  await app.evaluate(({ shell }) => {
    const opened: string[] = [];
    Object.assign(globalThis, { openedInBrowser: opened });
    Object.assign(shell, { openExternal: (url: string) => Promise.resolve(void opened.push(url)) });
  });
  /** Requests everything that opens something, for two seconds. */
  const flood = () =>
    window.evaluate(async () => {
      const { tokenCache, app: bridge } = window as unknown as Record<
        string,
        Record<string, (...args: unknown[]) => Promise<never>>
      >;
      const list = (await tokenCache!['accounts']!()) as unknown as { value: { accounts: { id: string }[] } };
      const tokens = (await tokenCache!['tokens']!(list.value.accounts[0]!.id)) as unknown as {
        value: { id: string }[];
      };
      const codes = new Set<string>();
      const until = Date.now() + 2000;
      let asks = 0;
      while (Date.now() < until) {
        const answers = (await Promise.all([
          tokenCache!['reveal']!(tokens.value[0]!.id),
          tokenCache!['copy']!(tokens.value[0]!.id),
          tokenCache!['chooseImport']!(),
          tokenCache!['exportAll']!('correct horse battery staple 42'),
          bridge!['openSignInPage']!(),
        ])) as unknown as { ok: boolean; error?: { code: string } }[];
        asks += answers.length;
        for (const { error } of answers) if (error !== undefined) codes.add(error.code);
      }
      return { asks, codes: [...codes] };
    });
  // Waits until a click of the test no longer counts as user input.
  await new Promise((resolve) => setTimeout(resolve, 5_100));
  const alone = await flood();
  expect(alone.asks).toBeGreaterThan(20);
  expect(alone.codes).toContain('no_user_gesture');
  expect(await asked()).toEqual([]);
  expect(
    await app.evaluate(() => (globalThis as unknown as { openedInBrowser: string[] }).openedInBrowser),
  ).toEqual([]);

  // One click, one question at most, however many requests follow it.
  await window.mouse.click(5, 5);
  const clicked = await flood();
  expect((await asked()).length).toBeLessThanOrEqual(1);
  expect(clicked.codes.some((code) => code === 'asked_too_often' || code === 'no_user_gesture')).toBe(true);
  await quit();
});

test('no request of the bridges opens anything by itself', async ({ keyring, start }) => {
  const folder = join(keyring.env['HOME'] ?? '', '.azure');
  mkdirSync(folder, { recursive: true });
  copyFileSync(vector('documents', 'msal-python-aad-several.json'), join(folder, 'msal_token_cache.json'));
  const { app, window, quit } = await start(['--demo']);
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  await app.evaluate(({ dialog, shell }) => {
    const opened: string[] = [];
    Object.assign(globalThis, { openedByRequests: opened });
    for (const [name, of] of Object.entries({ dialog, shell })) {
      for (const each of Object.keys(of).filter((key) => typeof Reflect.get(of, key) === 'function'))
        Object.assign(of, { [each]: () => Promise.resolve(void opened.push(`${name}.${each}`)) });
    }
  });
  const gated = await window.evaluate(async () => {
    type Answer = { ok: boolean; value?: never; error?: { code: string } };
    const bridges = globalThis as unknown as Record<
      'tokenCache' | 'app',
      Record<string, (...args: unknown[]) => Promise<Answer>>
    >;
    const { tokenCache, app: own } = bridges;
    const { accounts } = (await tokenCache['accounts']!()).value as unknown as { accounts: { id: string }[] };
    const account = accounts[0]!.id;
    const [token] = (await tokenCache['tokens']!(account)).value as unknown as { id: string }[];
    const { items } = (await own['findSources']!()).value as unknown as { items: { id: string }[] };
    const text = 'correct horse battery staple 42';
    const draft = {
      ...{ kind: 'oidc', name: 'x', authority: 'https://elsewhere.example', client_id: 'x', scopes: [] },
      redirect_uri: 'http://127.0.0.1/',
    };
    const wishes = { vault: true, revoke: true, endSession: true, places: [] };
    const lists: unknown[][] = [
      ...[[], [null], [true], [false], [text], [{ text: 'e30.eyJpc3MiOiJodHRwczovL2EuZXhhbXBsZSJ9.x' }]],
      ...[account, token!.id, items[0]!.id].flatMap((id) => [
        ...[[id], [[id]], [id, null], [id, true], [id, false], [id, 'token'], [id, 'browser', null]],
        ...[[{ tokenId: id }], [[id], wishes]],
      ]),
      [draft, null],
    ];
    // The last requests remove what the others ask for.
    const late = ['signOut', 'recover', 'startFresh'];
    const names = Object.entries(bridges.app)
      .concat(Object.entries(tokenCache))
      .filter(([name]) => !['on', 'openDemo', 'leaveDemo', 'planImport'].includes(name))
      .sort(([a], [b]) => Number(late.includes(a)) - Number(late.includes(b)));
    const found = new Set<string>();
    for (const [name, ask] of names)
      for (const args of lists) {
        const answer = await ask(...args).catch(() => undefined);
        if (answer?.error?.code === 'no_user_gesture') found.add(name);
      }
    return [...found].sort();
  });
  expect(
    await app.evaluate(() => (globalThis as unknown as { openedByRequests: string[] }).openedByRequests),
  ).toEqual([]);
  // The requests that open something, or ask a question, in the state of this window.
  expect(gated).toEqual(
    [
      'addSource checkSignOut chooseImport clearActivity copy downloadUpdate exportAll forget',
      'importSource installUpdate keepMine makeOwn openAllSources openHomepage openProgram',
      'openSignInPage openSource removeTokens retry reveal saveList saveProfile saveReceipt',
      'setAsksRarely setCloseWhenAway setStartAtLogin setUpdates showFile showLicenses showSource',
      'signIn signOut takeFile undoSignOut unlock',
    ]
      .join(' ')
      .split(' '),
  );
  await quit();
});

test('no door that a script can knock at counts as the user’s doing, and a menu command counts once', async ({
  start,
}) => {
  const { app, window, quit } = await start(['--demo']);
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  const asked = await answerDialogs(app, { agree: false });
  await app.evaluate(({ dialog, shell }) => {
    const opened: string[] = [];
    Object.assign(globalThis, { openedByDoors: opened });
    Object.assign(shell, { openExternal: (url: string) => Promise.resolve(void opened.push(url)) });
    const showOpenDialog = () => {
      opened.push('a file dialog');
      return Promise.resolve({ canceled: true, filePaths: [] });
    };
    Object.assign(dialog, { showOpenDialog });
  });
  const opened = () =>
    app.evaluate(() => (globalThis as unknown as { openedByDoors: string[] }).openedByDoors);
  // Waits until no input of the start counts any more.
  await new Promise((resolve) => setTimeout(resolve, 5_100));

  const codes = await window.evaluate(async () => {
    type Answer = { ok: boolean; value?: never; error?: { code: string } };
    const { tokenCache } = globalThis as unknown as Record<
      'tokenCache',
      Record<string, (...args: unknown[]) => Promise<Answer>>
    >;
    const { accounts } = (await tokenCache['accounts']!()).value as unknown as { accounts: { id: string }[] };
    const [token] = (await tokenCache['tokens']!(accounts[0]!.id)).value as unknown as { id: string }[];
    const field = document.createElement('input');
    field.accessKey = 'i';
    document.body.append(field);
    const all = { bubbles: true, cancelable: true, composed: true };
    const doors: Record<string, () => unknown> = {
      keys() {
        field.focus();
        for (const key of ['i', 'o', 'e', ',', 'q', 'w', 'c', 'v', 'Enter', ' ', 'F10', 'ContextMenu'])
          for (const type of ['keydown', 'keypress', 'keyup'])
            for (const target of [globalThis, document, field])
              target.dispatchEvent(new KeyboardEvent(type, { ...all, key, ctrlKey: true, metaKey: true }));
      },
      pointers() {
        for (const type of [
          'pointerdown',
          'mousedown',
          'pointerup',
          'mouseup',
          'click',
          'dblclick',
          'auxclick',
        ])
          field.dispatchEvent(new PointerEvent(type, { ...all, button: 0, isPrimary: true }));
        field.click();
      },
      touches() {
        const touch = new Touch({ identifier: 1, target: field });
        for (const type of ['touchstart', 'touchend'])
          field.dispatchEvent(new TouchEvent(type, { ...all, touches: [touch], changedTouches: [touch] }));
      },
      contextMenu: () => field.dispatchEvent(new MouseEvent('contextmenu', { ...all, button: 2 })),
      drop() {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add('https://outside.example/', 'text/uri-list');
        for (const type of ['dragstart', 'dragenter', 'dragover', 'drop', 'dragend'])
          field.dispatchEvent(new DragEvent(type, { ...all, dataTransfer }));
      },
      clipboard() {
        for (const type of ['copy', 'cut', 'paste'])
          field.dispatchEvent(new ClipboardEvent(type, { ...all, clipboardData: new DataTransfer() }));
      },
      fileField() {
        const file = Object.assign(document.createElement('input'), { type: 'file' });
        document.body.append(file);
        file.click();
      },
      async notification() {
        await Notification.requestPermission().catch(() => undefined);
        const notice = new Notification('Click here');
        notice.dispatchEvent(new Event('click'));
      },
      windows() {
        globalThis.focus();
        globalThis.open('https://outside.example/');
        for (const type of ['focus', 'blur', 'beforeunload', 'popstate'])
          globalThis.dispatchEvent(new Event(type));
      },
    };
    const found: Record<string, string[]> = {};
    for (const [name, knock] of Object.entries(doors)) {
      // An error that a request throws at the script is an answer too.
      await Promise.resolve()
        .then(knock)
        .catch(() => undefined);
      const answers = [await tokenCache['reveal']!(token!.id), await tokenCache['chooseImport']!()];
      found[name] = answers.map(({ error }) => error?.code ?? 'opened');
    }
    return found;
  });
  for (const [door, found] of Object.entries(codes))
    expect({ door, found }).toEqual({ door, found: ['no_user_gesture', 'no_user_gesture'] });
  expect(Object.keys(codes)).toHaveLength(9);
  expect([await asked(), await opened()]).toEqual([[], []]);

  // The window carries out the menu's command, and nothing else with it.
  await window.reload(); // a door may have opened a dialog of the page's own, over which no command is carried out
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  await app.evaluate(({ Menu }) => {
    const items = Menu.getApplicationMenu()?.items.flatMap(({ submenu }) => submenu?.items ?? []) ?? [];
    items.find(({ label }) => label === '&Import…')?.click();
  });
  await expect.poll(opened).toEqual(['a file dialog']);
  const answer = await window.evaluate<{ error?: { code: string } }>('window.tokenCache.chooseImport()');
  expect(answer.error?.code).toBe('no_user_gesture');
  expect(await opened()).toEqual(['a file dialog']);
  await quit();
});

test('a script shows no dialog of the browser, and neither holds, closes, moves nor focuses the window', async ({
  start,
}) => {
  const { app, window, quit } = await start(['--demo']);
  await window.getByRole('listbox', { name: 'Accounts' }).waitFor();
  const state = () =>
    app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((each) => ({ bounds: each.getBounds(), visible: each.isVisible() })),
    );
  const before = await state();
  const shown: string[] = [];
  // With a listener, a dialog would stay open, and the page would wait for it.
  window.on('dialog', (dialog) => void shown.push(dialog.type()));
  await window.evaluate(() => {
    for (let time = 0; time < 20; time++) {
      alert('Enter your password');
      confirm('Allow?');
      print();
      (document as unknown as { execCommand(name: string): boolean }).execCommand('print');
      (globalThis as { close?: () => void }).close?.();
    }
    for (const move of [
      () => moveTo(0, 0),
      () => moveBy(50, 50),
      () => resizeTo(950, 650),
      () => resizeBy(-99, -99),
    ])
      move();
  });
  expect(shown).toEqual([]);
  await window.waitForTimeout(500); // what was asked of the window has been done
  expect(await state()).toEqual(before);

  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.hide());
  await window.evaluate(() => {
    for (let time = 0; time < 20; time++) globalThis.focus();
  });
  await window.waitForTimeout(500);
  expect((await state()).map(({ visible }) => visible)).toEqual([false]);

  await window.evaluate(() => {
    const hold = (event: Event): void => {
      event.preventDefault();
      Object.assign(event, { returnValue: 'Stay' });
    };
    addEventListener('beforeunload', hold);
    globalThis.onbeforeunload = hold;
  });
  const closed = window.waitForEvent('close');
  await app.evaluate(
    ({ BrowserWindow }) => void setImmediate(() => BrowserWindow.getAllWindows()[0]!.close()),
  );
  await closed;
  await quit();
});

test('an argument that is too much is refused before it is cloned, and main goes on', async ({
  demo: started,
}) => {
  const { app, window } = started;
  // By processor time: how long a busy machine takes says nothing about main.
  const longest = app.evaluate(async () => {
    let [last, most] = [process.cpuUsage(), 0];
    const until = performance.now() + 6000;
    while (performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const { user, system } = process.cpuUsage(last);
      most = Math.max(most, (user + system) / 1000);
      last = process.cpuUsage();
    }
    return most;
  });
  const answers = await window.evaluate(async () => {
    const { tokenCache } = window as unknown as {
      tokenCache: Record<string, (arg: unknown) => Promise<unknown>>;
    };
    const ask = async (arg: unknown) => JSON.stringify(await tokenCache['search']!(arg).catch(String));
    let deep: unknown = [];
    for (let level = 0; level < 500; level++) deep = [deep];
    return [
      await ask('x'.repeat(64 * 1024 * 1024)),
      await ask(Array.from({ length: 300_000 }, (_, index) => ({ index }))),
      await ask(deep),
      await ask(new Uint8Array(64 * 1024 * 1024)),
    ];
  });
  for (const answer of answers) expect(answer).not.toMatch(/"ok":true/);
  expect(await longest).toBeLessThan(250); // about 5; cloning 64 MB takes longer
});
