/** The events' end in the preload script. */

type Receive = (payload: unknown) => void;

/** Many more than are ever waiting; a page that never listens must not cost memory. */
const KEPT = 20;

/**
 * Listens to every event at once and keeps those that come before the page has its first listener for them, for a
 * page is loaded before its script has subscribed, and an import named on the command line is read by then.
 *
 * @returns `on(name, listener)`, which gives back the function that ends it. A name that is not an event is ignored.
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
      else kept.set(name, [...(kept.get(name) ?? []), payload].slice(-KEPT));
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
