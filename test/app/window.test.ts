/** A page whose process ended is loaded again: the window would stay empty. */
import { EventEmitter } from 'node:events';
import type { Session } from 'electron';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { START_PAGE } from '../../app/page-file.ts';
import { createWindow } from '../../app/window.ts';

let loaded: string[];
vi.mock('electron', () => ({
  nativeTheme: new EventEmitter(),
  screen: { getAllDisplays: () => [] },
  BrowserWindow: class extends EventEmitter {
    readonly webContents = new EventEmitter();
    isDestroyed(): boolean {
      return false;
    }
    loadURL(url: string): Promise<void> {
      loaded.push(url);
      return Promise.resolve();
    }
  },
}));

/** Ends the process of the page. */
let end: (reason: string) => void;

beforeEach(() => {
  vi.useFakeTimers();
  loaded = [];
  const { webContents } = createWindow({
    session: {} as Session,
    ...{ preload: '', icon: '', placeFile: '/nowhere', devTools: false },
  });
  end = (reason) => void (webContents as unknown as EventEmitter).emit('render-process-gone', {}, { reason });
});
afterEach(() => vi.useRealTimers());

it.each(['crashed', 'oom', 'killed', 'abnormal-exit'])('after %s', (reason) => {
  end(reason);
  expect(loaded).toEqual([START_PAGE]);
});

it('not after an orderly end', () => {
  end('clean-exit');
  expect(loaded).toEqual([]);
});

it('three times in a minute, and again after that', () => {
  for (let count = 0; count < 10; count++) end('crashed');
  expect(loaded).toHaveLength(3);
  vi.advanceTimersByTime(61_000);
  end('crashed');
  expect(loaded).toHaveLength(4);
});
