import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileLock } from '../../src-main/lock/file-lock.ts';
import { temporaryFolder } from '../vault/fakes.ts';

function newFile(): string {
  return join(temporaryFolder(), 'lock');
}

test('one holder at a time, of many', async () => {
  const file = newFile();
  const locks = Array.from({ length: 5 }, () => new FileLock(file));
  let holders = 0;
  let most = 0;
  const turns = locks.flatMap((lock) =>
    Array.from({ length: 5 }, () =>
      lock.hold(async () => {
        most = Math.max(most, (holders += 1));
        await new Promise((resolve) => setImmediate(resolve));
        holders -= 1;
      }),
    ),
  );
  await Promise.all(turns);
  expect(most).toBe(1);
  for (const lock of locks) await lock.close();
});

test('one who wants it all the time lets the one who waits go first', async () => {
  const file = newFile();
  const [greedy, patient] = [new FileLock(file), new FileLock(file)];
  let holds = 0;
  const done = new AbortController();
  const flush = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3));
  const greed = (async () => {
    for (; !done.signal.aborted && holds < 500; holds += 1) await greedy.hold(flush);
  })();
  await greedy.hold(flush);
  const before = holds;
  await patient.hold(() => {
    done.abort();
    return Promise.resolve();
  });
  expect(holds - before).toBeLessThan(6);
  await greed;
  await greedy.close();
  await patient.close();
});

test('a holder that takes too long: busy, and said so', async () => {
  const file = newFile();
  const [first, second] = [new FileLock(file), new FileLock(file, { patience: 20 })];
  let end = (): void => undefined;
  const held = first.hold(() => new Promise<void>((resolve) => (end = resolve)));
  await expect(second.hold(() => Promise.resolve())).rejects.toMatchObject({ code: 'vault_busy' });
  end();
  await held;
  await expect(second.hold(() => Promise.resolve('its turn'))).resolves.toBe('its turn');
  await first.close();
  await second.close();
});

test('a lock file that was deleted is made again, and is the one that all use', async () => {
  const file = newFile();
  const [first, second] = [new FileLock(file), new FileLock(file, { patience: 20 })];
  await first.hold(() => Promise.resolve());
  rmSync(file);
  await first.hold(async () => {
    await expect(second.hold(() => Promise.resolve())).rejects.toMatchObject({ code: 'vault_busy' });
  });
  await first.close();
  await second.close();
});
