/** The end of the app: running work ends first, once, up to a limit, so that a hanging keychain does not keep the app from quitting. */
import { setTimeout as delay } from 'node:timers/promises';
import { app } from 'electron';
import { report } from './report.ts';
import type { RunningApp } from './start.ts';

/** The part of the running app that is ended. */
export type Ending = Pick<RunningApp, 'close' | 'stuck'>;

/** Milliseconds that a sign-out may take to notify the provider. The rest is recorded and done at the next start. */
const LONGEST_END = 5_000;

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
      if (stuck) process.kill(process.pid, 'SIGKILL');
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
