/** The question before a quit that loses changes: asked for each quit that would, and for no other. */
import type { BrowserWindow } from 'electron';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { askBeforeQuitting, type Quitting } from '../../app/quitting.ts';
import type { Vault } from '../../src-main/index.ts';

type Listener = (event: { preventDefault(): void }) => void;
const electron = vi.hoisted(() => ({
  quits: 0,
  questions: 0,
  agrees: true,
  asked: { detail: '', signal: new AbortController().signal },
  listeners: new Map<string, Listener>(),
}));
vi.mock('electron', () => ({
  app: {
    on: (name: string, call: Listener) => void electron.listeners.set(name, call),
    quit: () => void (electron.quits += 1),
  },
  powerMonitor: { on: (name: string, call: Listener) => void electron.listeners.set(name, call) },
  dialog: {
    showMessageBox(question: typeof electron.asked) {
      electron.questions += 1;
      electron.asked = question;
      return Promise.resolve({ response: electron.agrees ? 0 : 1 });
    },
  },
}));

const vault = {
  status: { state: 'locked', held: 'memory', unsaved: 1 },
  read: () => Promise.resolve([{ username: 'ada@example.test', home_account_id: 'ada' }]),
} as unknown as Vault;
let isUnsaved: boolean;
let here: AbortController;
let stays: boolean;
let stopped: number;
let quitting: Quitting;
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
let before: Map<string, readonly ((...args: never[]) => unknown)[]>;

beforeEach(() => {
  Object.assign(electron, { quits: 0, questions: 0, agrees: true });
  [isUnsaved, stays, stopped, here] = [true, false, 0, new AbortController()];
  before = new Map(signals.map((signal) => [signal, process.listeners(signal)]));
  quitting = askBeforeQuitting({
    unsaved: () => (isUnsaved ? vault : undefined),
    whileHere: () => here.signal,
    window: () => undefined,
    staysWithoutWindow: () => stays,
    onStay: () => (stopped += 1),
  });
});
afterEach(() => {
  for (const signal of signals)
    for (const listener of process.listeners(signal))
      if (before.get(signal)?.includes(listener) !== true) process.off(signal, listener);
});

/** Sends an event; returns whether it was held back. */
function send(listener: Listener | undefined): boolean {
  let isHeld = false;
  listener?.({ preventDefault: () => (isHeld = true) });
  return isHeld;
}
const quit = (): boolean => send(electron.listeners.get('before-quit'));

/** Closes a window; returns whether that was held back. */
function closeWindow(): boolean {
  let onClose: Listener | undefined;
  quitting.hold({ on: (_name: string, call: Listener) => void (onClose = call) } as unknown as BrowserWindow);
  return send(onClose);
}

it('holds a quit back until the user agrees, who is then not asked again', async () => {
  expect(quit()).toBe(true);
  await expect.poll(() => electron.quits).toBe(1);
  expect(quit()).toBe(false);
  expect(electron.questions).toBe(1);
});

it('reports that the user stopped a quit, and nothing else', async () => {
  expect(quit()).toBe(true);
  await expect.poll(() => electron.quits).toBe(1);
  quitting.stays();
  electron.agrees = false;
  expect(await quitting.mayQuit()).toBe(false); // nothing had begun to quit
  expect(stopped).toBe(0);
  expect(quit()).toBe(true);
  await expect.poll(() => stopped).toBe(1);
  expect(electron.quits).toBe(1);
});

it('asks again where the app did not quit after all, as when an update could not be installed', async () => {
  expect(await quitting.mayQuit()).toBe(true);
  expect(quit()).toBe(false);
  quitting.stays();
  electron.agrees = false;
  expect(quit()).toBe(true);
  expect(await quitting.mayQuit()).toBe(false);
  expect(electron.questions).toBe(2);
});

it('asks again about changes that came after those were saved that the user agreed to lose', async () => {
  expect(await quitting.mayQuit()).toBe(true);
  isUnsaved = false;
  expect(quit()).toBe(false);
  isUnsaved = true;
  expect(quit()).toBe(true);
  await expect.poll(() => electron.questions).toBe(2);
});

it.runIf(process.platform !== 'darwin')('asks before a window is closed if that quits the app', async () => {
  stays = true;
  expect(closeWindow()).toBe(false);
  expect(electron.questions).toBe(0);
  stays = false;
  expect(closeWindow()).toBe(true);
  await expect.poll(() => electron.questions).toBe(1);
});

it('never asks at the end of the system’s session, even after a question was answered with no', async () => {
  electron.agrees = false;
  expect(await quitting.mayQuit()).toBe(false);
  send(electron.listeners.get('shutdown'));
  quitting.stays();
  expect(electron.quits).toBe(1);
  expect(quit()).toBe(false);
  expect(await quitting.mayQuit()).toBe(true);
  expect(electron.questions).toBe(1);
});

it('closes the question when the vault is locked, and names no account after that', async () => {
  await quitting.mayQuit();
  expect(electron.asked.detail).toContain('ada@example.test');
  expect(electron.asked.signal.aborted).toBe(false);
  here.abort();
  expect(electron.asked.signal.aborted).toBe(true);
  quitting.stays();
  await quitting.mayQuit();
  expect(electron.asked.detail).not.toContain('ada@example.test');
  expect(electron.asked.signal.aborted).toBe(false);
});
