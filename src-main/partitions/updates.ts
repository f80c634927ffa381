/** Updates of one partition: those that wait are done together, by compare-and-set, on top of whatever another process wrote. */
import { randomBytes } from 'node:crypto';
import { transact } from '../cache/change.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { PartitionError } from '../errors.ts';
import { closeUp, type Found, isEmpty, openFound } from './partition-contents.ts';
import type { Ownership } from './ownership.ts';
import type { PartitionName } from './partition-name.ts';
import { Deadline } from './deadline.ts';
import type { Setting } from './settings.ts';

/** An update that waits for its turn. */
interface Job {
  readonly name: PartitionName;
  readonly ownership: Ownership;
  /** Runs it on what is there now. It may be run again, on something newer. */
  readonly perform: (cache: TokenCache) => { settle: () => void; undo: () => void; hasChanged: boolean };
  readonly reject: (error: unknown) => void;
}

/** Between two tries after another process was quicker: longer each time, and uneven, so that two don't keep meeting. */
const PAUSES = { first: 2, longest: 100 };

export class Updates {
  readonly #setting: Setting;
  readonly #lines = new Map<string, Job[]>();
  readonly #written: (key: string) => void;

  constructor(setting: Setting, written: (key: string) => void) {
    this.#setting = setting;
    this.#written = written;
  }

  add<T>(name: PartitionName, ownership: Ownership, fn: (cache: TokenCache) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const perform = (cache: TokenCache): ReturnType<Job['perform']> => {
        const done = transact(cache, fn);
        return {
          settle: () => resolve(done.value),
          undo: () => done.undo(),
          hasChanged: done.changes.length > 0,
        };
      };
      this.#enqueue({ name, ownership, perform, reject });
    });
  }

  #enqueue(job: Job): void {
    const line = this.#lines.get(job.name.key);
    if (line !== undefined) {
      line.push(job);
      return;
    }
    this.#lines.set(job.name.key, [job]);
    void this.#work(job.name);
  }

  /** One batch after another, as long as any wait. */
  async #work(name: PartitionName): Promise<void> {
    await Promise.resolve(); // All that a caller starts at once goes into one batch.
    for (let line = this.#lines.get(name.key); line !== undefined; line = this.#lines.get(name.key)) {
      if (line.length === 0) {
        this.#lines.delete(name.key);
        return;
      }
      this.#lines.set(name.key, []);
      const deadline = new Deadline(this.#setting.timeout);
      try {
        await this.#commit(name, line, deadline);
      } catch (error) {
        for (const job of line) job.reject(error);
      } finally {
        deadline.end();
      }
    }
  }

  async #commit(name: PartitionName, jobs: readonly Job[], deadline: Deadline): Promise<void> {
    const { store, sealing, now } = this.#setting;
    for (let pause = PAUSES.first; ; pause = Math.min(pause * 2, PAUSES.longest)) {
      const stored = await deadline.with((call) => store.read(name.key, call));
      const found = openFound(stored, name, sealing, now);
      const done = perform(jobs, found);
      if (!done.hasChanged || (await this.#replace(name, found, done.owner, deadline))) {
        if (done.hasChanged) this.#written(name.key);
        for (const settle of done.settlings) settle();
        return;
      }
      if (deadline.isOver) throw busy(name);
      await deadline.pause(pause * (0.5 + Math.random()));
    }
  }

  /** @returns false where another process was quicker */
  async #replace(
    name: PartitionName,
    { cache, version: expected }: Found,
    owner: string | undefined,
    deadline: Deadline,
  ): Promise<boolean> {
    const { store, sealing, lifetime, now } = this.#setting;
    if (isEmpty(cache)) {
      if (expected === null) return true;
      return deadline.with((call) => store.remove(name.key, expected, call));
    }
    const ttl = lifetime.ttl(cache, now());
    const version = randomBytes(12).toString('base64url');
    const entry = { bytes: closeUp(cache, owner, name, sealing), version };
    try {
      return await deadline.with((call) => store.write(name.key, entry, { expected, ttl }, call));
    } catch (error) {
      // A connection that was lost took the answer with it: whether it was written shows in the version.
      const stored = await deadline.with((call) => store.read(name.key, call)).catch(() => null);
      if (stored?.version === version) return true;
      throw error;
    }
  }
}

interface Done {
  readonly settlings: readonly (() => void)[];
  readonly hasChanged: boolean;
  readonly owner: string | undefined;
}

/** Does all jobs, each whole or not at all; one that throws, or would leave another user's credentials, is rejected alone. */
function perform(jobs: readonly Job[], { cache, owner: before, version }: Found): Done {
  const settlings: (() => void)[] = [];
  let [hasChanged, owner] = [false, before];
  for (const { name, ownership, perform: run, reject } of jobs) {
    try {
      ownership.check({ cache, owner }, name);
      const { settle, undo, hasChanged: changed } = run(cache);
      try {
        ownership.check({ cache, owner }, name);
      } catch (error) {
        undo();
        throw error;
      }
      owner ??= ownership.owner;
      hasChanged ||= changed;
      settlings.push(settle);
    } catch (error) {
      reject(error);
    }
  }
  const isToBeNoted = owner !== before && version !== null;
  return { settlings, hasChanged: hasChanged || isToBeNoted, owner };
}

function busy({ key }: PartitionName): PartitionError {
  return new PartitionError(
    'partition_busy',
    key,
    `Other processes wrote the partition ${key} again and again. This update was not made. Try again.`,
  );
}
