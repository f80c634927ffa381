// Run by lock-hostile.test.ts in a process of its own, in which locks hang or are refused. Takes the locks named in its
// arguments one after the other, `a+b` side by side, waits for `wait 100`, and prints what came of each and the longest stop of the main thread.
import { FileLock } from '../../src-main/lock/file-lock.ts';

const [deadline = '', ...rounds] = process.argv.slice(2);
const locks = new Map<string, FileLock>();
let [last, longestStop] = [performance.now(), 0];
setInterval(() => {
  longestStop = Math.max(longestStop, performance.now() - last);
  last = performance.now();
}, 5).unref();

for (const round of rounds) {
  if (round.startsWith('wait ')) {
    await new Promise((resolve) => setTimeout(resolve, Number(round.slice(5))));
    continue;
  }
  await Promise.all(
    round.split('+').map(async (file) => {
      const lock = locks.get(file) ?? new FileLock(file, { deadline: Number(deadline) });
      locks.set(file, lock);
      const start = performance.now();
      const outcome = await lock
        .hold(() => Promise.resolve({ code: 'held' }))
        .catch((error: unknown) => error);
      const { code, message, path } = outcome as { code: string; message?: string; path?: string };
      const took = performance.now() - start;
      process.stdout.write(`${JSON.stringify({ file, code, message, path, took })}\n`);
    }),
  );
}
await Promise.all([...locks.values()].map((lock) => lock.close()));
process.stdout.write(`${JSON.stringify({ longestStop })}\n`);
