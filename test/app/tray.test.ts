/** Notices: a click on one does what it offers, however long it was shown. */
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it, vi } from 'vitest';
import { showNotice } from '../../app/tray.ts';

const shown: WeakRef<EventEmitter>[] = [];
vi.mock('electron', () => ({
  Notification: class extends EventEmitter {
    static isSupported(): boolean {
      return true;
    }
    show(): void {
      shown.push(new WeakRef(this));
    }
  },
}));

/** Collects garbage; a WeakRef holds its target until the turn ends. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let turn = 0; turn < 3; turn++) {
    await new Promise(setImmediate);
    gc();
  }
}

it.each(['click', 'action'])('a notice lasts until its %s', async (event) => {
  shown.splice(0);
  const done: string[] = [];
  showNotice({ accountId: 'ada', title: '', body: '' }, (action) => done.push(action.do));
  await collect();
  shown[0]?.deref()?.emit(event);
  expect(done).toEqual(['sign-in-again']);
  await collect();
  expect(shown[0]?.deref()).toBeUndefined();
});

it.each(['close', 'failed'])('a notice is forgotten after %s', async (event) => {
  shown.splice(0);
  showNotice({ accountId: null, title: '', body: '' }, () => undefined);
  shown[0]?.deref()?.emit(event);
  await collect();
  expect(shown[0]?.deref()).toBeUndefined();
});

it('has the ID on Windows that the installer gives to the shortcut', () => {
  const id = (file: string): string | undefined =>
    /^appId: (.*)$/m.exec(readFileSync(`electron-builder${file}.yml`, 'utf8'))?.[1];
  expect(id('.dev')).toBe(`${id('')}.development`);
  expect(readFileSync('app/main.ts', 'utf8')).toContain(`const APP_ID = '${id('')}';`);
});
