/**
 * Short notes in the store that all processes share, such as "this logout token was used". They are sealed like partitions, and expire.
 */
import { createHash } from 'node:crypto';
import { PartitionError } from '../errors.ts';
import { Deadline } from './deadline.ts';
import { readEntry, writeEntry } from './entry.ts';
import { type PartitionName, partitionName } from './partition-name.ts';
import type { StoredPartition } from './partition-store.ts';
import { newVersion } from './random.ts';
import type { Settings } from './settings.ts';

const MOST_TRIES = 20;

export class Marks {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Whether there is a mark. @throws PartitionStoreError */
  async has(...name: readonly string[]): Promise<boolean> {
    return (await this.#read(nameOf(name))) !== null;
  }

  /** Sets a mark for so many seconds. @returns false if it was set already @throws PartitionStoreError */
  async setOnce(seconds: number, ...name: readonly string[]): Promise<boolean> {
    return this.#write(nameOf(name), '', null, seconds);
  }

  /**
   * Sets the text of a mark for so many seconds.
   *
   * @returns the text before; null if there was none, or it can't be opened @throws PartitionStoreError
   */
  async exchange(seconds: number, text: string, ...parts: readonly string[]): Promise<string | null> {
    const name = nameOf(parts);
    for (let left = MOST_TRIES; left > 0; left -= 1) {
      const found = await this.#read(name);
      if (await this.#write(name, text, found?.version ?? null, seconds)) {
        return found === null ? null : this.#textOf(found, name);
      }
    }
    throw new PartitionError(
      'partition_busy',
      name.key,
      'Others wrote this mark again and again. Try again.',
    );
  }

  #textOf({ bytes }: StoredPartition, name: PartitionName): string | null {
    try {
      return readEntry(bytes, name, this.#settings.sealing).document;
    } catch (error) {
      if (error instanceof PartitionError) return null; // A lost sealing key must not keep anyone from signing in.
      throw error;
    }
  }

  /** Removes a mark. @throws PartitionStoreError */
  async remove(...name: readonly string[]): Promise<void> {
    const { store, timeout } = this.#settings;
    const { key } = nameOf(name);
    await Deadline.run(timeout, (deadline) => deadline.with((call) => store.remove(key, undefined, call)));
  }

  #read({ key }: PartitionName): Promise<StoredPartition | null> {
    const { store, timeout } = this.#settings;
    return Deadline.run(timeout, (deadline) => deadline.readFresh(store, key));
  }

  #write(name: PartitionName, text: string, expected: string | null, ttl: number): Promise<boolean> {
    const { store, timeout, sealing } = this.#settings;
    const bytes = writeEntry({ document: text, metadata: {} }, name, sealing);
    const entry = { bytes, version: newVersion() };
    return Deadline.run(timeout, (deadline) => deadline.write(store, name.key, entry, { expected, ttl }));
  }
}

/** How many ids are remembered in memory. */
const MOST_IDS = 10_000;

/** The ids of what may be used once, such as a logout token, until it expires: in memory, and in a store if there is one. */
export class UsedOnce {
  readonly #marks: Marks | undefined;
  readonly #of: readonly string[];
  readonly #now: () => number;
  readonly #known = new Map<string, number>();

  /** @param of what is used, and by whom: ids of others are others */
  constructor(marks: Marks | undefined, of: readonly string[], now: () => number) {
    this.#marks = marks;
    this.#of = of;
    this.#now = now;
  }

  async has(id: string): Promise<boolean> {
    return this.#known.has(id) || (await this.#marks?.has(...this.#of, id)) === true;
  }

  /**
   * @param end seconds since the epoch, from which it is refused anyway
   * @returns whether it is the first use @throws PartitionStoreError: it counts as unused
   */
  async use(id: string, end: number): Promise<boolean> {
    const now = this.#now();
    const known = this.#known;
    for (const [other, until] of known) if (until < now || known.size >= MOST_IDS) known.delete(other);
    if (known.has(id)) return false;
    known.set(id, end); // Set before any await, so that only one of two calls in this process is the first.
    try {
      return (await this.#marks?.setOnce(Math.max(1, Math.ceil(end - now)), ...this.#of, id)) ?? true;
    } catch (error) {
      known.delete(id);
      throw error;
    }
  }
}

function nameOf(parts: readonly string[]): PartitionName {
  return partitionName('mark', createHash('sha256').update(JSON.stringify(parts)).digest('base64url'));
}

/** By the object that `partitionedCaches` returned. */
const marks = new WeakMap<object, Marks>();

export function keepMarks(caches: object, settings: Settings): void {
  marks.set(caches, new Marks(settings));
}

/** Returns the marks in the store of these caches; undefined if `partitionedCaches` did not make the object. */
export function marksOf(caches: object): Marks | undefined {
  return marks.get(caches);
}
