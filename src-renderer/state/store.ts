/**
 * A value that can be watched: what `useSyncExternalStore` asks for, and nothing more. State lives in stores, outside
 * components, so that it can be tested without a document.
 */
export interface Store<T> {
  get: () => T;
  /** Listeners hear of a new value only when it is another one (`Object.is`). */
  set: (value: T) => void;
  /** Returns the function that ends it. */
  subscribe: (listener: () => void) => () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
