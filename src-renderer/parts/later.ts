import { useEffect } from 'react';
import { createStore } from '../state/store.ts';
import { useStore } from './hooks.ts';

/**
 * A part of the window in a separate script, so that the first accounts don't wait for it. It is loaded when it is first shown, or
 * earlier by `load`.
 */
export interface Later<Module> {
  load: () => Promise<void>;
  /** Returns null until the part is loaded. If it is shown but can't be loaded, as after its files were removed, rendering throws. */
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
