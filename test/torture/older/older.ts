import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Vault } from '../../../src-main/vault/api.ts';
import { openVault, openVaultIn } from '../../../src-main/vault/vault.ts';
import { homeOf, signIn, usersIn } from '../../vault/people.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import { type Operation, OPERATIONS, type Users } from '../inject/operations.ts';
import { mustBeClean } from '../look.ts';
import type { Scene } from '../section.ts';
import { must } from '../tally.ts';
import { SteppedIo } from './stepped-io.ts';

/**
 * Not those that begin with a file that is damaged, cut off or without its key, where there is nothing newer to lose, and
 * not an export, which writes another file.
 */
const NAMES = Object.keys(OPERATIONS).filter((name) => {
  const { rescue, spoil } = OPERATIONS[name] ?? {};
  return rescue !== true && spoil === undefined && !['first save', 'export'].includes(name);
});

/** How many of each operation's steps the short form tries. */
const SAMPLE = 2;

const file = (folder: string): string => join(folder, 'cache.vault');

interface Case {
  name: string;
  operation: Operation;
  step: number;
  /** Whether the process continues after the older copy was restored, or has ended by then. */
  running: boolean;
  older: Buffer;
  template: string;
}

/** Restores an older copy of the file before each call of each operation: while the program runs, and after it was killed. */
export async function putBackOlder(scene: Scene): Promise<void> {
  const { tally, random, short, fault } = scene;
  for (const name of NAMES) {
    const operation = OPERATIONS[name];
    if (operation === undefined) continue;
    const { template, older } = await makeTemplate(scene, operation);
    const calls = await callsOf(scene, operation, template);
    const all = Array.from({ length: calls + 1 }, (_, step) => step).flatMap((step): Case[] =>
      [true, false].map((running) => ({ name, operation, step, running, older, template })),
    );
    const titled = all.map((one) => ({
      one,
      title: `${name}, put back before call ${one.step} of ${calls}, ${one.running ? 'running' : 'stopped'}`,
    }));
    const wanted = titled.filter(({ title }) => title.includes(fault));
    for (const { one, title } of short && fault === '' ? random.sample(wanted, SAMPLE) : wanted)
      await tally.try(`older: ${name}, ${one.running ? 'running' : 'stopped'}`, title, () =>
        trial(scene, one),
      );
  }
}

/** A vault that has had one more update since the copy was made, and was closed in an orderly way. */
async function makeTemplate(
  scene: Scene,
  operation: Operation,
): Promise<{ template: string; older: Buffer }> {
  const template = scene.folder();
  const keychain = new FolderKeychain(join(template, 'keys'));
  const first = await openVault({ file: file(template), keychain });
  await operation.start(first);
  await first.close();
  const older = readFileSync(file(template));
  const second = await openVault({ file: file(template), keychain });
  await second.update((cache) => signIn(cache, 'zoe'));
  await second.close();
  return { template, older };
}

async function open(folder: string, io: SteppedIo, operation: Operation): Promise<Vault> {
  const keychain = new FolderKeychain(join(folder, 'keys'));
  return openVaultIn(
    {
      file: file(folder),
      keychain: io.asking(keychain),
      ...(operation.unprotected === undefined ? {} : { unprotected: operation.unprotected }),
    },
    { io, scryptWork: 1, timers: { setTimeout: () => undefined, clearTimeout: () => undefined } },
  );
}

function copyOf(scene: Scene, template: string): string {
  const folder = scene.folder();
  cpSync(template, folder, { recursive: true });
  new FolderKeychain(join(folder, 'keys')).moveTo(file(folder));
  return folder;
}

async function callsOf(scene: Scene, operation: Operation, template: string): Promise<number> {
  const folder = copyOf(scene, template);
  const io = new SteppedIo(file(folder));
  const vault = await open(folder, io, operation);
  io.expect(-1, () => undefined);
  await operation.run(vault);
  const { count } = io;
  await vault.close();
  return count;
}

async function trial(scene: Scene, { operation, step, running, older, template }: Case): Promise<void> {
  const folder = copyOf(scene, template);
  const io = new SteppedIo(file(folder));
  const vault = await open(folder, io, operation);
  const zoe = await usersNow(vault);
  const before = zoe;
  const after = { ...operation.after, ...pick(zoe, 'zoe') };
  const putBack = (): void => {
    writeFileSync(`${file(folder)}-old`, older);
    renameSync(`${file(folder)}-old`, file(folder));
  };
  io.expect(step, running ? putBack : () => void (io.hasEnded = true));
  const outcome = await operation.run(vault).then(
    (value) => ({ done: !io.hasEnded, value }), // A process that has ended can't acknowledge anything.
    (error: unknown) => ({ done: false, value: error }),
  );
  if (running) {
    if (io.count <= step) {
      io.expect(-1, () => undefined); // A sign-out makes its last calls after it has resolved.
      putBack();
    }
    await keepsWhatItHas(folder, vault, operation, outcome.done, { before, after });
    await vault.close();
  } else {
    await vault.close().catch(() => undefined);
    putBack();
    await isToldAtTheNextStart(folder, operation, outcome, older);
  }
  rmSync(folder, { recursive: true });
}

/** Acknowledged updates are in memory; the older file is detected, or was overwritten; and the vault can be kept. */
async function keepsWhatItHas(
  folder: string,
  vault: Vault,
  operation: Operation,
  done: boolean,
  { before, after }: Record<'before' | 'after', Users>,
): Promise<void> {
  const users = await usersNow(vault);
  for (const home of new Set([...Object.keys(before), ...Object.keys(after), ...Object.keys(users)])) {
    const possible = done && operation.several !== true ? [after[home]] : [before[home], after[home]];
    must(possible.includes(users[home]), `${home} is ${users[home] ?? 'gone'}, not ${possible.join(' or ')}`);
  }
  const { state } = vault.status;
  must(state === 'ready' || state === 'older', `the state is ${state}`);
  if (state === 'ready') must(vault.status.held === 'disk', 'it is ready, and not saved');
  else {
    await refused(vault);
    await vault.keepMine();
  }
  await vault.update((cache) => signIn(cache, 'later'));
  const next = await openVault({ file: file(folder), keychain: new FolderKeychain(join(folder, 'keys')) });
  must(next.status.state === 'ready', `after it was kept, the vault is ${next.status.state}`);
  const found = await next.read(usersIn);
  must(
    same(found, { ...users, [homeOf('later')]: 'access secret of later' }),
    'what was kept is not in the file',
  );
  must((await next.verify()).sound, 'what was kept is not sound');
  await next.close();
  if (state === 'older') must(hasAside(folder), 'the older file was not kept beside it');
  mustBeClean(folder);
}

/** Never `ready` without the acknowledged updates, and never with an account that was signed out. */
async function isToldAtTheNextStart(
  folder: string,
  operation: Operation,
  { done, value }: { done: boolean; value: unknown },
  older: Buffer,
): Promise<void> {
  const keychain = new FolderKeychain(join(folder, 'keys'));
  const next = await openVault({ file: file(folder), keychain });
  const { state } = next.status;
  must(['older', 'key-missing', 'wrong-key'].includes(state), `an older file is ${state} at the next start`);
  const report = await next.verify();
  must(!report.sound, 'verify calls an older file sound');
  if (done && operation.closesOlder === true && value !== 'pending')
    must(state !== 'older', 'an older copy opens after a sign-out that destroyed the key');
  if (state === 'older') {
    const gone = Object.keys(operation.before).filter((home) => !(home in operation.after));
    await refused(next);
    await next.takeFile();
    const users = await next.read(usersIn);
    if (done) for (const home of gone) must(!(home in users), `${home} was signed out, and is back`);
    await next.update((cache) => signIn(cache, 'later'));
    const again = await openVault({ file: file(folder), keychain });
    must(again.status.state === 'ready', `after it was taken, the vault is ${again.status.state}`);
    must(homeOf('later') in (await again.read(usersIn)), 'an update after it was taken is not there');
    await again.close();
    must(hasAside(folder), 'the older file was not kept beside it');
  } else must(readFileSync(file(folder)).equals(older), 'the file was touched');
  await next.close();
  mustBeClean(folder);
}

async function refused(vault: Vault): Promise<void> {
  const code = await vault
    .erase((cache) => signIn(cache, 'eve'))
    .then(
      () => 'done',
      (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
    );
  must(code === 'vault_older', `a change was not refused as older: ${code}`);
}

function usersNow(vault: Vault): Promise<Users> {
  return vault.read(usersIn);
}

function pick(users: Users, user: string): Users {
  const value = users[homeOf(user)];
  return value === undefined ? {} : { [homeOf(user)]: value };
}

function hasAside(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.includes('.older-'));
}

function same(a: Users, b: Users): boolean {
  const sorted = (users: Users): string => JSON.stringify(Object.entries(users).sort());
  return sorted(a) === sorted(b);
}
