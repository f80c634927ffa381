/** How long work may keep everything else in the process waiting, in milliseconds: less than a frame of a window. */
const SLICE = 12;

/** Long work in slices: between them the process answers its windows and its timers. */
export class Pace {
  #until = performance.now() + SLICE;

  /** Lets others have their turn, if it is time. */
  async breathe(): Promise<void> {
    if (performance.now() < this.#until) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#until = performance.now() + SLICE;
  }
}
