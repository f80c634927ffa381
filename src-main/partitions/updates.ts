/** Updates of one partition: those that wait are done together, by compare-and-set, on top of whatever another process wrote. */
import { randomBytes } from 'node:crypto';
import { type Batch, type Job as CacheJob, jobOf, runBatch } from '../cache/batch.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { PartitionError } from '../errors.ts';
import { closeUp, type Found, isEmpty, openFound } from './partition-contents.ts';
import type { Ownership } from './ownership.ts';
import type { PartitionName } from './partition-name.ts';
import { Deadline } from './deadline.ts';
import type { Setting } from './settings.ts';

/** An update that waits for its turn. It may be run again, on something newer. */
interface Job extends CacheJob {
  readonly name: PartitionName;
  readonly ownership: Ownership;
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
    const { job, outcome } = jobOf(fn);
    this.#enqueue({ ...job, name, ownership });
    return outcome;
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
        done.batch.settle();
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
  readonly batch: Batch;
  readonly hasChanged: boolean;
  readonly owner: string | undefined;
}

/** Runs all jobs, each whole or not at all; one that throws, or would leave another user's credentials, fails alone. */
function perform(jobs: readonly Job[], { cache, owner: before, version }: Found): Done {
  let owner = before;
  const owned = jobs.map((job): CacheJob => {
    const run = (current: TokenCache): unknown => {
      job.ownership.check({ cache, owner }, job.name);
      const value = job.run(current);
      job.ownership.check({ cache, owner }, job.name);
      owner ??= job.ownership.owner;
      return value;
    };
    return { run, resolve: job.resolve, reject: job.reject };
  });
  const batch = runBatch(cache, owned);
  const isToBeNoted = owner !== before && version !== null;
  return { batch, hasChanged: batch.changes.length > 0 || isToBeNoted, owner };
}

function busy({ key }: PartitionName): PartitionError {
  return new PartitionError(
    'partition_busy',
    key,
    `Other processes wrote the partition ${key} again and again. This update was not made. Try again.`,
  );
}
