import type { Settings as Values } from '../../app/contract.ts';
import type { PlainError } from '../../src-main/ipc/contract.ts';
import type { Ports } from './ports.ts';
import { createStore, type Store } from './store.ts';
import { showTimesIn } from './time.ts';

export interface SettingsView extends Values {
  error: PlainError | null;
}

export interface Settings {
  view: Store<SettingsView>;
  load: () => Promise<void>;
  /** Resolves with whether it was saved. */
  setUtc: (utc: boolean) => Promise<boolean>;
  setCloseWhenAway: (on: boolean) => Promise<void>;
}

export function createSettings({ app }: Ports): Settings {
  const view = createStore<SettingsView>({ utc: false, closeWhenAway: false, hosts: [], error: null });
  return {
    view,
    async load() {
      const answer = await app.settings();
      view.set(answer.ok ? { ...answer.value, error: null } : { ...view.get(), error: answer.error });
      showTimesIn(view.get().utc ? 'UTC' : undefined);
    },
    async setUtc(utc) {
      const answer = await app.setUtc(utc);
      view.set(answer.ok ? { ...answer.value, error: null } : { ...view.get(), error: answer.error });
      return answer.ok;
    },
    async setCloseWhenAway(on) {
      const answer = await app.setCloseWhenAway(on);
      view.set(answer.ok ? { ...answer.value, error: null } : { ...view.get(), error: answer.error });
    },
  };
}
