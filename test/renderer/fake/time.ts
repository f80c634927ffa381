import type { Time, Visibility } from '../../../src-renderer/state/ports.ts';

export interface FakeTime extends Time {
  /** Changes the time of day, and nothing else: timers run on. */
  jump: (milliseconds: number) => void;
  /** Advances the clock and runs due timers in order. */
  pass: (milliseconds: number) => Promise<void>;
  /** When the pending timers fire, in milliseconds since the epoch. */
  pending: () => number[];
}

/** A clock that only moves when a test advances it. */
export function fakeTime(start = 1_700_000_000_000): FakeTime {
  let now = start;
  let jumped = 0;
  let waiting: { at: number; call: () => void }[] = [];
  return {
    now: () => now + jumped,
    after(milliseconds, call) {
      const entry = { at: now + milliseconds, call };
      waiting.push(entry);
      return () => {
        waiting = waiting.filter((other) => other !== entry);
      };
    },
    spent: () => now,
    turn: () => Promise.resolve(),
    drawn: () => Promise.resolve(),
    pending: () => waiting.map(({ at }) => at + jumped),
    jump: (milliseconds) => void (jumped += milliseconds),
    async pass(milliseconds) {
      const until = now + milliseconds;
      for (;;) {
        const [next] = waiting.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        now = Math.max(now, next.at);
        waiting = waiting.filter((other) => other !== next);
        next.call();
        await settled();
      }
      now = until;
      await settled();
    },
  };
}

export interface FakeVisibility extends Visibility {
  set: (visible: boolean) => void;
}

/** A window that is visible until a test hides it. */
export function fakeVisibility(): FakeVisibility {
  let visible = true;
  const listeners = new Set<() => void>();
  return {
    isVisible: () => visible,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(next) {
      visible = next;
      for (const listener of listeners) listener();
    },
  };
}

/** Waits until pending promises have settled. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
