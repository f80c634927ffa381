/** Imports that are asked for by a script or by a flood of second instances. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SerializableTokenCache } from '../../src-main/cache/document/serializable-token-cache.ts';
import { imports } from '../../src-main/ipc/imports.ts';
import { tokenResponse } from '../../src-main/testing/index.ts';
import { fakeVault } from './fake-vault.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'tokenkeep-imports-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string): string {
  const cache = new SerializableTokenCache();
  cache.add(tokenResponse({ username: `${name}@example.org` }));
  const path = join(folder, name);
  writeFileSync(path, cache.serialize());
  return path;
}

it('reads one file at a time, and of a thousand that are asked for meanwhile only the last', async () => {
  const read: string[] = [];
  const reading = ({ fileName }: { fileName: string }): void => void read.push(fileName);
  const vault = Promise.resolve(fakeVault(new SerializableTokenCache()));
  const all = imports({
    vault: () => vault,
    now: () => 1,
    reading,
  });
  const [first, other, last] = [file('first'), file('other'), file('last')];
  const begun = all.plan(first);
  while (read.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const meanwhile = Array.from({ length: 1_000 }, () => all.plan(other).catch((error: unknown) => error));
  const plan = await all.plan(last);
  expect(read).toEqual(['first', 'last']);
  expect(await begun).toMatchObject({ fileName: 'first' });
  for (const refused of await Promise.all(meanwhile))
    expect(refused).toMatchObject({ message: expect.stringContaining('Nothing was merged') as string });
  if ('locked' in plan) throw new Error('It has no passphrase.');
  expect(await all.confirm(plan.id)).toMatchObject({ accountsAdded: 1 });
});

it('goes on after a file that can’t be read', async () => {
  const vault = Promise.resolve(fakeVault(new SerializableTokenCache()));
  const all = imports({
    vault: () => vault,
    now: () => 1,
    reading: () => undefined,
  });
  await expect(all.plan(join(folder, 'missing'))).rejects.toMatchObject({ code: 'document_unreadable' });
  expect(await all.plan(file('ada'))).toMatchObject({ fileName: 'ada' });
});

it('keeps a document that is about to be confirmed, whatever is planned meanwhile', async () => {
  const vault = Promise.resolve(fakeVault(new SerializableTokenCache()));
  let now = 1;
  const all = imports({ vault: () => vault, now: () => now, reading: () => undefined });
  const plan = async (name: string): Promise<string> => (await all.plan(file(name))).id;
  const [first, second] = [await plan('ada'), await plan('bob')];
  await expect(all.unlock(first, '')).rejects.toMatchObject({ code: 'invalid_argument' }); // nobody asked again in time
  // A restore asks for its plan again, and sets the vault aside. Meanwhile the app is started with another document.
  expect(await all.unlock(second, '')).toMatchObject({ id: second, fileName: 'bob' });
  const third = await plan('eve');
  expect(await all.confirm(second)).toMatchObject({ accountsAdded: 1 });
  expect(await all.confirm(third)).toMatchObject({ accountsAdded: 1 });
  await expect(all.confirm(second)).rejects.toMatchObject({ code: 'invalid_argument' });
  // Cancelled, or too old: it is discarded like any other.
  const [fourth, fifth] = [await plan('dan'), await plan('fay')];
  await expect(all.confirm(fourth)).rejects.toMatchObject({ code: 'invalid_argument' });
  await all.unlock(fifth, '');
  await plan('guy');
  all.cancel(fifth);
  await expect(all.confirm(fifth)).rejects.toMatchObject({ code: 'invalid_argument' });
  const sixth = await plan('hal');
  await all.unlock(sixth, '');
  now += 601;
  await expect(all.confirm(sixth)).rejects.toMatchObject({ code: 'invalid_argument' });
});

it('discards a document that was about to be confirmed and was not, once its time is over and another file comes', async () => {
  const vault = Promise.resolve(fakeVault(new SerializableTokenCache()));
  let now = 1;
  const all = imports({ vault: () => vault, now: () => now, reading: () => undefined });
  const { id } = await all.plan(file('ada'));
  await all.unlock(id, '');
  now += 601;
  await all.plan(file('bob'));
  now -= 601; // it would still be in time
  await expect(all.confirm(id)).rejects.toMatchObject({ code: 'invalid_argument' });
});
