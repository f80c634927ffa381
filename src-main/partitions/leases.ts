/** Turns: one task at a time for a partition, queued within this process and under a lease of the store among all processes. */
import { hash } from 'node:crypto';
import { PartitionError } from '../errors.ts';
import { KeyedQueue } from '../waiting.ts';
import { alarm, Deadline } from './deadline.ts';
import type { PartitionName } from './partition-name.ts';
import type { Lease, PartitionLeases } from './partition-store.ts';
import { randomBytesOf } from './random.ts';
import type { Settings } from './settings.ts';

/** Milliseconds between two attempts to take another process's lease; random, so that waiting processes don't stay in step. */
const PAUSES = { first: 15, longest: 250 };

/** One turn, as its task sees it. Few tasks use the signal, so it is created when it is first read. */
export class Turn {
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  /** Aborted when the turn is lost or has taken too long. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#controller?.abort(reason);
  }
}

export class Turns {
  readonly #settings: Settings;
  readonly #queue = new KeyedQueue();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * @throws PartitionError `partition_busy`, PartitionStoreError: the task was not run. PartitionError
   *   `partition_turn_expired`: the task was run, and has not ended. What the task throws
   */
  run<T>(
    { key }: PartitionName,
    name: string,
    task: (turn: Turn) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const { turnTimeout } = this.#settings;
    return new Promise((resolve, reject) => {
      let isOver = false;
      const giveUp = (): void => {
        isOver = true;
        reject(busy(key, turnTimeout));
      };
      const cancel = alarm(turnTimeout, giveUp);
      signal?.addEventListener('abort', giveUp);
      const begun = (): void => {
        cancel();
        signal?.removeEventListener('abort', giveUp);
      };
      const ended = this.#queue.run(`${key} ${name}`, async () => {
        const turn = new Turn();
        const lost = (): void => turn.abort(busy(key, turnTimeout));
        const end = await this.#begin(key, name, () => isOver, lost).finally(begun);
        try {
          return await this.#limited(key, task, turn);
        } finally {
          await end();
        }
      });
      ended.then(resolve, reject);
    });
  }

  /** Limits the task, so that a provider that never responds does not block a user's refresh on every server. */
  async #limited<T>(key: string, task: (turn: Turn) => Promise<T>, turn: Turn): Promise<T> {
    const { turnLimit } = this.#settings;
    let cancel = (): void => undefined;
    const expired = new Promise<never>((_resolve, reject) => {
      cancel = alarm(turnLimit, () => {
        const error = turnExpired(key, turnLimit);
        turn.abort(error);
        reject(error);
      });
    });
    try {
      return await Promise.race([task(turn), expired]);
    } finally {
      cancel();
    }
  }

  /** @returns a function that ends the turn; it never rejects */
  async #begin(
    key: string,
    name: string,
    isOver: () => boolean,
    lost: () => void,
  ): Promise<() => Promise<void>> {
    const { store, turnTimeout, timeout } = this.#settings;
    if (isOver()) throw busy(key, turnTimeout);
    if (store.leases === undefined) return () => Promise.resolve();
    const held = new Held(store.leases, key, this.#leaseFor(name), timeout);
    for (let pause = PAUSES.first; !(await held.take()); pause = Math.min(pause * 2, PAUSES.longest)) {
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
      if (isOver()) throw busy(key, turnTimeout);
    }
    held.keep(lost);
    if (!isOver()) return () => held.give();
    await held.give(); // The caller has given up waiting.
    throw busy(key, turnTimeout);
  }

  #leaseFor(name: string): Lease {
    return {
      name: hash('sha256', name, 'base64url'), // Hashed, because the name may identify the user.
      owner: randomBytesOf(16).toString('base64url'),
      ttl: this.#settings.lease / 1000,
    };
  }
}

/** One lease, renewed until it is released. */
class Held {
  readonly #leases: PartitionLeases;
  readonly #key: string;
  readonly #lease: Lease;
  readonly #timeout: number;
  /** Cancels the next renewal; undefined if the lease is not being renewed. */
  #cancel: (() => void) | undefined;
  #renewal: Promise<unknown> = Promise.resolve();

  constructor(leases: PartitionLeases, key: string, lease: Lease, timeout: number) {
    this.#leases = leases;
    this.#key = key;
    this.#lease = lease;
    this.#timeout = timeout;
  }

  take(timeout = this.#timeout): Promise<boolean> {
    return Deadline.run(timeout, (deadline) =>
      deadline.with((call) => this.#leases.take(this.#key, this.#lease, call)),
    );
  }

  /** @param lost called if another owner has taken the lease */
  keep(lost: () => void): void {
    const interval = (this.#lease.ttl * 1000) / 3;
    this.#cancel = alarm(interval, () => {
      this.#renewal = this.take(interval)
        .catch(() => true) // A failed renewal is retried.
        .then((isOurs) => {
          if (this.#cancel === undefined) return;
          if (isOurs) this.keep(lost);
          else lost(); // The renewal came too late.
        });
    });
  }

  /** Releases the lease. If that fails, the lease expires. */
  async give(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    await this.#renewal; // Otherwise a renewal on another connection could arrive after the release and take the lease again.
    await Deadline.run(this.#timeout, (deadline) =>
      deadline.with((call) => this.#leases.give(this.#key, this.#lease, call)),
    ).catch(() => undefined);
  }
}

function busy(key: string, milliseconds: number): PartitionError {
  return new PartitionError(
    'partition_busy',
    key,
    `Another holder kept the turn for partition ${key} for more than ${milliseconds} ms. Nothing was changed. Try again.`,
  );
}

function turnExpired(key: string, milliseconds: number): PartitionError {
  return new PartitionError(
    'partition_turn_expired',
    key,
    `The task that had the turn for partition ${key} did not end within ${milliseconds} ms, so the next one may begin. Give calls to the provider a timeout, or pass them the task's AbortSignal.`,
  );
}
