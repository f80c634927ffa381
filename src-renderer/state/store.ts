/**
 * An observable value for `useSyncExternalStore`. State lives in stores outside components, so that tests need no
 * DOM.
 */
export interface Store<T> {
  get: () => T;
  /** Notifies listeners if the value differs (`Object.is`). */
  set: (value: T) => void;
  /** Returns a function that unsubscribes. */
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
