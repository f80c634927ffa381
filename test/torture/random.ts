/** A stream of numbers that is determined by a seed: the same seed gives the same plan. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns a separate stream, so that the draws of one section don't affect another's. */
  fork(name: string): Random {
    let state = this.#state;
    for (const character of name) state = (Math.imul(state, 31) + character.charCodeAt(0)) >>> 0;
    return new Random(state);
  }

  /** Returns an integer from 0 to `end` - 1 (Mulberry32). */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }

  pick<T>(from: readonly T[]): T {
    const chosen = from[this.below(from.length)];
    if (chosen === undefined) throw new Error('nothing to pick from');
    return chosen;
  }

  /** Returns `count` of the items, in their order. */
  sample<T>(from: readonly T[], count: number): T[] {
    const left = from.map((value, index) => ({ value, index }));
    const chosen: typeof left = [];
    while (chosen.length < count && left.length > 0) chosen.push(...left.splice(this.below(left.length), 1));
    return chosen.sort((a, b) => a.index - b.index).map(({ value }) => value);
  }
}
