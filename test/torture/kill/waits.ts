import { callsIn, delaysIn } from './watched-lock.ts';

/** A kill, in nanoseconds of the system's monotonic clock, which all processes share. */
export interface Death {
  slot: number;
  killed: bigint;
  /** From then on, the system has released its locks. */
  dead: bigint;
  /** The locks that it held. */
  held: readonly string[];
  /** By process: how long its threads had been runnable but not running by then; see `delaysOf`. */
  delays: ReadonlyMap<number, string>;
}

/** A writer got a lock; see `watchLocks`. */
export interface Locking {
  lock: string;
  pid: number;
  since: bigint;
  at: bigint;
  delays: string;
  /** The calls that blocked the main thread meanwhile; see `watchLocks`. */
  calls: string;
}

/** An update that a writer began at `begun` is durable at `at`. */
export interface Saving {
  slot: number;
  begun: bigint;
  at: bigint;
}

/** A wait for the lock of a killed process, in nanoseconds, and what the waiting process did meanwhile. */
interface Handover {
  wait: number;
  /** Its threads were runnable but not running. */
  starved: number;
  /** Its main thread was in these calls. */
  calls: string;
}

/** Measures how long writers wait for one that was killed. Events may arrive in any order, since each process reports its own. */
export class Waits {
  readonly deaths: Death[] = [];
  readonly lockings: Locking[] = [];
  readonly savings: Saving[] = [];

  /** From the end of a lock's holder until the next one had it, where that one waited for it. */
  handovers(): { blocked: number[]; all: number[]; longest: string } {
    const found: Handover[] = [];
    const lockings = this.lockings.sort((a, b) => Number(a.at - b.at));
    for (const { killed, dead, held, delays } of this.deaths) {
      for (const lock of held) {
        const next = lockings.find((other) => other.lock === lock && other.at > killed);
        if (next === undefined || next.since === 0n || next.since > dead) continue;
        const wait = Math.max(0, Number(next.at - dead));
        const calls = callsIn(next.calls).flatMap(({ name, start, end }) => {
          const time = Number((end < next.at ? end : next.at) - (start > dead ? start : dead));
          return time > 0 ? [`${name} ${(time / 1e6).toFixed(0)} ms`] : [];
        });
        found.push({
          wait,
          starved: starved(delays.get(next.pid) ?? '-', next.delays),
          calls: calls.join(', '),
        });
      }
    }
    const blockedIn = ({ wait, starved }: Handover): number => Math.max(0, wait - starved);
    const longest = found.toSorted((a, b) => blockedIn(b) - blockedIn(a)).slice(0, 5);
    return {
      blocked: milliseconds(found.map(blockedIn)),
      all: milliseconds(found.map(({ wait }) => wait)),
      longest: longest.map(toldOf).join('; '),
    };
  }

  /** From a kill to the next acknowledged update of a writer that was waiting. */
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

function toldOf({ wait, starved, calls }: Handover): string {
  const [all, queued] = [wait, starved].map((time) => (time / 1e6).toFixed(1));
  return `${all} ms, ${queued} of them for a processor${calls === '' ? '' : `, in ${calls}`}`;
}

/**
 * Nanoseconds of a wait for which the processor was what was waited for, added up over the threads of the process: the thread for
 * locks has to run until it has the lock, then the main thread, to hear of it, and either may wait for a thread that collects garbage.
 */
function starved(before: string, after: string): number {
  const known = delaysIn(before);
  let sum = 0n;
  for (const [thread, delay] of delaysIn(after)) {
    const more = delay - (known.get(thread) ?? delay);
    if (more > 0n) sum += more; // A process that got the lock at once was read before the campaign came to read it.
  }
  return Number(sum);
}

function milliseconds(times: readonly number[]): number[] {
  return times.map((time) => time / 1e6).sort((a, b) => a - b);
}

export function summary(sorted: readonly number[]): string {
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
  return `median ${at(0.5)}, 99 % ${at(0.99)}, worst ${at(1)} ms (${sorted.length})`;
}
