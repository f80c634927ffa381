// Not in npm run check: it opens some hundred vaults.
// Whatever is put in the place of the vault's file before any system call of an operation, nothing that was acknowledged is lost.
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Vault } from '../../src-main/vault/api.ts';
import type { Io, IoFile } from '../../src-main/vault/disk/file.ts';
import { EVERYTHING } from '../support/everything.ts';
import { Scene } from './fakes.ts';
import { homeOf, signIn, usersIn } from './people.ts';

/** `npm test` replaces the file once before each call, by one thing or another, `npm run judges` by each of them. */
const STRIDE = EVERYTHING ? 1 : 6;

type Users = Record<string, string>;

/** Calls `before` ahead of every system call. */
function watched(io: Io, before: () => void): Io {
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name);
        if (typeof value !== 'function') return value;
        return async (...given: unknown[]): Promise<unknown> => {
          before();
          const answer: unknown = await value.apply(object, given);
          return name === 'open' ? wrap(answer as IoFile) : answer;
        };
      },
    });
  return wrap(io);
}

/** The file of another vault. */
let another: Buffer;
beforeAll(async () => {
  const scene = new Scene();
  await (await scene.open()).update((cache) => signIn(cache, 'mallory'));
  another = scene.bytes;
});

const PLACED: [what: string, place: (scene: Scene, older: Buffer) => void][] = [
  ['nothing', ({ disk, file }) => void disk.nodes.delete(file)],
  ['an older copy', ({ disk, file }, older) => disk.put(file, older)],
  ['another vault', ({ disk, file }) => disk.put(file, another)],
  ['another file', ({ disk, file }) => disk.put(file, Buffer.from('no vault at all'))],
  ['the same bytes in another file', (scene) => scene.disk.put(scene.file, scene.bytes)],
  [
    'a folder',
    ({ disk, file }) => {
      disk.nodes.delete(file);
      disk.put(join(file, 'inside'), Buffer.alloc(1));
    },
  ],
];

const OPERATIONS: [what: string, run: (vault: Vault) => Promise<unknown>, after: (users: Users) => Users][] =
  [
    [
      'update',
      (vault) => vault.update((cache) => signIn(cache, 'cas')),
      (users) => ({ ...users, [homeOf('cas')]: 'access secret of cas' }),
    ],
    ['sign-out', (vault) => vault.signOut(homeOf('ada')), ({ [homeOf('ada')]: _gone, ...rest }) => rest],
    ['rotation', (vault) => vault.rotateKey(), (users) => users],
    ['compaction', (vault) => vault.compact(), (users) => users],
  ];

/** Runs an operation, with the file replaced before its nth system call. Returns whether it made that many calls. */
async function swapped(
  [, run, after]: (typeof OPERATIONS)[number],
  [, place]: (typeof PLACED)[number],
  nth: number,
): Promise<boolean> {
  const scene = new Scene();
  let calls = -Infinity;
  let older = Buffer.alloc(0);
  let placed: { bytes: Buffer } | undefined;
  let content = Buffer.alloc(0);
  const io = watched(scene.disk, () => {
    calls += 1;
    if (calls !== nth) return;
    const current = scene.disk.nodes.get(scene.file)?.bytes;
    place(scene, older);
    const found = scene.disk.nodes.get(scene.file);
    if (found === undefined || current?.equals(found.bytes) === true) return;
    placed = found;
    content = Buffer.from(found.bytes);
  });
  const other = await scene.open();
  await other.update((cache) => signIn(cache, 'ada'));
  older = Buffer.from(scene.bytes);
  await other.update((cache) => signIn(cache, 'ben'));
  await other.close();
  const vault = await scene.open({}, { io });
  const before = await vault.read(usersIn);
  calls = 0;
  const outcome = await run(vault).then(
    () => null,
    (error: unknown) => error,
  );
  await vault.read(() => undefined, { held: true }).catch(() => undefined); // What a sign-out leaves for later, too.
  const isSwapped = calls >= nth;
  calls = -Infinity;
  if (outcome !== null) expect(outcome).toMatchObject({ code: expect.any(String) });
  // It may have been replaced, by a rename that was under way, but nothing is written into it.
  if (placed !== undefined) expect(placed.bytes.equals(content)).toBe(true);
  const possible = outcome === null ? [after(before)] : [before, after(before)];

  await vault.retry();
  const { state } = vault.status;
  expect(possible, state).toContainEqual(await vault.read(usersIn, { held: true }));
  if (state === 'unreadable') {
    scene.disk.nodes.delete(join(scene.file, 'inside'));
    await vault.retry();
  }
  if (vault.status.state !== 'ready') await vault.keepMine();
  const mine = await vault.read(usersIn);
  expect(possible).toContainEqual(mine);
  await vault.close();
  const next = await scene.open();
  expect(next.status.state).toBe('ready');
  expect(await next.read(usersIn)).toEqual(mine);
  await next.close();
  return isSwapped;
}

describe.each(OPERATIONS)('during %s', (...operation) => {
  test.each(PLACED)('%s in the file’s place', async (...placed) => {
    // Each call has its turn, with one of the six things that are placed.
    let nth = 1 + (PLACED.findIndex(([what]) => what === placed[0]) % STRIDE);
    const faults: string[] = [];
    for (; nth < 100; nth += STRIDE) {
      const went = await swapped(operation, placed, nth).catch((error: unknown) => {
        faults.push(`call ${nth}: ${String(error).slice(0, 700)}`);
        return true;
      });
      if (!went) break;
    }
    expect(nth).toBeGreaterThan(5);
    expect(faults).toEqual([]);
  });
});
