/** One at a time for a partition: in a line within this process, and under a lease of the store among all that share it. */
import { createHash, randomBytes } from 'node:crypto';
import { KeyedQueue } from '../queue.ts';
import { PartitionError } from '../errors.ts';
import type { PartitionName } from './partition-name.ts';
import { withDeadline } from './deadline.ts';
import type { Setting } from './settings.ts';
import type { Lease, PartitionLeases, StoreCall } from './partition-store.ts';

/** Milliseconds between two times that another process's lease is asked for; uneven, so that those who wait don't keep meeting. */
const PAUSES = { first: 15, longest: 250 };

export class Exclusive {
  readonly #setting: Setting;
  readonly #queue = new KeyedQueue();

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  /** @throws PartitionError `partition_busy`, PartitionStoreError; then the task was not run. What the task throws */
  run<T>({ key }: PartitionName, name: string, task: () => Promise<T>): Promise<T> {
    const { turnTimeout } = this.#setting;
    const waiting = new AbortController();
    const timer = setTimeout(() => waiting.abort(), turnTimeout);
    const over = new Promise<never>((_resolve, reject) => {
      waiting.signal.addEventListener('abort', () => reject(keptBusy(key, turnTimeout)));
    });
    const turn = this.#queue.run(`${key} ${name}`, async () => {
      const isOver = (): boolean => waiting.signal.aborted;
      const end = await this.#begin(key, name, isOver).finally(() => clearTimeout(timer));
      try {
        return await task();
      } finally {
        await end();
      }
    });
    return Promise.race([turn, over]);
  }

  /** @returns what ends the turn; it never rejects */
  async #begin(key: string, name: string, isOver: () => boolean): Promise<() => Promise<void>> {
    const { store, turnTimeout } = this.#setting;
    if (isOver()) throw keptBusy(key, turnTimeout);
    if (store.leases === undefined) return () => Promise.resolve();
    const held = new Held(store.leases, key, this.#leaseFor(name), this.#setting.timeout);
    for (let pause = PAUSES.first; !(await held.take()); pause = Math.min(pause * 2, PAUSES.longest)) {
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
      if (isOver()) throw keptBusy(key, turnTimeout);
    }
    held.keep();
    if (!isOver()) return () => held.give();
    await held.give(); // Nobody waits for it any more.
    throw keptBusy(key, turnTimeout);
  }

  #leaseFor(name: string): Lease {
    return {
      name: createHash('sha256').update(name).digest('base64url'), // It may say who the user is, as ids do.
      owner: randomBytes(16).toString('base64url'),
      ttl: this.#setting.lease / 1000,
    };
  }
}

/** One lease, prolonged for as long as it is kept. */
class Held {
  readonly #leases: PartitionLeases;
  readonly #key: string;
  readonly #lease: Lease;
  readonly #timeout: number;
  #timer: NodeJS.Timeout | undefined;
  #renewal: Promise<unknown> = Promise.resolve();

  constructor(leases: PartitionLeases, key: string, lease: Lease, timeout: number) {
    this.#leases = leases;
    this.#key = key;
    this.#lease = lease;
    this.#timeout = timeout;
  }

  take(timeout = this.#timeout): Promise<boolean> {
    return this.#ask(timeout, (call) => this.#leases.take(this.#key, this.#lease, call));
  }

  keep(): void {
    const interval = (this.#lease.ttl * 1000) / 3;
    this.#timer = setTimeout(() => {
      // One that failed is tried again. One that says no came too late, and there is nothing to prolong.
      this.#renewal = this.take(interval)
        .catch(() => true)
        .then((isOurs) => isOurs && this.#timer !== undefined && this.keep());
    }, interval);
    this.#timer.unref();
  }

  /** Where the store does not take it back, it goes by itself. */
  async give(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#renewal; // Over another connection it could come after the end, and take the lease for nobody.
    await this.#ask(this.#timeout, (call) => this.#leases.give(this.#key, this.#lease, call)).catch(
      () => undefined,
    );
  }

  #ask<T>(timeout: number, call: (options: Required<StoreCall>) => Promise<T>): Promise<T> {
    return withDeadline(timeout, (one) => one.with(call));
  }
}

function keptBusy(key: string, milliseconds: number): PartitionError {
  return new PartitionError(
    'partition_busy',
    key,
    `Others have kept the partition ${key} to themselves for more than ${milliseconds} ms. Nothing was done. Try again.`,
  );
}
