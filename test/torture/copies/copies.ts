import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Vault } from '../../../src-main/vault/api.ts';
import { openVault } from '../../../src-main/vault/vault.ts';
import { homeOf, signIn, usersIn } from '../../vault/people.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import type { Users } from '../inject/operations.ts';
import type { Random } from '../random.ts';
import type { Scene } from '../section.ts';
import { must } from '../tally.ts';

const STEPS = 14;
const USERS = ['ada', 'ben', 'cas', 'dee'];

/** A vault and its copies, each used by a program, in an order that depends on the seed. */
export async function useCopies(scene: Scene): Promise<void> {
  const { tally, short, random, fault } = scene;
  for (let number = 1; number <= (short ? 12 : 400); number += 1) {
    const title = `history ${number}`;
    const own = random.fork(title);
    if (!title.includes(fault)) continue;
    const history = new History(scene.folder(), own);
    await tally.try('copies: used side by side', title, async () => {
      await history.run().catch((error: unknown) => {
        throw new Error(
          `${error instanceof Error ? error.message : String(error)}; ${history.told.join(', ')}`,
        );
      });
    });
    await history.end();
  }
}

/** A file of the vault, its expected contents, and the program that has it open. */
interface Place {
  file: string;
  users: Users;
  /** Whether this is a vault of its own: the original, or a copy that was made one. Other copies share the original's key. */
  own: boolean;
  /** Whether the original has destroyed the key that the copy was sealed with. */
  closed: boolean;
  vault: Vault | null;
}

class History {
  readonly told: string[] = [];
  readonly #folder: string;
  readonly #random: Random;
  readonly #keychain: FolderKeychain;
  readonly #places: Place[] = [];
  #number = 0;

  constructor(folder: string, random: Random) {
    this.#folder = folder;
    this.#random = random;
    this.#keychain = new FolderKeychain(join(folder, 'keys'));
    this.#keychain.before = () => undefined;
    this.#places.push(this.#placeAt('original', { own: true }));
  }

  async run(): Promise<void> {
    const original = this.#original;
    await this.#do('first update', original, (vault) => vault.update((cache) => signIn(cache, 'ada')));
    original.users = { [homeOf('ada')]: 'access secret of ada' };
    for (let step = 0; step < STEPS; step += 1) await this.#step();
    for (const place of this.#places) await this.#check(place);
  }

  async end(): Promise<void> {
    for (const { vault } of this.#places) await vault?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #original(): Place {
    const [original] = this.#places;
    if (original === undefined) throw new Error('there is no original');
    return original;
  }

  #placeAt(name: string, { own }: { own: boolean }): Place {
    mkdirSync(join(this.#folder, name), { recursive: true });
    return { file: join(this.#folder, name, 'cache.vault'), users: {}, own, closed: false, vault: null };
  }

  async #step(): Promise<void> {
    const place = this.#random.pick(this.#places);
    const user = this.#random.pick(USERS);
    const acts = [
      () => this.#update(place, user),
      () => this.#update(place, user),
      () => this.#signOut(place, user),
      () => this.#rotate(place),
      () => this.#compact(place),
      () => this.#copy(place),
      () => this.#copy(this.#original),
      () => this.#close(place),
      () => this.#makeOwn(place),
      () => this.#forget(place),
      () => this.#swapNames(place),
    ];
    await this.#random.pick(acts)();
    await this.#check(this.#random.pick(this.#places));
    await this.#check(this.#original);
  }

  async #update(place: Place, user: string): Promise<void> {
    this.#number += 1;
    const secret = `secret of ${user} ${this.#number}`;
    await this.#do(`update ${user}`, place, async (vault) => {
      await vault.update((cache) => signIn(cache, user, secret));
      place.users = { ...place.users, [homeOf(user)]: `access ${secret}` };
    });
  }

  async #signOut(place: Place, user: string): Promise<void> {
    await this.#do(`sign ${user} out`, place, async (vault) => {
      const { oldKey } = await vault.signOut(homeOf(user));
      // A busy machine's keychain may take longer than a sign-out waits for it. Its answer finishes the sign-out.
      if (oldKey === 'pending') await finished(vault);
      else must(oldKey === 'destroyed', `the key is ${String(oldKey)} after a sign-out`);
      const { [homeOf(user)]: _gone, ...rest } = place.users;
      place.users = rest;
      this.#closeCopiesOf(place);
    });
  }

  async #rotate(place: Place): Promise<void> {
    await this.#do('rotate', place, async (vault) => {
      await vault.rotateKey();
      this.#closeCopiesOf(place);
    });
  }

  async #compact(place: Place): Promise<void> {
    await this.#do('compact', place, (vault) => vault.compact());
  }

  /** A backup tool or the user copies the file, which a program may be using at that moment. */
  #copy(from: Place): Promise<void> {
    if (this.#places.length > 5 || !existsSync(from.file) || (from.own && from !== this.#original))
      return Promise.resolve();
    const copy = this.#placeAt(`copy-${(this.#number += 1)}`, { own: false });
    this.#tell('copy', from);
    copyFileSync(from.file, copy.file);
    this.#places.push({ ...copy, users: { ...from.users }, closed: from.closed });
    return Promise.resolve();
  }

  async #close(place: Place): Promise<void> {
    this.#tell('close', place);
    await place.vault?.close();
    place.vault = null;
  }

  async #makeOwn(place: Place): Promise<void> {
    if (place.own) return;
    const vault = await this.#open(place);
    this.#tell('make own', place);
    const code = await codeOf(vault.makeOwn());
    must(code === (place.closed ? 'refused' : ''), `making it its own: ${code}, ${vault.status.state}`);
    if (code === '') place.own = true;
  }

  async #forget(place: Place): Promise<void> {
    if (place === this.#original) return;
    const vault = await this.#open(place);
    const wasCopy = !place.own;
    this.#tell('forget', place);
    const { key } = await vault.forget();
    // If the copy can't be opened, nothing shows whose key it had; the original has another one by then.
    must(!wasCopy || place.closed || key === 'kept', `the key of a copy: ${key}`);
    await vault.close();
    this.#places.splice(this.#places.indexOf(place), 1);
  }

  /** The folder of a copy gets another name. It is the same copy. */
  async #swapNames(place: Place): Promise<void> {
    if (place === this.#original || place.own) return;
    await this.#close(place);
    this.#tell('rename', place);
    const moved = `${place.file}-moved-${(this.#number += 1)}`;
    renameSync(place.file, moved);
    place.file = moved;
  }

  /** A copy that was not made a vault of its own can be read, and is never written. */
  async #do(what: string, place: Place, act: (vault: Vault) => Promise<unknown>): Promise<void> {
    const vault = await this.#open(place);
    this.#tell(what, place);
    if (place.own) {
      await act(vault);
      return;
    }
    const bytes = readFileSync(place.file);
    const keys = JSON.stringify([...this.#keychain.items()]);
    const code = await codeOf(act(vault));
    must(code !== '', 'a copy was written');
    must(readFileSync(place.file).equals(bytes), 'the file of a copy was written');
    must(JSON.stringify([...this.#keychain.items()]) === keys, 'a copy has changed the keychain');
  }

  async #open(place: Place): Promise<Vault> {
    if (place.vault !== null) {
      if (!place.own) await place.vault.retry();
      return place.vault;
    }
    place.vault = await openVault({ file: place.file, keychain: this.#keychain });
    return place.vault;
  }

  /** Returns what another program finds in the file. */
  async #check(place: Place): Promise<void> {
    const vault = await openVault({ file: place.file, keychain: this.#keychain });
    try {
      const { state } = vault.status;
      if (place.own) must(state === 'ready', `${this.#nameOf(place)} is ${state}`);
      else if (place.closed)
        must(['key-missing', 'wrong-key', 'older'].includes(state), `a copy without its key is ${state}`);
      else must(state === 'copy', `${this.#nameOf(place)} is ${state}`);
      if (!place.own && place.closed) return;
      must(same(await vault.read(usersIn), place.users), `${this.#nameOf(place)} has other accounts`);
      if (place.own) must((await vault.verify()).sound, `${this.#nameOf(place)} is not sound`);
    } finally {
      await vault.close();
    }
  }

  #closeCopiesOf(place: Place): void {
    if (place !== this.#original) return;
    for (const other of this.#places) if (!other.own) other.closed = true;
  }

  #tell(what: string, place: Place): void {
    this.told.push(`${this.#nameOf(place)}: ${what}`);
  }

  #nameOf(place: Place): string {
    return place === this.#original ? 'the original' : `copy ${this.#places.indexOf(place)}`;
  }
}

/** Waits until the key of a sign-out is destroyed, without asking for it. */
async function finished(vault: Vault): Promise<void> {
  const until = performance.now() + 60_000;
  while (vault.status.oldKey === 'pending') {
    must(performance.now() < until, 'a pending sign-out is never finished');
    await delay(50);
  }
}

function codeOf(done: Promise<unknown>): Promise<string> {
  return done.then(
    () => '',
    () => 'refused',
  );
}

function same(a: Users, b: Users): boolean {
  const sorted = (users: Users): string => JSON.stringify(Object.entries(users).sort());
  return sorted(a) === sorted(b);
}
