import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Vault } from '../../../src-main/vault/api.ts';
import { openVault } from '../../../src-main/vault/vault.ts';
import { Child } from '../child.ts';
import { FolderKeychain } from '../folder-keychain.ts';
import type { Scene } from '../section.ts';
import { must } from '../tally.ts';
import { Ledger } from './ledger.ts';
import { placeOf, valuesIn, WRITERS } from './register.ts';
import { summary, Waits } from './waits.ts';
import { delaysOf } from './watched-lock.ts';

const ROW = 'kill: a writer (failures 10 and 15)';
/** What the promise says, in milliseconds: for a long campaign, which has the machine to itself. */
const LONGEST_WAIT = 100;
/** The short form runs beside other tests. A lock that was never released would be waited for until the deadline of 10 s. */
const LONGEST_WAIT_BESIDE_OTHERS = 5_000;
/** Number of kills from which a campaign counts as long. */
const LONG = 500;
const CHECK_EVERY = 250;
const SPARE = 3;

interface Task {
  kind: string;
  place: string;
  value: string;
  begun: bigint;
}

interface Writer {
  child: Child;
  tasks: Map<number, Task>;
  /** The locks that the writer holds. */
  held: Set<string>;
}

/** Four writers on one vault, one of which is killed, again and again. */
export async function killWriters(scene: Scene): Promise<void> {
  const { tally, random, kills } = scene;
  const campaign = new Killing(scene);
  const row = tally.row(ROW);
  const during = new Map<string, number>();
  try {
    for (let kill = 0; kill < kills; ) {
      await campaign.fill();
      await delay(random.below(25));
      const kind = await campaign.killOne();
      during.set(kind, (during.get(kind) ?? 0) + 1);
      row.tried += 1;
      kill += 1;
      if (kill % CHECK_EVERY === 0 || kill === kills) {
        await campaign.killAll();
        await tally.try(`${ROW}: checkpoints`, `after ${kill} kills`, () => campaign.check());
      }
    }
  } finally {
    await campaign.end();
  }
  row.lost.push(...campaign.complaints);
  const { waits, ledger } = campaign;
  const { blocked, all, longest: longestWaits } = waits.handovers();
  const worst = blocked.at(-1) ?? 0;
  const longest = kills >= LONG ? LONGEST_WAIT : LONGEST_WAIT_BESIDE_OTHERS;
  if (worst > longest) row.lost.push(`a writer waited ${worst.toFixed(1)} ms for a dead one`);
  tally.note(ROW, `${ledger.acknowledged} acknowledged`);
  tally.note(ROW, [...during].map(([kind, count]) => `${count} during ${kind}`).join(', '));
  tally.note(ROW, `waits for a dead one's lock: ${summary(blocked)}`);
  tally.note(ROW, `the longest of them: ${longestWaits}`);
  tally.note(ROW, `the same with the queue for the processor: ${summary(all)}`);
  tally.note(ROW, `from the kill to the next acknowledged: ${summary(waits.untilSaved())}`);
  tally.note(ROW, `from the kill to the end of the process: ${summary(waits.untilDead())}`);
}

class Killing {
  readonly waits = new Waits();
  readonly ledger = new Ledger();
  readonly complaints: string[] = [];
  readonly #scene: Scene;
  readonly #folder: string;
  readonly #spare: Child[] = [];
  readonly #writers: (Writer | undefined)[] = Array.from({ length: WRITERS }, () => undefined);
  #lives = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#folder = scene.folder();
  }

  /** Gives every place a writer again. Processes are started ahead of time, so that one takes over at once. */
  async fill(): Promise<void> {
    for (let slot = 0; slot < WRITERS; slot += 1) {
      while (this.#spare.length < SPARE) this.#spare.push(this.#start());
      if (this.#writers[slot] !== undefined) continue;
      const child = this.#spare.shift();
      if (child === undefined) continue;
      if ((await child.next()) !== 'standby') throw new Error(`a writer did not start: ${child.complaint}`);
      const writer = { child, tasks: new Map<number, Task>(), held: new Set<string>() };
      this.#writers[slot] = writer;
      child.hear = (line) => this.#heard(slot, writer, line);
      child.tell(`go ${slot} ${(this.#lives += 1)} ${this.#scene.random.below(1e9)}`);
    }
  }

  #start(): Child {
    return new Child(this.#scene.program, ['writer', this.#folder]);
  }

  #heard(slot: number, { child, tasks, held }: Writer, line: string): void {
    const [word, n = '', ...rest] = line.split(' ');
    if (word === 'open') {
      if (n !== 'ready') this.complaints.push(`a writer found the vault ${n}`);
      return;
    }
    if (word === 'unlock') {
      held.delete(n);
      return;
    }
    if (word === 'lock') {
      held.add(n);
      const [since = '0', time = '0', delays = '-', calls = '-'] = rest;
      const [from, at] = [BigInt(since), BigInt(time)];
      this.waits.lockings.push({ lock: n, pid: child.pid, since: from, at, delays, calls });
      return;
    }
    if (word === 'begin') {
      const [kind = '', register, value = '', time = '0'] = rest;
      const place = placeOf(slot, Number(register));
      tasks.set(Number(n), { kind, place, value, begun: BigInt(time) });
      this.ledger.begin(kind, place, value);
      return;
    }
    const task = tasks.get(Number(n));
    if (task === undefined) return;
    if (word === 'done') {
      tasks.delete(Number(n));
      this.ledger.done(task.kind, task.place, task.value);
      this.waits.savings.push({ slot, begun: task.begun, at: BigInt(rest[0] ?? '0') });
    } else this.complaints.push(`${task.kind} failed: ${rest.join(' ')}`);
  }

  /** Kills a writer, usually one that has the lock. Returns what it was doing. */
  async killOne(): Promise<string> {
    const { random } = this.#scene;
    const alive = [...this.#writers.keys()];
    const holders = alive.filter((slot) => this.#writers[slot]?.held.has('lock'));
    const slot = random.pick(holders.length > 0 && random.below(3) > 0 ? holders : alive);
    const victim = this.#writers[slot];
    if (victim === undefined) return 'nothing';
    const killed = process.hrtime.bigint();
    victim.child.process.kill('SIGKILL');
    awaitDeath(victim.child.pid);
    const dead = process.hrtime.bigint();
    this.#writers[slot] = undefined;
    const others = this.#writers.flatMap((writer) => writer?.child.pid ?? []);
    const delays = new Map(others.map((pid) => [pid, delaysOf(pid)]));
    await victim.child.ended; // All its output has been read.
    this.waits.deaths.push({ slot, killed, dead, held: [...victim.held], delays });
    const [task] = victim.tasks.values();
    return task?.kind ?? 'opening';
  }

  async killAll(): Promise<void> {
    const writers = this.#writers.splice(0, WRITERS, ...Array.from({ length: WRITERS }, () => undefined));
    await Promise.all(writers.flatMap((writer) => writer?.child.kill() ?? []));
  }

  /** Checks what the next process finds while nobody writes. */
  async check(): Promise<void> {
    const file = join(this.#folder, 'cache.vault');
    const keychain = new FolderKeychain(join(this.#folder, 'keys'));
    const vault = await openVault({ file, keychain });
    try {
      must(vault.status.state === 'ready', `the vault is ${vault.status.state}`);
      const report = await vault.verify();
      must(report.sound, `the vault is not sound: ${JSON.stringify(report)}`);
      this.ledger.check(await vault.read(valuesIn));
      await this.#rotate(vault);
    } finally {
      await vault.close();
    }
    must(keychain.slots().length === 1, `${keychain.slots().length} keys are left in the keychain`);
    const stray = readdirSync(this.#folder).filter((name) => name.includes('.new-'));
    must(stray.length === 0, `${stray.join(', ')} left for good`);
  }

  /** Now there is one key, whatever the killed writers have left, and it does not open older files. */
  async #rotate(vault: Vault): Promise<void> {
    const { file } = vault.status;
    const before = join(this.#folder, 'before');
    copyFileSync(file, before);
    await vault.rotateKey();
    const keychain = new FolderKeychain(join(this.#folder, 'keys'));
    const older = await openVault({ file: before, keychain });
    await older.close();
    must(/^(key-missing|wrong-key)$/.test(older.status.state), `an older copy is ${older.status.state}`);
  }

  async end(): Promise<void> {
    await this.killAll();
    await Promise.all(this.#spare.splice(0).map((child) => child.kill()));
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Until the system has taken back what a killed process had. It must be let run once more for that, and a flush that it
 * waits for must end: neither is a wait for its lock.
 */
function awaitDeath(pid: number): void {
  for (;;) {
    try {
      const [, state] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(/\) /);
      if (state?.startsWith('Z') === true && readdirSync(`/proc/${pid}/task`).length <= 1) return;
    } catch {
      return;
    }
    Atomics.wait(pause, 0, 0, 0.2);
  }
}
