import type { Time } from './ports.ts';
import { createStore, type Store } from './store.ts';

/** Seconds since the epoch, set anew at each full second while someone watches, and not at all otherwise. */
export function createClock(time: Time): Pick<Store<number>, 'get' | 'subscribe'> {
  const store = createStore(Math.floor(time.now() / 1000));
  let watchers = 0;
  let stop = () => {};

  const tick = () => {
    store.set(Math.floor(time.now() / 1000));
    stop = time.after(1000 - (time.now() % 1000), tick);
  };

  return {
    get: store.get,
    subscribe(listener) {
      const end = store.subscribe(listener);
      watchers += 1;
      if (watchers === 1) stop = time.after(0, tick);
      return () => {
        end();
        watchers -= 1;
        if (watchers === 0) stop();
      };
    },
  };
}
