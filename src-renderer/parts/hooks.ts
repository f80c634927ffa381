import {
  createContext,
  type RefObject,
  useContext,
  useDeferredValue,
  useEffect,
  useLayoutEffect,
  useMemo,
  useReducer,
  useState,
  useSyncExternalStore,
} from 'react';
import { onPressed } from '../bridge.ts';
import { accountsIn } from '../state/groups.ts';
import type { Model } from '../state/model.ts';
import { matchesNamed, type NamedUser, namedUsers } from '../state/sources.ts';
import type { Store } from '../state/store.ts';
import { timed } from '../state/time.ts';

export const ModelContext = createContext<Model | null>(null);

export function useModel(): Model {
  const model = useContext(ModelContext);
  if (model === null) throw new Error('ModelContext has no model.');
  return model;
}

/** Returns the store's value or a part of it. `pick` must return identical results for the same value. */
export function useStore<T>(store: Pick<Store<T>, 'get' | 'subscribe'>): T;
export function useStore<T, Part>(store: Pick<Store<T>, 'get' | 'subscribe'>, pick: (value: T) => Part): Part;
export function useStore<T>(
  store: Pick<Store<T>, 'get' | 'subscribe'>,
  pick: (value: T) => unknown = (value) => value,
) {
  const read = () => pick(store.get());
  return useSyncExternalStore(store.subscribe, read, read); // the second `read` is for rendering to a string
}

/** Returns a text (or other value) that depends on the time. The component renders again when it is no longer true. */
export function useTimed<T>(say: (now: number) => T): T {
  const { clock } = useModel();
  const [, renderAgain] = useReducer((count: number) => count + 1, 0);
  const { value, until } = timed(say, clock.now());
  useEffect(
    () => (until === Number.POSITIVE_INFINITY ? undefined : clock.wake(until, renderAgain)),
    [clock, until],
  );
  return value;
}

/**
 * Returns the value; while the pointer's button is down, what it was before. For what comes and goes by itself and moves the rest of the
 * window: a press is lost if its button has moved away when the pointer's button goes up.
 */
export function useStill<T>(value: T): T {
  const [isPressed, setPressed] = useState(false);
  const [still, setStill] = useState(value);
  useEffect(() => onPressed(setPressed), []);
  if (!isPressed && still !== value) setStill(value);
  return isPressed ? still : value;
}

/** Returns the users that only programs name, and those of them who match the search. */
export function useNamedUsers(): { all: readonly NamedUser[]; found: readonly NamedUser[] } {
  const { accounts, sources } = useModel();
  const items = useStore(sources.view, (view) => view.items);
  const groups = useStore(accounts.view, (view) => view.groups);
  const text = useStore(accounts.view, (view) => view.text);
  const all = useMemo(() => namedUsers(items, accountsIn(groups)), [items, groups]);
  const found = useMemo(() => all.filter((user) => matchesNamed(user, text)), [all, text]);
  return { all, found };
}

/**
 * Whether a menu button's menu is open. It closes once it would be about another account or token, and the button stays, because it may have
 * the focus.
 */
export function useMenuOf(id: string): { isOpen: boolean; onOpenChange: (isOpen: boolean) => void } {
  const [openFor, setOpenFor] = useState<string | null>(null);
  if (openFor !== null && openFor !== id) setOpenFor(null);
  return { isOpen: openFor === id, onOpenChange: (isOpen) => setOpenFor(isOpen ? id : null) };
}

/** Loads the activity of an account while it is shown, after its tokens. */
export function useAccountEvents(accountId: string): void {
  const { activity, selection } = useModel();
  const isLoaded = useStore(selection.view, (view) => view.accountId === accountId && view.tokens !== null);
  useEffect(() => (isLoaded ? activity.watch(accountId) : undefined), [activity, accountId, isLoaded]);
}

const NONE: ReadonlyMap<string, unknown> = new Map();

/**
 * Of a few rows, those that are out of view are drawn too, but not at once: dozens of new rows would stop the window. Returns which ones are
 * drawn already, or can be drawn now.
 *
 * @param rowOf the rows by ID; null: only those in view are drawn
 */
export function useDrawn(rowOf: ReadonlyMap<string, unknown> | null): Pick<ReadonlySet<string>, 'has'> {
  return useDeferredValue(rowOf ?? NONE, NONE); // React renders what has changed by it in pieces
}

/** Returns the scroll position and the height of an element, in pixels. Follows scrolling and resizing. */
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
