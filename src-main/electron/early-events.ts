/** Buffers events in the preload script until the page listens. */

type Receive = (payload: unknown) => void;

/** The maximum number of buffered events per name, in case a page never listens. */
const MOST_KEPT = 20;

/**
 * Subscribes to every event at once and keeps those that arrive before the page has its first listener: a page is loaded
 * before its script has subscribed, and an import named on the command line is read by then.
 *
 * @returns `on(name, listener)`, which returns a function that removes the listener. A name that is no event is ignored.
 */
export function listen(
  names: readonly string[],
  subscribe: (name: string, receive: Receive) => void,
): (name: string, listener: Receive) => () => void {
  const listeners = new Map<string, Set<Receive>>();
  const kept = new Map<string, unknown[]>();
  for (const name of names) {
    listeners.set(name, new Set());
    kept.set(name, []);
    subscribe(name, (payload) => {
      const hearing = listeners.get(name);
      if (hearing !== undefined && hearing.size > 0) for (const hear of hearing) hear(payload);
      else kept.set(name, [...(kept.get(name) ?? []), payload].slice(-MOST_KEPT));
    });
  }
  return (name, listener) => {
    listeners.get(name)?.add(listener);
    for (const payload of kept.get(name) ?? []) listener(payload);
    if (kept.has(name)) kept.set(name, []);
    return () => {
      listeners.get(name)?.delete(listener);
    };
  };
}
