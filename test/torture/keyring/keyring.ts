import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OwnKeyring, startBusWithoutKeyring, startKeyring } from '../../support/keyring.ts';
import { homeOf } from '../../vault/people.ts';
import { Child } from '../child.ts';
import { inParallel, type Scene } from '../section.ts';
import { must } from '../tally.ts';
import type { Did } from './keyholder.ts';

/** What happens to the keyring, or to the process that calls it. */
const EVENTS = ['locked', 'hung', 'killed', 'killed and restarted', 'crash'] as const;
type Event = (typeof EVENTS)[number];

const STATES: Readonly<Record<Exclude<Event, 'crash'>, string>> = {
  locked: 'locked keychain_locked',
  hung: 'locked keychain_timeout waiting',
  killed: 'no-keychain keychain_unavailable',
  'killed and restarted': 'ready',
};

/** The operation during which it happens: before each of its native calls. */
const ORDERS = [
  { name: 'first update', order: 'update ada', file: false },
  { name: 'rotate', order: 'rotate', file: true },
  { name: 'sign-out', order: 'sign-out ada', file: true },
] as const;
type Ordered = (typeof ORDERS)[number];

interface Case {
  row: string;
  title: string;
  run: (trouble: Trouble) => Promise<void>;
}

/** Most of the time is spent waiting: for a keyring to start, for a call to time out. */
const AT_ONCE = 4;

/** A real GNOME Keyring that is locked, hangs, dies and comes back, at each step of each operation. */
export async function troubleKeyring(scene: Scene): Promise<void> {
  const { tally, short, random, fault } = scene;
  const keyrings: OwnKeyring[] = [];
  try {
    for (let lane = 0; lane < AT_ONCE; lane += 1) keyrings.push(await startKeyring());
    const troubles = keyrings.map((keyring) => new Trouble(scene, keyring));
    const [first] = troubles;
    if (first === undefined) return;
    const cases = (await casesOf(first)).filter(({ row, title }) => `${row}: ${title}`.includes(fault));
    const chosen = short && fault === '' ? sampled(cases, random.below(EVERY)) : cases;
    await inParallel(chosen, AT_ONCE, async ({ row, title, run }, lane) => {
      await tally.try(`keyring: ${row}`, title, () => run(troubles[lane] ?? first));
    });
  } finally {
    await Promise.all(keyrings.map((keyring) => keyring.close()));
  }
}

async function casesOf(first: Trouble): Promise<Case[]> {
  const cases: Case[] = [{ row: 'open', title: 'absent', run: (trouble) => trouble.absent() }];
  for (const event of EVENTS) {
    if (event !== 'crash') {
      cases.push(
        { row: 'open', title: event, run: (trouble) => trouble.open(event, true) },
        { row: 'open, nothing there', title: event, run: (trouble) => trouble.open(event, false) },
        { row: 'update', title: event, run: (trouble) => trouble.update(event) },
      );
    }
    for (const ordered of ORDERS) {
      const calls = await first.callsOf(ordered);
      for (let call = 1; call <= calls; call += 1) {
        const title = `${event} before native call ${call} of ${calls}`;
        cases.push({ row: ordered.name, title, run: (trouble) => trouble.during(ordered, call, event) });
      }
    }
  }
  return cases;
}

/** The short form runs one trial of this many, from a given start. */
const EVERY = 24;
function sampled<T>(all: readonly T[], first: number): T[] {
  return all.filter((_, index) => index % EVERY === first);
}

class Trouble {
  readonly #scene: Scene;
  readonly #keyring: OwnKeyring;
  readonly #calls = new Map<string, number>();
  #number = 0;

  constructor(scene: Scene, keyring: OwnKeyring) {
    this.#scene = scene;
    this.#keyring = keyring;
  }

  /** Each state is distinguished, nothing is changed, and when the keyring is back, the vault can be opened. */
  async open(event: Exclude<Event, 'crash'>, file: boolean): Promise<void> {
    const place = await this.#place(file);
    const before = bytesOf(place.file);
    await this.#befall(event);
    const holder = this.#start(place, event);
    try {
      const opened = await ask(holder, 'open');
      must(describe(opened) === STATES[event], `it is ${describe(opened)}`);
      if (opened.state !== 'ready') {
        const refused = await ask(holder, 'update eve');
        const code = opened.state === 'locked' ? 'vault_locked' : 'vault_no_keychain';
        must(!refused.done && refused.code === code, `an update was not refused: ${JSON.stringify(refused)}`);
      }
      must(bytesOf(place.file) === before, 'the file was touched');
      await this.#heal(event);
      const healed = await ask(holder, 'retry');
      must(healed.state === 'ready', `when the keyring is back, it is ${describe(healed)}`);
      must((await ask(holder, 'update ben')).done, 'nothing can be saved when the keyring is back');
    } finally {
      await holder.kill();
      await this.#heal(event);
    }
    await this.#checkInTheEnd(place, file ? ['ada', 'ben'] : ['ben'], null);
  }

  /** An open vault has its key, so it continues to save, whatever happens to the keyring. */
  async update(event: Exclude<Event, 'crash'>): Promise<void> {
    const place = await this.#place(true);
    const holder = this.#start(place, event);
    try {
      await ask(holder, 'open');
      await this.#befall(event);
      const updated = await ask(holder, 'update ben');
      must(updated.done, `an update was refused: ${JSON.stringify(updated)}`);
    } finally {
      await holder.kill();
      await this.#heal(event);
    }
    await this.#checkInTheEnd(place, ['ada', 'ben'], null);
  }

  /** It happens before one native call; afterwards, the first process does what was left to do. */
  async during({ order, file }: Ordered, call: number, event: Event): Promise<void> {
    const place = await this.#place(file);
    const older = file ? readFileSync(place.file) : null;
    const holder = this.#start(place, event);
    let did: Did | null;
    try {
      await ask(holder, 'open');
      holder.tell(`stop ${call}`);
      holder.tell(order);
      must((await holder.next()) === `at ${call}`, 'the call was not made');
      if (event !== 'crash') await this.#befall(event);
      holder.tell(event === 'crash' ? 'crash' : 'go');
      const line = await holder.next();
      did = line === null ? null : JSON.parse(line);
      must((did === null) === (event === 'crash'), `it ended: ${holder.complaint}`);
      if (did !== null) await this.#goOn(holder, order, did, event);
    } finally {
      await holder.kill();
      await this.#heal(event);
    }
    const [, user] = order.split(' ');
    const signedOut = order.startsWith('sign-out') && (did?.done ?? false);
    if (order === 'rotate') await this.#checkInTheEnd(place, ['ada'], did?.done === true ? older : null);
    else if (order.startsWith('sign-out')) {
      await this.#checkInTheEnd(place, signedOut ? [] : null, signedOut ? older : null);
    } else await this.#checkInTheEnd(place, did?.done === true ? [user ?? ''] : null, null);
  }

  /** Refused operations changed nothing, and others are complete. When the keyring is back, the vault can be opened. */
  async #goOn(holder: Child, order: string, did: Did, event: Event): Promise<void> {
    const known = ['vault_locked', 'vault_no_keychain'];
    // The new key is in use, and the old one is destroyed once the keyring is back.
    const isHalfway = order === 'rotate' && did.code === 'storage_failed' && did.pending;
    must(did.done || isHalfway || known.includes(did.code ?? ''), `it ended with ${did.code ?? ''}`);
    const users = Object.keys((await ask(holder, 'read')).value ?? {});
    const signsOut = order.startsWith('sign-out');
    if (did.done) {
      const there = users.includes(homeOf('ada'));
      must(there !== signsOut, `it is done, and ada is ${there ? 'there' : 'gone'}`);
    }
    await this.#heal(event);
    const healed = await ask(holder, 'retry');
    // A process without a GLib main loop can't reach a restarted keyring. It is told to restart.
    if (event.startsWith('killed') && describe(healed) === STATES.killed) return;
    must(healed.state === 'ready', `when the keyring is back, it is ${describe(healed)}`);
    must((await ask(holder, 'update later')).done, 'nothing can be saved when the keyring is back');
  }

  /** A session without a Secret Service, and then with one. */
  async absent(): Promise<void> {
    const place = await this.#place(true);
    const before = bytesOf(place.file);
    const bus = await startBusWithoutKeyring();
    const holder = new Child(this.#scene.program, ['keyholder', place.file, place.service, '5000'], bus.env);
    try {
      must((await holder.next()) === 'ready', holder.complaint);
      const opened = await ask(holder, 'open');
      must(describe(opened) === STATES.killed, `it is ${describe(opened)}`);
      must((await ask(holder, 'update eve')).code === 'vault_no_keychain', 'an update was not refused');
      must(bytesOf(place.file) === before, 'the file was touched');
    } finally {
      await holder.kill();
      await bus.close();
    }
    await this.#checkInTheEnd(place, ['ada'], null);
  }

  /** Returns how many native calls an order makes without a fault. */
  async callsOf({ name, order, file }: Ordered): Promise<number> {
    const known = this.#calls.get(name);
    if (known !== undefined) return known;
    const holder = this.#start(await this.#place(file), 'locked');
    await ask(holder, 'open');
    holder.tell('stop 0');
    const did = await ask(holder, order);
    must(did.done, `${name} does not even work: ${JSON.stringify(did)}`);
    holder.tell('calls');
    const calls = Number(await holder.next());
    await holder.kill();
    this.#calls.set(name, calls);
    return calls;
  }

  /** Creates a vault with one account or none, and a name in the keyring that is unique. */
  async #place(file: boolean): Promise<Place> {
    const place = {
      file: join(this.#scene.folder(), 'cache.vault'),
      service: `torture-${(this.#number += 1)}`,
    };
    if (!file) return place;
    const holder = this.#start(place, 'locked');
    const did = await ask(holder, 'update ada');
    must(did.done, `the vault was not made: ${JSON.stringify(did)}`);
    await holder.kill();
    return place;
  }

  #start({ file, service }: Place, event: Event): Child {
    // Long enough for a keyring that does not hang, on a machine that is busy.
    const deadline = event === 'hung' ? '3000' : '8000';
    const words = ['keyholder', file, service, deadline];
    return new Child(this.#scene.program, words, this.#keyring.env);
  }

  async #befall(event: Exclude<Event, 'crash'>): Promise<void> {
    if (event === 'locked') await this.#keyring.lock();
    else if (event === 'hung') this.#keyring.hang();
    else {
      await this.#keyring.kill();
      if (event === 'killed and restarted') await this.#keyring.restart();
    }
  }

  async #heal(event: Event): Promise<void> {
    if (event === 'hung') this.#keyring.resume();
    const locked = await this.#keyring.isLocked();
    if (locked === true) await this.#keyring.unlock();
    if (locked === undefined) await this.#keyring.restart();
  }

  /**
   * A fresh process: who was to be there is, what a sign-out had left is done, and older copies open no more. `users`
   * null: it was neither done nor refused, both will do. `older`: a copy that must be closed by now.
   */
  async #checkInTheEnd(place: Place, users: readonly string[] | null, older: Buffer | null): Promise<void> {
    const holder = this.#start(place, 'locked');
    const opened = await ask(holder, 'open');
    must(opened.state === 'ready', `in the end, the vault is ${describe(opened)}`);
    const found = Object.keys((await ask(holder, 'read')).value ?? {});
    const expected = (users ?? []).map(homeOf);
    must(
      expected.every((home) => found.includes(home)),
      `in the end, there are ${found.join(', ')}, and not ${expected.join(', ')}`,
    );
    if (users?.length === 0) must(!found.includes(homeOf('ada')), 'in the end, ada is back');
    const closed = await ask(holder, 'close'); // Waits until postponed work is done.
    must(!closed.pending, 'in the end, an old key is still to be destroyed');
    await holder.kill();
    if (older === null) return;
    writeFileSync(`${place.file}.older`, older);
    const reader = this.#start({ ...place, file: `${place.file}.older` }, 'locked');
    const { state } = await ask(reader, 'open');
    await reader.kill();
    must(state === 'key-missing' || state === 'wrong-key', `an older copy is ${state}`);
  }
}

interface Place {
  file: string;
  service: string;
}

async function ask(holder: Child, order: string): Promise<Did> {
  holder.tell(order);
  for (let line = await holder.next(); line !== null; line = await holder.next()) {
    if (line.startsWith('{')) return JSON.parse(line);
  }
  throw new Error(`it ended at ${order}: ${holder.complaint}`);
}

function describe({ state, statusCode, waiting }: Did): string {
  return [state, statusCode, waiting ? 'waiting' : ''].filter(Boolean).join(' ');
}

function bytesOf(file: string): string {
  try {
    return readFileSync(file, 'base64');
  } catch {
    return 'none';
  }
}
