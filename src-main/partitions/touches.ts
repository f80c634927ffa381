/** When which sliding entry was last touched by this process. */

/** Forgetting one costs a touch too many, so there may be few: 100,000 take some 15 MB. */
const MOST = 100_000;

export class Touches {
  readonly #times = new Map<string, number>();

  /** Whether it is time again; then it counts as done. */
  isDue(key: string, now: number, after: number): boolean {
    const last = this.#times.get(key);
    if (last !== undefined && now >= last && now - last < after) return false;
    this.#times.delete(key);
    this.#times.set(key, now);
    if (this.#times.size > MOST) for (const [oldest] of this.#times) return this.#times.delete(oldest);
    return true;
  }

  forget(key: string): void {
    this.#times.delete(key);
  }
}
