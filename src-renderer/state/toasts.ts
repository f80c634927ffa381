import type { Ports } from './ports.ts';
import { createStore, type Store } from './store.ts';

export interface Toast {
  id: number;
  text: string;
  /** Milliseconds since the epoch that the toast counts down to; null for none. */
  until: number | null;
}

/** Milliseconds that a toast stays. */
export const TOAST_STAYS = 5000;

export interface Toasts {
  view: Store<readonly Toast[]>;
  /** Shows a toast and returns its ID. A toast with `until` stays a little longer than that. */
  show: (text: string, options?: { until?: number }) => number;
  dismiss: (id: number) => void;
}

export function createToasts({ time }: Pick<Ports, 'time'>): Toasts {
  const view = createStore<readonly Toast[]>([]);
  let last = 0;
  const dismiss = (id: number) => view.set(view.get().filter((toast) => toast.id !== id));
  return {
    view,
    show(text, { until } = {}) {
      last += 1;
      const id = last;
      view.set([...view.get(), { id, text, until: until ?? null }]);
      time.after(until === undefined ? TOAST_STAYS : until - time.now() + 1500, () => dismiss(id));
      return id;
    },
    dismiss,
  };
}
