/** A script in the real window, in the real Electron: navigation, frames, windows, and calls over the bridges. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { _electron, type ElectronApplication, type Page } from '@playwright/test';
import { findElectron } from '../../scripts/electron-path.mjs';
import { startDisplay } from '../../scripts/session/display.mjs';
import { HELD } from '../support/driven.ts';
import { startKeyring } from '../support/keyring.ts';
import { must } from './score.ts';
import { inTime, type Scene } from './scene.ts';

const OUT = join(import.meta.dirname, '../../out');
const START_PAGE = 'app://tokenkeep/';

export async function attackWindow(scene: Scene): Promise<void> {
  const keyring = await startKeyring();
  const display =
    process.platform === 'linux'
      ? await startDisplay(keyring.env['XDG_RUNTIME_DIR'] ?? '', process.env)
      : undefined;
  const sink = createServer((socket) => socket.on('error', () => undefined));
  let connections = 0;
  sink.on('connection', () => connections++);
  await once(sink.listen(0, '127.0.0.1'), 'listening');
  const electron = findElectron();
  if (electron === undefined) throw new Error('There is no Electron: run `npm test`, which installs it.');
  const app = await _electron.launch({
    executablePath: electron.executable,
    args: [...HELD, join(OUT, 'main.cjs'), '--demo'],
    env: {
      ...keyring.env,
      ...(display && { DISPLAY: display.DISPLAY, XAUTHORITY: display.XAUTHORITY }),
    },
    chromiumSandbox: true,
    timeout: 120_000,
  });
  try {
    const window = await app.firstWindow();
    await window.getByRole('listbox', { name: 'Accounts' }).waitFor({ timeout: 60_000 });
    await watchMain(app);
    const { port } = sink.address() as AddressInfo;
    await navigate(scene, app, window, port);
    await makeFrames(scene, app, window);
    await callBridges(scene, app, window);
    await openWindows(scene, app);
    await scene.score.try('window: sockets opened by all of it', 'loopback', () =>
      must(connections === 0, `${connections} connections.`),
    );
  } finally {
    await app.close().catch(() => undefined);
    sink.close();
    await display?.end();
    await keyring.close();
  }
}

interface Watched {
  opened: string[];
  asked: number;
}

/** Dialogs say no, nothing opens, and both are counted. */
async function watchMain(app: ElectronApplication): Promise<void> {
  await app.evaluate(({ dialog, shell }) => {
    const watched: Watched = { opened: [], asked: 0 };
    Object.assign(globalThis, { watched });
    const no = () =>
      Promise.resolve((watched.asked++, { response: 1, canceled: true, filePaths: [], filePath: '' }));
    Object.assign(dialog, { showMessageBox: no, showOpenDialog: no, showSaveDialog: no });
    Object.assign(shell, {
      openExternal: (url: string) => Promise.resolve(void watched.opened.push(url)),
      openPath: (path: string) => Promise.resolve((watched.opened.push(path), '')),
      showItemInFolder: () => undefined, // `showFile` shows the vault's own file
    });
  });
}

/** @throws Error if the window is elsewhere, there is another one, or something was opened or asked */
async function assertHeld(app: ElectronApplication, window: Page): Promise<void> {
  const { opened, asked, windows, polluted } = await app.evaluate(({ BrowserWindow }) => ({
    ...(globalThis as unknown as { watched: Watched }).watched,
    windows: BrowserWindow.getAllWindows().length,
    polluted: Object.keys(Object.prototype).length > 0,
  }));
  const { href, isServed } = await window.evaluate(async () => ({
    href: location.href,
    isServed: (
      await (
        window as never as { tokenCache: { accounts(): Promise<{ ok: boolean }> } }
      ).tokenCache.accounts()
    ).ok,
  }));
  must(href === START_PAGE, `The window shows ${href}.`);
  must(isServed, 'The window’s own requests are no longer answered.');
  must(windows === 1, `There are ${windows} windows.`);
  must(opened.length === 0, `Opened: ${opened.join(', ')}`);
  must(asked === 0, `${asked} dialogs were shown.`);
  must(!polluted, 'Object.prototype of the main process was changed.');
}

async function navigate(
  { random, score, short }: Scene,
  app: ElectronApplication,
  window: Page,
  port: number,
): Promise<void> {
  const addresses = [
    `http://127.0.0.1:${port}/`,
    'https://example.org/',
    'file:///etc/passwd',
    'javascript:document.title',
    'about:blank',
    'about:blank#x',
    'about:srcdoc',
    'data:text/html,<script>1</script>',
    'chrome://version',
    'devtools://devtools/bundled/inspector.html',
    'view-source:app://tokenkeep/',
    'blob:app://tokenkeep/x',
    'app://other/',
    'app://tokenkeep/main.cjs',
    'app://tokenkeep/../preload.cjs',
    'app://tokenkeep/%2e%2e/',
    'mailto:a@evil.example',
    'ms-settings:',
    'filesystem:app://tokenkeep/temporary/x',
    '//evil.example/',
    '\\\\evil.example\\x',
  ];
  const ways = [
    'href',
    'assign',
    'replace',
    'anchor',
    'blank',
    'form',
    'refresh',
    'open',
    'open named',
    'base',
    'area',
    'svg',
  ];
  const all = addresses.flatMap((address) => ways.map((way) => ({ address, way })));
  for (const { address, way } of short ? random.sample(all, 20) : all) {
    await score.try('window: navigation', `${way} to ${address}`, async () => {
      const script = window.evaluate(
        async ([url, by]) => {
          const element = (tag: string, fields: object): HTMLElement => {
            const made = Object.assign(document.createElement(tag), fields);
            document.body.append(made);
            return made;
          };
          const link = (fields: object): void => {
            const anchor = element('a', { href: url, ...fields });
            anchor.click();
            anchor.remove();
          };
          try {
            if (by === 'href') location.href = url;
            else if (by === 'assign') location.assign(url);
            else if (by === 'replace') location.replace(url);
            else if (by === 'anchor') link({});
            else if (by === 'blank') link({ target: '_blank', rel: 'opener' });
            else if (by === 'open') open(url);
            else if (by === 'open named') open(url, 'x', 'popup,noopener');
            else if (by === 'form') {
              const form = element('form', {
                action: url,
                method: 'post',
                target: '_top',
              }) as HTMLFormElement;
              form.submit();
              form.remove();
            } else if (by === 'refresh') {
              const meta = Object.assign(document.createElement('meta'), { content: `0;url=${url}` });
              meta.httpEquiv = 'refresh';
              document.head.append(meta);
              setTimeout(() => meta.remove(), 100);
            } else if (by === 'base') {
              const base = Object.assign(document.createElement('base'), { href: url });
              document.head.append(base);
              link({ href: 'x' });
              base.remove();
            } else if (by === 'area') {
              const area = element('area', { href: url });
              area.click();
              area.remove();
            } else {
              const svg = document.createElementNS('http://www.w3.org/2000/svg', 'a');
              svg.setAttribute('href', url);
              document.body.append(svg);
              svg.dispatchEvent(new MouseEvent('click', { bubbles: true }));
              svg.remove();
            }
          } catch {
            // Refused.
          }
          await new Promise((resolve) => setTimeout(resolve, 60));
        },
        [address, way] as [string, string],
      );
      // A page that is reloaded or left cuts its own script off. What counts is where the window is, and what it gives.
      await inTime(
        20_000,
        script.catch(() => undefined),
      );
      await inTime(60_000, assertCameHome(app, window));
    });
  }
}

/**
 * Chromium goes to about: pages without asking anyone, and the window comes home by a second navigation. A look at the window in between
 * loses its page, which says nothing about the attack: it is repeated.
 */
async function assertCameHome(app: ElectronApplication, window: Page): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await window.waitForURL(START_PAGE, { timeout: 30_000 });
      await assertHeld(app, window);
      return;
    } catch (error) {
      if (tries === 20 || !/context was destroyed|undefined \(reading 'accounts'\)/.test(String(error)))
        throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function makeFrames({ score }: Scene, app: ElectronApplication, window: Page): Promise<void> {
  const ways = [
    'createElement',
    'namespace',
    'parsed',
    'template',
    'range',
    'document.write',
    'DOMParser',
    'cloned',
    'adopted',
    'shadow',
  ];
  const tags = ['iframe', 'IFRAME', 'frame', 'object', 'embed', 'portal', 'fencedframe', 'webview'];
  for (const way of ways) {
    for (const tag of tags) {
      await score.try('window: frames', `${tag} by ${way}`, async () => {
        const got = await window.evaluate(
          async ([name, by]) => {
            const markup = `<${name} src="about:blank" srcdoc="x" data="about:blank" type="text/html"></${name}>`;
            const markupAs = markup as unknown as never;
            let made: Node | null | undefined;
            try {
              if (by === 'createElement') made = document.createElement(name);
              else if (by === 'namespace')
                made = document.createElementNS('http://www.w3.org/1999/xhtml', `x:${name}`);
              else if (by === 'parsed') document.body.insertAdjacentHTML('beforeend', markupAs);
              else if (by === 'template') {
                const template = document.createElement('template');
                template.innerHTML = markupAs;
                made = template.content.cloneNode(true);
              } else if (by === 'range') made = document.createRange().createContextualFragment(markupAs);
              // oxlint-disable-next-line typescript/no-deprecated -- what an attack would use
              else if (by === 'document.write') document.write(markupAs);
              else if (by === 'DOMParser')
                made = new DOMParser().parseFromString(markupAs, 'text/html').body.firstChild;
              else if (by === 'cloned') {
                const page = document.implementation.createHTMLDocument();
                made = page.importNode(page.createElement(name), true);
              } else if (by === 'adopted') made = document.adoptNode(new Document().createElement(name));
              else document.createElement('div').attachShadow({ mode: 'open' }).innerHTML = markupAs;
              if (made) document.body.append(made);
            } catch {
              // Refused.
            }
            await new Promise((resolve) => setTimeout(resolve, 30));
            const frames = [...Array(window.frames.length).keys()].map(
              (index) => (window as unknown as Record<number, Window | undefined>)[index],
            );
            const bridges = frames.filter((frame) => {
              try {
                return frame !== undefined && 'tokenCache' in frame;
              } catch {
                return false;
              }
            });
            return { frames: frames.length, bridges: bridges.length };
          },
          [tag, way] as [string, string],
        );
        must(got.frames === 0, `There are ${got.frames} frames, ${got.bridges} with a bridge.`);
        await assertHeld(app, window);
      });
    }
  }
}

async function callBridges(
  { random, score, short }: Scene,
  app: ElectronApplication,
  window: Page,
): Promise<void> {
  const names = await window.evaluate(() =>
    (['tokenCache', 'app'] as const).flatMap((bridge) =>
      Object.keys((window as unknown as Record<string, object>)[bridge] ?? {}).map(
        (name) => `${bridge}.${name}`,
      ),
    ),
  );
  // These do what the window does without asking. `openDemo` and `leaveDemo` reload the page; the others clear the demo.
  const allowed = /\.(?:on|openDemo|leaveDemo|signOut|startFresh|recover|repair|undoRepair|installUpdate)$/;
  for (const name of names.filter((each) => !allowed.test(each))) {
    for (let round = 0; round < (short ? 2 : 25); round++) {
      const picks = Array.from({ length: random.below(4) }, () => random.below(1_000));
      await score.try('window: calls over the bridges', `${name}(${picks.join(', ')})`, async () => {
        const answer = await window.evaluate(
          async ([path, chosen]) => {
            const values: unknown[] = [
              undefined,
              null,
              true,
              -1,
              NaN,
              1e308,
              10n,
              '',
              'x',
              '__proto__',
              'x'.repeat(1_500_000),
              '../..',
              '\0',
              [],
              [null],
              {},
              new Array(50_000),
              new Date(),
              new Map([['a', 1]]),
              new Uint8Array(10),
              /x/,
              Symbol.iterator,
              () => 1,
              document.body,
              window,
              new Error('x'),
              new Proxy({}, {}),
              Promise.resolve(1),
              new Blob(['x']),
              new File(['{}'], '/etc/passwd'),
              { toString: () => 'x' },
              JSON.parse('{"__proto__":{"polluted":1}}'),
              {
                get secret(): string {
                  throw new Error('read');
                },
              },
              Object.create({ id: 'x' }),
              '/etc/passwd',
              'https://evil.example/',
            ];
            const [bridge = '', request = ''] = path.split('.');
            const ask = (
              window as unknown as Record<string, Record<string, (...args: unknown[]) => Promise<unknown>>>
            )[bridge]?.[request];
            const args = chosen.map((index) => values[index % values.length]);
            const late = new Promise((resolve) => setTimeout(() => resolve({ late: true }), 20_000));
            try {
              return JSON.stringify(await Promise.race([ask?.(...args), late]));
            } catch (error) {
              return JSON.stringify({ refused: (error as Error).name });
            }
          },
          [name, picks] as [string, number[]],
        );
        must(!answer.includes('"late":true'), 'There was no answer.');
        must(!answer.includes('"unexpected"'), `An unexpected error: ${answer}`);
        must(!/"ey[\w-]+\.[\w-]+\.[\w-]{8,}"/.test(answer), 'The answer holds a token.');
        await assertHeld(app, window);
      });
    }
  }
}

/** Windows that another part of the process opens with the app's preload script, at pages of all kinds. */
async function openWindows({ score }: Scene, app: ElectronApplication): Promise<void> {
  for (const page of [
    'about:blank',
    'data:text/html,x',
    'app://tokenkeep/',
    'app://other/',
    'file:///etc/hostname',
  ]) {
    await score.try('window: foreign windows', page, async () => {
      const answers = await app.evaluate(
        async ({ BrowserWindow, session }, [preload, url, own]) => {
          const served = BrowserWindow.getAllWindows()[0]!.webContents.session;
          const window = new BrowserWindow({
            show: false,
            webPreferences: {
              preload,
              sandbox: true,
              session: url.startsWith('app:') ? served : session.defaultSession,
            },
          });
          try {
            await window.loadURL(url).catch(() => undefined);
            return (await window.webContents
              .executeJavaScript(own)
              .catch((error: unknown) => [String(error)])) as string[];
          } finally {
            window.destroy();
          }
        },
        [join(OUT, 'preload.cjs'), page, ASK_ALL] as [string, string, string],
      );
      const wrong = answers.filter((each) => each !== 'refused');
      must(wrong.length === 0, `Answered: ${wrong.join(', ')}`);
    });
  }
}

const ASK_ALL = `(async () => {
  const answers = [];
  for (const bridge of ['tokenCache', 'app'])
    for (const [name, ask] of Object.entries(globalThis[bridge] ?? {}))
      if (name !== 'on' && name !== 'planImport')
        answers.push(await ask().then(({ ok, error }) => ok ? name : error.code));
  return [...new Set(answers)];
})()`;
