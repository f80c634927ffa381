// Run by lock-hostile.test.ts in a process of its own, in which locks hang or are refused. Takes the locks named in its arguments one after
// the other, `a+b` at the same time, and prints the result of each and the longest block of the main thread. Between them, it waits (`wait
// 100`), waits until the native module of a lock is loaded (`loaded a`), or renames a file, as an upgrade does (`rename a b`). `until-held
// a` takes a lock that is to be free soon, once a second, for a minute at most.
import { renameSync } from 'node:fs';
import { FileLock } from '../../src-main/lock/file-lock.ts';
import { loadedBinaries } from '../../src-main/native-module.ts';

const [deadline = '', ...rounds] = process.argv.slice(2);
const locks = new Map<string, FileLock>();
let [last, longestStop] = [performance.now(), 0];
setInterval(() => {
  longestStop = Math.max(longestStop, performance.now() - last);
  last = performance.now();
}, 5).unref();

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const verbs: Readonly<Record<string, (a?: string, b?: string) => unknown>> = {
  wait: (milliseconds) => pause(Number(milliseconds)),
  loaded: async (file = '') => {
    locks.set(file, new FileLock(file, { deadline: Number(deadline) }));
    while (loadedBinaries().length === 0) await pause(10);
  },
  rename: (from = '', to = '') => renameSync(from, to),
  'until-held': async (file = '') => {
    for (let times = 0; times < 60; times++) {
      if ((await take(file)) === 'held') return;
      await pause(1000);
    }
  },
};

async function take(file: string): Promise<string> {
  const lock = locks.get(file) ?? new FileLock(file, { deadline: Number(deadline) });
  locks.set(file, lock);
  const start = performance.now();
  const outcome = await lock.hold(() => Promise.resolve({ code: 'held' })).catch((error: unknown) => error);
  const { code, message, path } = outcome as { code: string; message?: string; path?: string };
  const took = performance.now() - start;
  process.stdout.write(`${JSON.stringify({ file, code, message, path, took })}\n`);
  return code;
}

for (const round of rounds) {
  const [verb = '', ...words] = round.split(' ');
  if (verb in verbs) {
    await verbs[verb]?.(...words);
    continue;
  }
  await Promise.all(round.split('+').map(take));
}
await Promise.all([...locks.values()].map((lock) => lock.close()));
const clock = Math.abs(Date.now() - Date.now());
process.stdout.write(`${JSON.stringify({ longestStop, clock })}\n`);
