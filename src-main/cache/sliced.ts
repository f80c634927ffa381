/**
 * Long work that pauses now and then. Whoever runs it decides what happens in a pause; nothing else may change what it
 * works on until it is done.
 */
export type Sliced<T> = Generator<undefined, T, undefined>;

/** Runs it without a pause. */
export function atOneGo<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
