import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openVault } from '../../../src-main/vault/vault.ts';
import { homeOf, signIn, usersIn } from '../../vault/people.ts';
import { Child } from '../child.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import type { Users } from '../inject/operations.ts';
import { mustBeClean } from '../look.ts';
import type { Random } from '../random.ts';
import type { Scene } from '../section.ts';
import { must } from '../tally.ts';
import type { Said } from './dweller.ts';

/** File systems that are full, read-only or layered, that have no locks, or that another program synchronizes. */
export async function useFileSystems(scene: Scene): Promise<void> {
  for (const family of [full, readOnly, layered, lockless, synchronized, caseless]) await family(scene);
}

/** Number of trials of each. */
const times = ({ short }: Scene, few: number, many: number): number[] =>
  Array.from({ length: short ? few : many }, (_, number) => number + 1);

/** An ordinary user may mount in a namespace of their own, if the kernel allows one. Everything in it ends with it. */
const NAMESPACE = ['unshare', '--user', '--map-root-user', '--mount', '--pid', '--fork', '--kill-child'];

function canMount(scene: Scene, row: string, mount: string): boolean {
  const folder = scene.folder();
  const [program, ...words] = [...NAMESPACE, 'sh', '-c', mount, 'sh', folder];
  if (spawnSync(program, words, { stdio: 'ignore' }).status === 0) return true;
  // Whether namespaces are available depends on the kernel, not on the clone. The short form runs without them, and says so.
  if (scene.short) console.warn(`LEFT OUT ${row}: this kernel lets nobody mount that`);
  else {
    scene.tally.row(row);
    scene.tally.note(row, 'cannot be had here');
  }
  return false;
}

/** A shell on the file system that runs commands, and a program beside it. */
class Mounted {
  readonly #child: Child;
  readonly #shell: string;

  /** @param mount mounts on `$1` */
  constructor(
    { program }: Scene,
    readonly folder: string,
    mount: string,
  ) {
    mkdirSync(join(folder, 'place'));
    const pipe = join(folder, 'shell');
    execFileSync('mkfifo', [pipe, `${pipe}-done`]);
    this.#shell = pipe;
    const serve = `while read -r line < "$2"; do sh -c "$line" >/dev/null 2>&1; echo $? > "$2-done"; done & shell=$!`;
    const script = `${mount}\n${serve}\n"$3" "$4" dweller "$1/cache.vault" "$5"; kill $shell`;
    const words = ['sh', '-c', script, 'sh', join(folder, 'place'), pipe, process.execPath, program];
    this.#child = new Child('', [], process.env, [...NAMESPACE, ...words, join(folder, 'keys')]);
  }

  async start(): Promise<void> {
    must((await this.#child.next()) === 'ready', `it did not start: ${this.#child.complaint}`);
  }

  async ask(order: string): Promise<Said> {
    this.#child.tell(order);
    const line = await this.#child.next();
    must(line !== null, `it ended at ${order}: ${this.#child.complaint}`);
    return JSON.parse(line) as Said;
  }

  /** Runs a shell command in the folder where the file system is mounted. */
  async shell(command: string): Promise<void> {
    writeFileSync(this.#shell, `${command.replaceAll('$1', join(this.folder, 'place'))}\n`);
    const code = readFileSync(`${this.#shell}-done`, 'utf8').trim();
    must(code === '0', `${command}: ${code}`);
    await Promise.resolve();
  }

  async end(): Promise<void> {
    this.#child.tell('close');
    await this.#child.ended;
  }

  async kill(): Promise<void> {
    await this.#child.kill();
  }
}

/** A model of the expected contents: the acknowledged updates. */
class Expected {
  users: Users = {};
  #number = 0;

  async update(on: Mounted, user: string): Promise<Said> {
    const secret = `secret-of-${user}-${(this.#number += 1)}`;
    const said = await on.ask(`update ${user} ${secret}`);
    if (said.code === 'done') this.users = { ...this.users, [homeOf(user)]: `access ${secret}` };
    this.compare(said);
    return said;
  }

  async signOut(on: Mounted, user: string): Promise<Said> {
    const said = await on.ask(`sign-out ${user}`);
    if (said.code === 'done') {
      const { [homeOf(user)]: _gone, ...rest } = this.users;
      this.users = rest;
    }
    this.compare(said);
    return said;
  }

  compare({ users, code }: Said): void {
    must(same(users, this.users), `after ${code} it says ${JSON.stringify(users)}`);
  }
}

const USERS = ['ada', 'ben', 'cas', 'dee'];

async function on(
  scene: Scene,
  mount: string,
  work: (place: Mounted, expected: Expected) => Promise<void>,
): Promise<void> {
  const folder = scene.folder();
  const place = new Mounted(scene, folder, mount);
  try {
    await place.start();
    const expected = new Expected();
    await work(place, expected);
    await place.end();
  } finally {
    await place.kill();
  }
}

/** A disk of a few pages fills up during an operation, and later has room again. */
async function full(scene: Scene): Promise<void> {
  const { tally, random } = scene;
  const row = 'filesystems: full';
  // A file occupies the room that is freed later, because a mount in a namespace can't always be resized.
  const mount = (kib: number): string =>
    `mount -t tmpfs -o size=${kib + 2048}k,mode=0700 tmpfs "$1" && head -c 2097152 /dev/zero > "$1/filler" || exit 1`;
  if (!canMount(scene, row, mount(64))) return;
  for (const number of times(scene, 2, 40)) {
    const kib = 24 + 4 * random.below(40);
    await tally.try(row, `${number}: ${kib} KiB`, () =>
      on(scene, mount(kib), async (place, expected) => {
        let refused = 0;
        for (let n = 0; n < 120 && refused < 4; n += 1) {
          const user = `${random.pick(USERS)}-${random.below(30)}`;
          const said =
            random.below(8) === 0 ? await expected.signOut(place, user) : await expected.update(place, user);
          if (said.code === 'done') continue;
          must(said.code === 'disk_full', `a full disk is told as ${said.code}: ${said.message}`);
          refused += 1;
        }
        must(refused > 0, 'the disk was never full');
        await place.shell('rm "$1/filler"');
        must((await expected.update(place, 'later')).code === 'done', 'nothing is saved where there is room');
        must(
          (await expected.signOut(place, 'later')).code === 'done',
          'nobody signs out where there is room',
        );
      }),
    );
  }
}

/** The file system becomes read-only at some moment, and writable again later. */
async function readOnly(scene: Scene): Promise<void> {
  const { tally, random } = scene;
  const row = 'filesystems: read-only for a while';
  const mount = 'mount -t tmpfs -o size=8m,mode=0700 tmpfs "$1" || exit 1';
  const readOnlyView = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"';
  if (!canMount(scene, row, `${mount}; ${readOnlyView} || exit 1`)) return;
  for (const number of times(scene, 2, 40)) {
    await tally.try(row, String(number), () =>
      on(scene, mount, async (place, expected) => {
        for (let n = random.below(4); n > 0; n -= 1) await expected.update(place, random.pick(USERS));
        // A read-only view over it: if the program has the file open, it may continue appending.
        await place.shell(readOnlyView);
        const rewrite = await place.ask('compact');
        let refused = rewrite.code === 'done' ? 0 : 1;
        for (let n = 0; n < 3; n += 1) {
          const said =
            random.below(3) === 0
              ? await expected.signOut(place, random.pick(USERS))
              : await expected.update(place, random.pick(USERS));
          if (said.code !== 'done') refused += 1;
          const codes = ['done', 'vault_read_only', 'read_only_disk'];
          must(codes.includes(said.code), `a read-only disk is told as ${said.code}: ${said.message}`);
        }
        must(refused > 0, 'nothing was refused on a read-only disk');
        await place.shell('umount "$1"');
        await place.ask('retry');
        must(
          (await expected.update(place, 'later')).code === 'done',
          'nothing is saved where it may be written',
        );
      }),
    );
  }
}

/** The vault is in the lower layer: the first write copies it up, so that it becomes another file. */
async function layered(scene: Scene): Promise<void> {
  const { tally, random } = scene;
  const row = 'filesystems: overlay';
  const mount = (lower: string): string =>
    `mount -t tmpfs tmpfs "$1" && mkdir "$1/u" "$1/w" && mount -t overlay -o lowerdir="${lower}",upperdir="$1/u",workdir="$1/w",userxattr overlay "$1" || exit 1`;
  if (!canMount(scene, row, mount(scene.folder()))) return;
  for (const number of times(scene, 2, 30)) {
    await tally.try(row, String(number), async () => {
      const lower = scene.folder();
      const made = await openVault({
        file: join(lower, 'cache.vault'),
        keychain: new FolderKeychain(join(lower, 'keys')),
      });
      await made.update((cache) => signIn(cache, 'ada'));
      await made.close();
      const folder = scene.folder();
      renameSync(join(lower, 'keys'), join(folder, 'keys'));
      new FolderKeychain(join(folder, 'keys')).moveTo(join(folder, 'place', 'cache.vault'));
      const place = new Mounted(scene, folder, mount(lower));
      try {
        await place.start();
        const expected = new Expected();
        expected.users = { [homeOf('ada')]: 'access secret of ada' };
        for (let n = 0; n < 6; n += 1) {
          const said =
            random.below(3) === 0
              ? await expected.signOut(place, random.pick(USERS))
              : await expected.update(place, random.pick(USERS));
          must(said.code === 'done', `it is refused: ${said.code} ${said.message}`);
        }
        await place.end();
      } finally {
        await place.kill();
      }
    });
  }
}

/** Locks that are refused, never answered, or slow. */
async function lockless(scene: Scene): Promise<void> {
  const { tally, random } = scene;
  const row = 'filesystems: locks refused, hanging or slow';
  const library = join(scene.folder(), 'stubborn-locks.so');
  const source = join(import.meta.dirname, '..', '..', 'test', 'lock', 'stubborn-locks.c');
  const compiled = spawnSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl'], { stdio: 'ignore' });
  if (compiled.status !== 0) {
    tally.row(row);
    tally.note(row, 'cannot be had here: no C compiler');
    return;
  }
  chmodSync(library, 0o755);
  const kinds = ['errno-37', 'errno-95', 'errno-38', 'errno-22', 'slow', 'hang'];
  for (const number of times(scene, 1, 8)) {
    for (const kind of scene.short ? [kinds[random.below(4)] ?? '', 'slow'] : kinds) {
      await tally.try(row, `${kind} ${number}`, async () => {
        const folder = scene.folder();
        const file = join(folder, `${kind}.vault`);
        const child = new Child(scene.program, ['dweller', file, join(folder, 'keys')], {
          ...process.env,
          LD_PRELOAD: library,
        });
        try {
          must((await child.next()) === 'ready', `it did not start: ${child.complaint}`);
          child.tell('update ada secret-1');
          const said = JSON.parse((await child.next()) ?? '{}') as Said;
          const due = kind === 'slow' ? 'done' : kind === 'hang' ? 'lock_timeout' : 'lock_unsupported';
          must(said.code === due, `${kind} is told as ${said.code}: ${said.message}`);
          must(
            said.longestStop < 2_000,
            `the main thread stood still for ${Math.round(said.longestStop)} ms`,
          );
          if (due === 'done') return;
          must(said.state === 'read-only', `the state is ${said.state}`);
          must(said.message.includes(basename(file)), 'the message does not name the file');
          must(!readdirSync(folder).includes(basename(file)), 'something was written without a lock');
        } finally {
          await child.kill();
        }
      });
    }
  }
}

/**
 * A folder that a sync tool synchronizes with another machine that has the same keychain. The tool replaces the file with the other
 * machine's, and keeps this one's beside it as a conflict copy.
 */
async function synchronized(scene: Scene): Promise<void> {
  const { tally, random } = scene;
  for (const number of times(scene, 6, 300)) {
    await tally.try('filesystems: conflict copies of a sync tool', String(number), () =>
      conflict(scene, random.fork(`sync ${number}`)),
    );
  }
}

async function conflict(scene: Scene, random: Random): Promise<void> {
  const folder = scene.folder();
  const elsewhere = scene.folder();
  const file = join(folder, 'cache.vault');
  const other = join(elsewhere, 'cache.vault');
  const keychain = new FolderKeychain(join(folder, 'keys'));
  keychain.before = () => undefined;
  const here = await openVault({ file, keychain });
  const users: Users = {};
  const update = async (user: string): Promise<void> => {
    const secret = `secret of ${user} ${random.below(1_000)}`;
    await here.update((cache) => signIn(cache, user, secret));
    users[homeOf(user)] = `access ${secret}`;
  };
  await update('ada');
  // The other machine has a keychain of its own, with the key as it was when the item was synchronized.
  writeFileSync(other, readFileSync(file));
  const theirs = new FolderKeychain(join(elsewhere, 'keys'));
  theirs.before = () => undefined;
  for (const [account, item] of keychain.items()) await theirs.set('Tokenkeep', account, item);
  theirs.moveTo(other);
  const there = await openVault({ file: other, keychain: theirs });
  const most = random.below(8) === 0 ? 60 : 3; // Many updates and a rewrite hide nothing either.
  for (let n = random.below(most); n >= 0; n -= 1)
    await there.update((cache) => signIn(cache, `them-${n % 5}`, `secret ${n}`));
  if (random.below(3) === 0) await there.compact();
  if (random.below(4) === 0) await there.rotateKey();
  for (let n = random.below(3); n > 0; n -= 1) await update(random.pick(USERS));
  if (random.below(4) === 0) await here.compact();
  await there.close();

  const running = random.below(2) === 0;
  if (!running) await here.close();
  const copy = join(folder, 'cache (conflicted copy 2026-11-28).vault');
  renameSync(file, copy);
  writeFileSync(file, readFileSync(other));
  const vault = running ? here : await openVault({ file, keychain });
  const found = await vault.read(usersIn).catch(() => ({}));
  const { state } = vault.status;
  // In the worst case, the other machine's file is ahead, under the same key: with another history, or a later one.
  if (running) {
    must(state !== 'ready' || holdsAll(found, users), `another history is taken for this one: ${state}`);
    must(holdsAll(found, users), `a program that runs has lost what it had: ${state}`);
    if (state !== 'ready') {
      await vault.keepMine();
      must(holdsAll(await vault.read(usersIn), users), 'what was kept is not what it had');
    }
  } else must(state !== 'ready' || Object.keys(found).length > 0, 'it is ready, and empty');
  // The file that the sync tool set aside can be opened, in another folder or here, but never as this vault.
  const aside = await openVault({ file: copy, keychain });
  must(aside.status.state !== 'ready', `the conflict copy is ${aside.status.state} beside the vault`);
  if (aside.status.state === 'copy') {
    must(holdsAll(await aside.read(usersIn), users), 'the conflict copy lacks what was acknowledged');
    await aside.makeOwn();
    must(holdsAll(await aside.read(usersIn), users), 'made its own, the conflict copy lacks accounts');
  }
  await aside.close();
  await vault.close();
  mustBeClean(folder);
  rmSync(folder, { recursive: true });
  rmSync(elsewhere, { recursive: true });
}

function holdsAll(found: Users, users: Users): boolean {
  return Object.entries(users).every(([home, secret]) => found[home] === secret);
}

/** A case-insensitive folder, if the kernel can create one: the same vault by two spellings of its name. */
async function caseless(scene: Scene): Promise<void> {
  const { tally } = scene;
  const row = 'filesystems: case does not matter';
  const mount = 'mount -t tmpfs -o casefold tmpfs "$1" && chattr +F "$1" || exit 1';
  if (!canMount(scene, row, mount)) return;
  for (const number of times(scene, 1, 20)) {
    await tally.try(row, String(number), () =>
      on(scene, mount, async (place, expected) => {
        for (const user of USERS) await expected.update(place, user);
        await place.shell('test -e "$1/CACHE.VAULT" && mv "$1/cache.vault" "$1/CACHE.VAULT"');
        for (const user of USERS) await expected.update(place, user);
      }),
    );
  }
}

function same(a: Users, b: Users): boolean {
  const sorted = (users: Users): string => JSON.stringify(Object.entries(users).sort());
  return sorted(a) === sorted(b);
}
