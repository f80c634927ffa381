/** A quit that is asked for again, as when the clipboard is cleared, waits for the same end. */
import { expect, it, vi } from 'vitest';
import { endInGoodOrder } from '../../app/ending.ts';

const electron = vi.hoisted(() => ({
  quits: 0,
  willQuit: (_event: { preventDefault(): void }): void => undefined,
}));
vi.mock('electron', () => ({
  app: {
    on: (_name: string, call: typeof electron.willQuit) => void (electron.willQuit = call),
    quit: () => void (electron.quits += 1),
  },
}));

/** Returns whether the quit was held back. */
function quit(): boolean {
  let isHeld = false;
  electron.willQuit({ preventDefault: () => (isHeld = true) });
  return isHeld;
}

it('closes once for any number of quits, and lets none through before', async () => {
  let closes = 0;
  let closed = (): void => undefined;
  const closing = new Promise<void>((resolve) => (closed = resolve));
  endInGoodOrder(
    Promise.resolve({
      stuck: false,
      close() {
        closes += 1;
        return closes === 1 ? closing : Promise.resolve(); // a second call has nothing to wait for
      },
    }),
  );
  expect([quit(), quit()]).toEqual([true, true]);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(quit()).toBe(true);
  expect([closes, electron.quits]).toEqual([1, 0]);
  closed();
  await expect.poll(() => electron.quits).toBe(1);
  expect(quit()).toBe(false);
});
