/** A page whose process ended is loaded again: the window would stay empty. */
import { EventEmitter } from 'node:events';
import type { Session } from 'electron';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createWindow } from '../../app/window.ts';

let loads: number;
vi.mock('electron', () => ({
  nativeTheme: new EventEmitter(),
  screen: { getAllDisplays: () => [] },
  BrowserWindow: class extends EventEmitter {
    readonly webContents = Object.assign(new EventEmitter(), { reload: () => void (loads += 1) });
    isDestroyed(): boolean {
      return false;
    }
  },
}));

/** Ends the process of the page. */
let end: (reason: string) => void;

beforeEach(() => {
  vi.useFakeTimers();
  loads = 0;
  const { webContents } = createWindow({
    session: {} as Session,
    ...{ preload: '', icon: '', placeFile: '/nowhere', devTools: false },
  });
  end = (reason) => void (webContents as unknown as EventEmitter).emit('render-process-gone', {}, { reason });
});
afterEach(() => vi.useRealTimers());

it.each(['crashed', 'oom', 'killed', 'abnormal-exit'])('after %s', (reason) => {
  end(reason);
  vi.runAllTimers();
  expect(loads).toBe(1);
});

it('not after an orderly end', () => {
  end('clean-exit');
  vi.runAllTimers();
  expect(loads).toBe(0);
});

it('three times in a minute, and again after that', () => {
  for (let count = 0; count < 10; count++) end('crashed');
  vi.runAllTimers();
  expect(loads).toBe(3);
  vi.advanceTimersByTime(61_000);
  end('crashed');
  vi.runAllTimers();
  expect(loads).toBe(4);
});
