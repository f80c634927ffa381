import { useEffect } from 'react';
import { createStore } from '../state/store.ts';
import { useStore } from './hooks.ts';

/**
 * A part of the window with a script of its own, which the first accounts don't wait for. It is loaded when it is shown for the first
 * time, or before.
 */
export interface Later<Module> {
  load: () => Promise<void>;
  /** Null until it is loaded. Throws in rendering if it can't be, as after its files were removed. */
  use: (isShown: boolean) => Module | null;
}

export function later<Module>(imported: () => Promise<Module>): Later<Module> {
  const part = createStore<{ module: Module } | { error: unknown } | null>(null);
  let loading: Promise<void> | undefined;
  const load = (): Promise<void> =>
    (loading ??= imported().then(
      (module) => part.set({ module }),
      (error: unknown) => part.set({ error }),
    ));
  return {
    load,
    use(isShown) {
      const loaded = useStore(part);
      useEffect(() => {
        if (isShown) void load();
      }, [isShown]);
      if (loaded === null) return null;
      if ('error' in loaded) {
        if (isShown) throw loaded.error;
        return null;
      }
      return loaded.module;
    },
  };
}
