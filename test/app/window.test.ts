/** A page whose process ended is loaded again: the window would stay empty. */
import { EventEmitter } from 'node:events';
import type { Session } from 'electron';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { bringToFront, createWindow } from '../../app/window.ts';

let loads: number;
let isCrashed: boolean;
vi.mock('electron', () => ({
  nativeTheme: new EventEmitter(),
  screen: { getAllDisplays: () => [] },
  BrowserWindow: class extends EventEmitter {
    readonly webContents = Object.assign(new EventEmitter(), {
      reload: () => void (loads += 1),
      isCrashed: () => isCrashed,
    });
    isDestroyed(): boolean {
      return false;
    }
    isMinimized(): boolean {
      return false;
    }
    show(): void {}
    focus(): void {}
  },
}));

/** Ends the process of the page. */
let end: (reason: string) => void;
let window: ReturnType<typeof createWindow>;

beforeEach(() => {
  vi.useFakeTimers();
  [loads, isCrashed] = [0, false];
  window = createWindow({
    session: {} as Session,
    ...{ preload: '', icon: '', placeFile: '/nowhere', devTools: false },
  });
  end = (reason) =>
    void (window.webContents as unknown as EventEmitter).emit('render-process-gone', {}, { reason });
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

it('when the user asks for the window, which a page that ended too often leaves empty', () => {
  bringToFront(window);
  expect(loads).toBe(0);
  for (let count = 0; count < 4; count++) end('crashed');
  vi.runAllTimers();
  expect(loads).toBe(3);
  isCrashed = true;
  bringToFront(window);
  expect(loads).toBe(4);
});
