import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type LeavingMonitor, watchLeaving } from '../../app/leaving.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function stage() {
  const system = new EventEmitter();
  let [idle, left] = [0, 0];
  const monitor: LeavingMonitor = {
    on: (event, listener) => system.on(event, listener),
    getSystemIdleTime: () => idle,
  };
  const stop = watchLeaving(monitor, () => left++);
  return {
    stop,
    emit: (event: string) => system.emit(event),
    left: () => left,
    /** The next look comes when the system reports so many seconds without input. */
    lookAt: (seconds: number) => {
      idle = seconds;
      vi.advanceTimersByTime(60_000);
    },
  };
}

it.each(['lock-screen', 'suspend', 'user-did-resign-active'])('is told of %s', (event) => {
  const { emit, left, stop } = stage();
  emit(event);
  expect(left()).toBe(1);
  stop();
});

it('notices once that nobody was there for five minutes, also where a look comes late or the clock has jumped', () => {
  for (const [before, after] of [
    [299, 300],
    [299, 361],
    [0, 9_000],
  ] as const) {
    const { lookAt, left, stop } = stage();
    lookAt(before);
    expect(left()).toBe(0);
    lookAt(after);
    expect(left()).toBe(1);
    lookAt(after + 60);
    expect(left()).toBe(1);
    lookAt(3); // somebody came back, and leaves again
    lookAt(400);
    expect(left()).toBe(2);
    stop();
    lookAt(3);
    lookAt(400);
    expect(left()).toBe(2);
  }
});
