/** Work that a quit or a lock waits for, but not for ever. */
export interface TrackedWork {
  /** Returns the same promise. */
  track: <T>(work: Promise<T>) => Promise<T>;
  /** Resolves with the result of the work, or with `late()` when the time is over; the work continues. */
  within: <T>(milliseconds: number, work: Promise<T>, late: () => T) => Promise<T>;
  /** Resolves when the tracked work has ended, or when the time is over. */
  ended: (milliseconds: number) => Promise<void>;
}

export function trackedWork(after: (milliseconds: number, work: () => void) => () => void): TrackedWork {
  const running = new Set<Promise<unknown>>();
  const within: TrackedWork['within'] = (milliseconds, work, late) => {
    let cancel = (): void => {};
    const over = new Promise<void>((resolve) => {
      cancel = after(milliseconds, resolve);
    });
    return Promise.race([work, over.then(late)]).finally(() => cancel());
  };
  return {
    track(work) {
      running.add(work);
      void work.catch(() => undefined).finally(() => running.delete(work));
      return work;
    },
    within,
    async ended(milliseconds) {
      const all = Promise.allSettled([...running]).then(() => undefined);
      await within(milliseconds, all, () => undefined);
    },
  };
}
