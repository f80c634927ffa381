import { expect, it, vi } from 'vitest';
import { serveTokenCache } from '../../src-main/electron/serve.ts';
import type { Vault } from '../../src-main/vault/api.ts';

vi.mock('electron', () => ({
  app: { on: () => undefined, off: () => undefined },
  BrowserWindow: { fromWebContents: () => null },
  clipboard: {},
  ipcMain: { handle: () => undefined, removeHandler: () => undefined },
  powerMonitor: { on: () => undefined, off: () => undefined },
}));

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
