import { delaysIn } from './watched-lock.ts';

/** A kill, in nanoseconds of the system's monotonic clock, which all processes share. */
export interface Death {
  slot: number;
  killed: bigint;
  /** From here on the system has taken back what it held. */
  dead: bigint;
  /** The locks that it held. */
  held: readonly string[];
  /** By process: how long its threads had been ready and not let run by then; see `delaysOf`. */
  delays: ReadonlyMap<number, string>;
}

/** A writer got a lock; see `watchLocks`. */
export interface Locking {
  lock: string;
  pid: number;
  since: bigint;
  at: bigint;
  delays: string;
}

/** What a writer began at `begun` is durable at `at`. */
export interface Saving {
  slot: number;
  begun: bigint;
  at: bigint;
}

/** How long writers wait for one that was killed. It is told in any order: each process speaks for itself. */
export class Waits {
  readonly deaths: Death[] = [];
  readonly lockings: Locking[] = [];
  readonly savings: Saving[] = [];

  /** From the end of a lock's holder until the next one had it, where that one waited for it. */
  handovers(): { blocked: number[]; all: number[] } {
    const blocked: number[] = [];
    const all: number[] = [];
    const lockings = this.lockings.sort((a, b) => Number(a.at - b.at));
    for (const { killed, dead, held, delays } of this.deaths) {
      for (const lock of held) {
        const next = lockings.find((other) => other.lock === lock && other.at > killed);
        if (next === undefined || next.since === 0n || next.since > dead) continue;
        const wait = Math.max(0, Number(next.at - dead));
        blocked.push(Math.max(0, wait - starved(delays.get(next.pid) ?? '-', next.delays)));
        all.push(wait);
      }
    }
    return { blocked: milliseconds(blocked), all: milliseconds(all) };
  }

  /** From a kill to the next acknowledged update of a writer that was at it. */
  untilSaved(): number[] {
    const savings = this.savings.sort((a, b) => Number(a.at - b.at));
    const times = this.deaths.flatMap(({ slot, killed }) => {
      const next = savings.find(
        (saving) => saving.slot !== slot && saving.begun < killed && saving.at > killed,
      );
      return next === undefined ? [] : [Number(next.at - killed)];
    });
    return milliseconds(times);
  }

  /** From a kill to the end of the process. */
  untilDead(): number[] {
    return milliseconds(this.deaths.map(({ killed, dead }) => Number(dead - killed)));
  }
}

/**
 * Nanoseconds of a wait for which the processor was what was waited for, added up over the threads of the process: the thread for
 * locks has to run until it has the lock, then the main thread, to hear of it, and either may wait for a thread that collects garbage.
 */
function starved(before: string, after: string): number {
  const known = delaysIn(before);
  let sum = 0n;
  for (const [thread, delay] of delaysIn(after)) sum += delay - (known.get(thread) ?? delay);
  return Number(sum);
}

function milliseconds(times: readonly number[]): number[] {
  return times.map((time) => time / 1e6).sort((a, b) => a - b);
}

export function summary(sorted: readonly number[]): string {
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
  return `median ${at(0.5)}, 99 % ${at(0.99)}, worst ${at(1)} ms (${sorted.length})`;
}
