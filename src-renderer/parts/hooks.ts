import {
  createContext,
  type RefObject,
  useContext,
  useLayoutEffect,
  useState,
  useSyncExternalStore,
} from 'react';
import type { Model } from '../state/model.ts';
import type { Store } from '../state/store.ts';

export const ModelContext = createContext<Model | null>(null);

export function useModel(): Model {
  const model = useContext(ModelContext);
  if (model === null) throw new Error('There is no model above this component.');
  return model;
}

/** The store's value, or a part of it. `pick` must give the same thing for the same value: a field, a text, a number. */
export function useStore<T>(store: Pick<Store<T>, 'get' | 'subscribe'>): T;
export function useStore<T, Part>(store: Pick<Store<T>, 'get' | 'subscribe'>, pick: (value: T) => Part): Part;
export function useStore<T>(
  store: Pick<Store<T>, 'get' | 'subscribe'>,
  pick: (value: T) => unknown = (value) => value,
) {
  const read = () => pick(store.get());
  return useSyncExternalStore(store.subscribe, read, read); // the second read: when rendered to text
}

/**
 * A text made of the time. The component renders again when the text is another one, not each second: a list of
 * thousands may use it in every line.
 */
export function useTimed(say: (now: number) => string): string {
  return useStore(useModel().clock, say);
}

/** Seconds since the epoch, anew each second. For the few places that show more than one text of it. */
export function useNow(): number {
  return useStore(useModel().clock);
}

/** Which part of a scrolling element is seen: pixels from its top, and its height. Follows scrolling and resizing. */
export function useSeen(box: RefObject<HTMLElement | null>): { top: number; height: number } {
  const [seen, setSeen] = useState({ top: 0, height: 800 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => setSeen({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, [box]);
  return seen;
}
