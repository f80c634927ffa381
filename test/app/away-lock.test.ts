import { beforeEach, expect, it } from 'vitest';
import { AwayError, type AwayLock, awayLock } from '../../app/away-lock.ts';

let wanted: boolean;
let recognized: boolean;
let broken: boolean;
let done: string[];
let lock: AwayLock;

beforeEach(() => {
  [wanted, recognized, broken, done] = [true, true, false, []];
  lock = awayLock({
    isWanted: () => wanted,
    async close() {
      done.push(lock.locked ? 'refuses' : 'answers');
      await Promise.resolve();
      if (broken) throw new Error('The disk is gone.');
      done.push('closed');
    },
    async authenticate() {
      done.push('asked');
      await Promise.resolve();
      return recognized;
    },
    async open() {
      done.push(lock.locked ? 'refuses' : 'answers');
      await Promise.resolve();
      done.push('opened');
    },
  });
});

it('closes when the user leaves, and opens after the system’s question', async () => {
  await lock.leave();
  expect(lock.locked).toBe(true);
  expect(await lock.unlock()).toBe(true);
  expect(lock.locked).toBe(false);
  expect(done).toEqual(['refuses', 'closed', 'asked', 'answers', 'opened']);
});

it('says that it is closed where the user left again while it was opened', async () => {
  await lock.leave();
  const unlocking = lock.unlock();
  while (lock.locked) await Promise.resolve();
  await lock.leave();
  expect(await unlocking).toBe(false);
  expect(lock.locked).toBe(true);
});

it('stays open if the user does not want it', async () => {
  wanted = false;
  await lock.leave();
  expect([lock.locked, done]).toEqual([false, []]);
});

it('stays closed if the system does not recognize the user, who may try again', async () => {
  await lock.leave();
  recognized = false;
  expect(await lock.unlock()).toBe(false);
  expect(lock.locked).toBe(true);
  recognized = true;
  expect(await lock.unlock()).toBe(true);
});

it('closes once and opens once, however often it is asked to', async () => {
  await Promise.all([lock.leave(), lock.leave()]);
  expect(await Promise.all([lock.unlock(), lock.unlock()])).toEqual([true, true]);
  expect(done).toEqual(['refuses', 'closed', 'asked', 'answers', 'opened']);
  expect(await lock.unlock()).toBe(true);
  expect(done).toHaveLength(5);
});

it('does not open while it is still closing', async () => {
  const leaving = lock.leave();
  expect(await lock.unlock()).toBe(true);
  expect(done.indexOf('closed')).toBeLessThan(done.indexOf('opened'));
  await leaving;
});

it('closes the questions that are open when the user leaves, and no later ones', async () => {
  const own = new AbortController();
  const [plain, either] = [lock.whileHere(), lock.whileHere(own.signal)];
  const dialog = lock.ifHere(Promise.resolve('a file'));
  expect(await dialog).toBe('a file');
  let choose = (_file: string): void => undefined;
  const open = lock.ifHere(new Promise<string>((resolve) => (choose = resolve)));
  expect([plain.aborted, either.aborted]).toEqual([false, false]);
  await lock.leave();
  expect([plain.aborted, either.aborted]).toEqual([true, true]);
  expect([lock.whileHere().aborted, lock.whileHere(own.signal).aborted]).toEqual([true, true]);
  await lock.unlock();
  choose('chosen by someone else');
  await expect(open).rejects.toThrow(AwayError);
  const later = lock.whileHere(own.signal);
  expect(later.aborted).toBe(false);
  own.abort();
  expect(later.aborted).toBe(true);
});

it('lets the user in again if the vault could not be closed', async () => {
  broken = true;
  await expect(lock.leave()).rejects.toThrow('The disk is gone.');
  expect(lock.locked).toBe(true);
  expect(await lock.unlock()).toBe(true);
  expect(done.at(-1)).toBe('opened');
});

it('refuses requests while it is closed, except those of the locked screen', async () => {
  const handlers = lock.guard({ info: () => 'info', signIn: (name: string) => `signs ${name} in` }, ['info']);
  expect(handlers.signIn('Ada')).toBe('signs Ada in');
  await lock.leave();
  expect(handlers.info()).toBe('info');
  expect(() => handlers.signIn('Ada')).toThrow(AwayError);
  await lock.unlock();
  expect(handlers.signIn('Ada')).toBe('signs Ada in');
});
