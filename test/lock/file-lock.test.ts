import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FileLock } from '../../src-main/lock/file-lock.ts';
import { MOVES, moved } from '../support/moved.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

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

test('a holder that asks again at once lets the one that waits go first', async () => {
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

test('a cancelled caller leaves the queue at once, and those behind it are next', async () => {
  const file = newFile();
  const [first, second, third] = [new FileLock(file), new FileLock(file), new FileLock(file)];
  let end = (): void => undefined;
  const held = first.hold(() => new Promise<void>((resolve) => (end = resolve)));
  const order: string[] = [];
  const caller = new AbortController();
  const calledOff = second.hold(() => Promise.resolve(order.push('called off')), caller.signal);
  const behind = second.hold(() => Promise.resolve(order.push('behind')));
  // It has the place in the line, as another process sees it.
  await expect
    .poll(() => new FileLock(file, { deadline: 1000 }).hold(() => Promise.resolve()).catch(String))
    .toMatch(/another program/i);
  const queued = third.hold(() => Promise.resolve(order.push('another')));
  caller.abort(new Error('enough'));
  await expect(calledOff).rejects.toThrow('enough'); // while the first still holds it
  expect(order).toEqual([]);
  end();
  await Promise.all([held, behind, queued]);
  expect(order.toSorted()).toEqual(['another', 'behind']);
  await expect(first.hold(() => Promise.resolve(), AbortSignal.abort(new Error('before')))).rejects.toThrow(
    'before',
  );
  for (const lock of [first, second, third]) await lock.close();
});

test('a holder that takes too long: the call rejects as busy', async () => {
  const file = newFile();
  const [first, second] = [new FileLock(file), new FileLock(file, { deadline: 1000 })];
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
  const [first, second] = [new FileLock(file), new FileLock(file, { deadline: 1000 })];
  await first.hold(() => Promise.resolve());
  rmSync(file);
  await first.hold(async () => {
    await expect(second.hold(() => Promise.resolve())).rejects.toMatchObject({ code: 'vault_busy' });
  });
  await first.close();
  await second.close();
});

const inFolder = (): string => {
  const folder = join(temporaryFolder(), 'folder');
  mkdirSync(folder);
  return join(folder, 'lock');
};

/** Whether one holder at a time has each of these locks. */
async function exclude(...locks: FileLock[]): Promise<boolean> {
  let [holders, most] = [0, 0];
  const turn = async (): Promise<void> => {
    most = Math.max(most, (holders += 1));
    await new Promise((resolve) => setTimeout(resolve, 30));
    holders -= 1;
  };
  await Promise.all(locks.map((lock) => lock.hold(turn)));
  return most === 1;
}

describe.each(MOVES)('a lock file that is %s', (how) => {
  const move = (file: string): void => moved(how, file);

  test.each([
    ['at once', 3],
    ['by waiting', 1],
  ])('is not taken any more: the one that all see is, %s', async (_how, times) => {
    const file = inFolder();
    const [first, later] = [new FileLock(file), new FileLock(file)];
    for (let time = 0; time < times; time += 1) await first.hold(() => Promise.resolve());
    move(file);
    expect(await exclude(first, later)).toBe(true);
    expect(await exclude(later, first)).toBe(true);
    for (const lock of [first, later]) await lock.close();
  });

  test('while it is held: the holder can know, and whoever waits for it takes the one that all see', async () => {
    const file = inFolder();
    const [holder, waiting, later] = [new FileLock(file), new FileLock(file), new FileLock(file)];
    const order: string[] = [];
    let waited: Promise<unknown> = Promise.resolve();
    await holder.hold(async () => {
      expect(await holder.isInPlace()).toBe(true);
      waited = waiting.hold(async () => {
        order.push('waited');
        expect(await waiting.isInPlace()).toBe(true);
        const more = new FileLock(file, { deadline: 1000 });
        await expect(more.hold(() => Promise.resolve())).rejects.toMatchObject({ code: 'vault_busy' });
        await more.close();
      });
      // It has opened the file that is about to be moved, and waits for it.
      await expect
        .poll(() => new FileLock(file, { deadline: 1000 }).hold(() => Promise.resolve()).catch(String))
        .toMatch(/another program/i);
      move(file);
      expect(await holder.isInPlace()).toBe(false);
      order.push('held');
    });
    await waited;
    expect(order).toEqual(['held', 'waited']);
    expect(await exclude(holder, waiting, later)).toBe(true);
    for (const lock of [holder, waiting, later]) await lock.close();
  });
});

test('a link in the place of a lock file, even to the locked file, is not followed', async () => {
  const file = newFile();
  const lock = new FileLock(file, { deadline: 2000 });
  for (let time = 0; time < 2; time += 1) await lock.hold(() => Promise.resolve());
  renameSync(file, `${file}.moved`);
  symlinkSync(`${file}.moved`, file);
  await expect(lock.hold(() => Promise.resolve())).rejects.toMatchObject({ code: 'lock_file_invalid' });
  await lock.close();
});

/** A program that is independent of Tokenkeep, and locks the file permanently. */
async function foreignHolder(file: string): Promise<{ kill: () => Promise<unknown> }> {
  const script = `const fd = require('node:fs').openSync(${JSON.stringify(file)}, 'a+');
    console.log(require('fs-native-extensions').tryLock(fd));
    setInterval(() => undefined, 1e6);`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  expect(said.toString().trim()).toBe('true');
  return { kill: () => (child.kill('SIGKILL'), once(child, 'exit')) };
}

test('what another program has locked is not ours', async () => {
  const file = newFile();
  const holder = await foreignHolder(file);
  const lock = new FileLock(file, { deadline: 1000 });
  await expect(lock.hold(() => Promise.resolve())).rejects.toMatchObject({ code: 'vault_busy' });
  await holder.kill();
  await lock.close();
});

test('a holder that is killed lets go: one who asks right after its end has the lock at once', async () => {
  const file = newFile();
  const holder = await foreignHolder(file);
  const lock = new FileLock(file, { deadline: 2000 });
  await expect(lock.hold(() => Promise.resolve())).rejects.toMatchObject({ code: 'vault_busy' });
  await holder.kill();
  await expect(lock.hold(() => Promise.resolve('its turn'))).resolves.toBe('its turn');
  await lock.close();
});

test('a lock file that is deleted while it is held: the holder’s next lock is on the file that others see', async () => {
  const file = newFile();
  const [first, second] = [new FileLock(file), new FileLock(file, { deadline: 1000 })];
  await first.hold(() => {
    rmSync(file);
    return Promise.resolve();
  });
  await second.hold(async () => {
    const third = new FileLock(file, { deadline: 1000 });
    await expect(third.hold(() => Promise.resolve())).rejects.toMatchObject({ code: 'vault_busy' });
    await third.close();
  });
  await first.hold(async () => {
    await expect(second.hold(() => Promise.resolve())).rejects.toMatchObject({ code: 'vault_busy' });
  });
  await first.close();
  await second.close();
});
