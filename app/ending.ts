/** The end of the app: running work ends first, once, up to a limit, so that a hanging keychain does not keep the app from quitting. */
import { setTimeout as delay } from 'node:timers/promises';
import { app } from 'electron';
import { report } from './report.ts';
import { startSuccessor } from './restart.ts';

/** The part of the running app that is ended. */
export interface Ending {
  /** Waits for sign-outs in progress, up to a limit, and closes keys, timers and temporary files. */
  close(): Promise<void>;
  /** Whether a native keychain call is running, which can't be cancelled. */
  readonly stuck: boolean;
}

/** Milliseconds that sign-outs and refreshes may take to reach the provider. The rest is recorded and done at the next start. */
const LONGEST_WORK = 4_000;
/** Milliseconds for all of it, so that the vault and the demo's folder are closed after work that took the longest. */
const LONGEST_END = 7_000;

/** What ends the app's parts, in this order. */
export interface LastSteps {
  /** Ends what begins new work. */
  before: readonly (() => unknown)[];
  /** Resolves when the work in progress has ended. */
  idle: () => Promise<unknown>;
  /** Closes what the work needed. */
  after: readonly (() => unknown)[];
}

/** Takes all steps, although some fail, which is reported, and although the work does not end in time. */
export async function closeInOrder({ before, idle, after }: LastSteps): Promise<void> {
  const idleOrLate = (): Promise<unknown> => Promise.race([idle(), delay(LONGEST_WORK)]);
  for (const step of [...before, idleOrLate, ...after]) {
    try {
      await step();
    } catch (error) {
      report(error);
    }
  }
}

export function endInGoodOrder(running: Promise<Ending>): void {
  let ended = false;
  let ending: Promise<void> | undefined;
  app.on('will-quit', (event) => {
    if (ended) return;
    event.preventDefault();
    // A second quit while the first is being prepared, such as once the clipboard is cleared, does not cut it short.
    ending ??= Promise.race([running.then(end), delay(LONGEST_END, true)]).then((stuck) => {
      ended = true;
      // Node waits for native calls before it ends, possibly for minutes: the app would be invisible and still hold the lock. Every
      // acknowledged change is on disk.
      if (stuck) {
        startSuccessor();
        process.kill(process.pid, 'SIGKILL');
      }
      // Electron is still handling the prevented quit and ignores another until this event ends.
      setImmediate(() => app.quit());
    });
  });
}

/** Resolves with whether something is still running that can't be stopped. */
async function end(here: Ending): Promise<boolean> {
  const { stuck } = here;
  await here.close().catch(report);
  return stuck && here.stuck;
}
