/** A quit that is asked for again, as when the clipboard is cleared, waits for the same end. */
import { beforeEach, expect, it, vi } from 'vitest';
import { closeInOrder, endInGoodOrder } from '../../app/ending.ts';
import { startAgain } from '../../app/restart.ts';

const electron = vi.hoisted(() => ({
  quits: 0,
  willQuit: (_event: { preventDefault(): void }): void => undefined,
  successors: 0,
  releases: 0,
  kills: 0,
  reports: 0,
  limits: [] as { milliseconds: number; pass: () => void }[],
}));
vi.mock('node:timers/promises', () => ({
  setTimeout: (milliseconds: number, value: unknown) =>
    new Promise((resolve) => electron.limits.push({ milliseconds, pass: () => resolve(value) })),
}));
vi.mock('../../app/report.ts', () => ({ report: () => void (electron.reports += 1) }));
vi.mock('node:child_process', () => ({
  spawn() {
    electron.successors += 1;
    return { unref: () => undefined };
  },
}));
vi.mock('electron', () => ({
  app: {
    on: (_name: string, call: typeof electron.willQuit) => void (electron.willQuit = call),
    once: () => undefined, // killed before it quits
    releaseSingleInstanceLock: () => void (electron.releases += 1),
    quit: () => void (electron.quits += 1),
  },
}));

beforeEach(() => {
  Object.assign(electron, { quits: 0, successors: 0, releases: 0, kills: 0, reports: 0, limits: [] });
  vi.spyOn(process, 'kill').mockImplementation(() => {
    electron.kills += electron.successors === electron.releases ? 1 : NaN;
    return true;
  });
});

/** Lets the time pass: the shortest of the limits that are waited for. */
function waitForLimit(): void {
  electron.limits.sort((a, b) => a.milliseconds - b.milliseconds);
  electron.limits.shift()?.pass();
}

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

const never = new Promise<void>(() => undefined);

it('closes the vault, and is not killed, if a provider does not answer and steps fail', async () => {
  const steps: string[] = [];
  const step = (name: string) => () => void steps.push(name);
  const failing = (): never => {
    throw new Error('The disk is gone.');
  };
  const close = (): Promise<void> =>
    closeInOrder({
      before: [failing, step('timers')],
      idle: () => never,
      after: [() => Promise.reject(new Error('The disk is gone.')), step('vault')],
    });
  endInGoodOrder(Promise.resolve({ stuck: false, close }));
  quit();
  await expect.poll(() => electron.limits.length).toBe(2);
  waitForLimit();
  await expect.poll(() => electron.quits).toBe(1);
  expect(steps).toEqual(['timers', 'vault']);
  expect([electron.reports, electron.kills]).toEqual([2, 0]);
});

it('starts its successor before it ends an app that hangs, and only if one is wanted', async () => {
  for (const wanted of [0, 1]) {
    if (wanted === 1) startAgain();
    endInGoodOrder(Promise.resolve({ stuck: true, close: () => never }));
    quit();
    waitForLimit();
    await expect.poll(() => electron.kills).toBe(wanted + 1);
    expect(electron.successors).toBe(wanted);
  }
});
