import type { WebContents } from 'electron';
import { beforeEach, expect, it, vi } from 'vitest';
import { TokenCache } from '../../src-main/index.ts';
import { type ServedTokenCache, serveTokenCache } from '../../src-main/electron/serve.ts';
import type { Vault } from '../../src-main/vault/api.ts';
import { fakeVault } from '../ipc/fake-vault.ts';

/** Electron's objects, of which only the members that are used exist here; the end-to-end tests use the real ones. */
const electron = vi.hoisted(() => {
  const listeners = new Map<string, ((event: unknown) => void)[]>();
  const emitter = {
    on: (name: string, call: (event: unknown) => void) =>
      void listeners.set(name, [...(listeners.get(name) ?? []), call]),
    off: (name: string, call: (event: unknown) => void) =>
      void listeners.set(
        name,
        (listeners.get(name) ?? []).filter((each) => each !== call),
      ),
  };
  const handlers = new Map<string, (event: unknown, ...args: unknown[]) => Promise<unknown>>();
  return {
    listeners,
    handlers,
    quits: 0,
    clipboard: '',
    clipboardFails: false,
    /** Questions that are open. */
    open: [] as { signal: AbortSignal | undefined; answer: (agreed: boolean) => void }[],
    mock: {
      app: { ...emitter, isPackaged: true, quit: () => void (electron.quits += 1) },
      BrowserWindow: { fromWebContents: () => null },
      clipboard: {
        async readText() {
          if (electron.clipboardFails) throw new Error('The clipboard is broken.');
          return Promise.resolve(electron.clipboard);
        },
        writeText: (text: string) => Promise.resolve(void (electron.clipboard = text)),
        clear: () => Promise.resolve(void (electron.clipboard = '')),
      },
      dialog: {
        showMessageBox: ({ signal }: { signal?: AbortSignal }) =>
          new Promise((resolve) => {
            const answer = (agreed: boolean): void =>
              resolve({ response: agreed ? 0 : 1, checkboxChecked: agreed });
            signal?.addEventListener('abort', () => answer(false));
            electron.open.push({ signal, answer });
          }),
      },
      ipcMain: {
        handle: (channel: string, handler: (event: unknown, ...args: unknown[]) => Promise<unknown>) =>
          void handlers.set(channel, handler),
        removeHandler: (channel: string) => void handlers.delete(channel),
      },
      powerMonitor: emitter,
    },
  };
});
vi.mock('electron', () => electron.mock);

beforeEach(() => {
  Object.assign(electron, { quits: 0, clipboard: '', clipboardFails: false, open: [] });
});

const ORIGIN = 'app://tokenkeep';

/** The contents of a window or a view, with what they were sent and who waits for their events. */
function contentsAt(origin: string) {
  const sent: string[] = [];
  const listeners = new Map<string, (event: unknown, input: { type: string }) => void>();
  const listen = (name: string, call: (event: unknown, input: { type: string }) => void): void =>
    void listeners.set(name, call);
  const mainFrame = { origin, parent: null };
  const contents = {
    mainFrame,
    isDestroyed: () => false,
    send: (channel: string) => void sent.push(channel),
    on: listen,
    once: listen,
  };
  return {
    contents: contents as unknown as WebContents,
    sent,
    mainFrame,
    blur: () => listeners.get('blur')?.(null, { type: '' }),
    click: () => listeners.get('input-event')?.(null, { type: 'mouseDown' }),
  };
}

/** A vault with an access token, served to a view, and a function that asks for something as its page does. */
async function servedView() {
  const cache = new TokenCache();
  const response = { access_token: 'the access token', token_type: 'Bearer', expires_in: 3600 };
  cache.add({
    ...{ client_id: 'mail', scope: ['mail.read'], response },
    token_endpoint: 'https://login.example.org/token',
  });
  const view = contentsAt(ORIGIN);
  const served = serveTokenCache(Object.assign(counted().vault, fakeVault(cache)), {
    ...{ windows: () => [view.contents], origin: ORIGIN, only: ['accounts', 'tokens', 'copy'] as const },
  });
  const ask = async <T>(name: string, ...args: unknown[]): Promise<T> => {
    const event = { sender: view.contents, senderFrame: view.mainFrame };
    const found = [...electron.handlers].find(([channel]) => channel.endsWith(`:${name}`));
    const outcome = (await found?.[1](event, ...args)) as { ok: boolean; value: T };
    if (!outcome.ok) throw new Error(JSON.stringify(outcome));
    return outcome.value;
  };
  const [account] = (await ask<{ accounts: { id: string }[] }>('accounts')).accounts;
  const [token] = await ask<{ id: string }[]>('tokens', account?.id);
  const copy = (): Promise<unknown> => {
    view.click();
    return ask('copy', token?.id, 'token');
  };
  return { served, view, copy };
}

/** A vault that counts who listens to it. */
function counted(): { vault: Vault; listeners: () => number } {
  let listeners = 0;
  const vault = {
    status: { state: 'ready' },
    read: () => Promise.resolve(undefined),
    update: () => Promise.resolve(undefined),
    on: () => {
      listeners += 1;
      return () => {
        listeners -= 1;
      };
    },
  } as unknown as Vault;
  return { vault, listeners: () => listeners };
}

it('listens to the vault that was opened last, and to no other, until it is stopped', async () => {
  const [one, other] = [counted(), counted()];
  const turns = [one.vault, other.vault, one.vault, one.vault];
  const vault = vi.fn(() => Promise.resolve(turns.shift() ?? other.vault));
  const served = serveTokenCache(vault, { windows: () => [], origin: 'app://tokenkeep' });
  const heard: unknown[] = [[one.listeners(), other.listeners()]];
  for (let request = 0; request < 4; request += 1) {
    await served.copyChosen('no such token').catch(() => undefined);
    heard.push([one.listeners(), other.listeners()]);
  }
  expect(heard).toEqual([
    [0, 0],
    [0, 2],
    [2, 0],
    [2, 0],
    [0, 2],
  ]);
  served();
  expect([one.listeners(), other.listeners()]).toEqual([0, 0]);
});

it('tells only windows that show a page of the origin, not one that was navigated elsewhere', async () => {
  const [own, navigated] = [contentsAt(ORIGIN), contentsAt(ORIGIN)];
  const gone = contentsAt(ORIGIN);
  Object.defineProperty(gone.contents, 'mainFrame', {
    get() {
      throw new Error('Render frame was disposed before WebFrameMain could be accessed');
    },
  });
  const windows = [gone, own, navigated].map(({ contents }) => contents);
  const served = serveTokenCache(counted().vault, { windows: () => windows, origin: [ORIGIN, 'app://two'] });
  await Promise.resolve();
  navigated.mainFrame.origin = 'https://elsewhere.example';
  const before = own.sent.length;
  navigated.sent.length = 0;
  served.placesChanged();
  await served.planImport('/no/such/file.json');
  expect(own.sent.length).toBeGreaterThan(before);
  expect([navigated.sent, gone.sent]).toEqual([[], []]);
  served();
});

it.each<[string, (served: ServedTokenCache) => void]>([
  ['the screen is locked', () => electron.listeners.get('lock-screen')?.forEach((call) => call(null))],
  ['the clipboard is cleared, as when the user is idle', (served) => void served.clearClipboard()],
  ['serving ends', (served) => served()],
])('closes an open question unanswered when %s', async (_when, leave) => {
  const { served, copy } = await servedView();
  const copying = copy();
  await expect.poll(() => electron.open.length).toBe(1);
  leave(served);
  expect(electron.open[0]?.signal?.aborted).toBe(true);
  expect(await copying).toBeNull();
  expect(electron.clipboard).toBe('');
  served();
});

it('ends "don’t ask again" when a view, which is no window, loses the focus', async () => {
  const { served, view, copy } = await servedView();
  const first = copy();
  await expect.poll(() => electron.open.length).toBe(1);
  electron.open[0]?.answer(true);
  await first;
  await copy();
  expect(electron.open).toHaveLength(1);
  view.blur();
  const third = copy();
  await expect.poll(() => electron.open.length).toBe(2);
  electron.open[1]?.answer(false);
  expect(await third).toBeNull();
  served();
});

it('lets the app quit where the clipboard always fails', async () => {
  const { served, copy } = await servedView();
  const copying = copy();
  await expect.poll(() => electron.open.length).toBe(1);
  electron.open[0]?.answer(true);
  await copying;
  electron.clipboardFails = true;
  let prevented = 0;
  const quit = (): void =>
    electron.listeners.get('will-quit')?.forEach((call) => call({ preventDefault: () => (prevented += 1) }));
  quit();
  expect(prevented).toBe(1);
  await expect.poll(() => electron.quits).toBe(1);
  quit();
  expect(prevented).toBe(1);
  served(); // and its failure is no unhandled rejection
});
