import type { TimesShown, Settings as Values } from '../../app/contract.ts';
import type { Outcome, PlainError } from '../../src-main/ipc/contract.ts';
import type { Ports } from './ports.ts';
import { createStore, type Store } from './store.ts';
import { showTimesIn } from './time.ts';

export interface SettingsView extends Values {
  error: PlainError | null;
}

export interface Settings {
  view: Store<SettingsView>;
  load: () => Promise<void>;
  /** Resolves with whether the setting was saved. */
  setTimes: (times: TimesShown) => Promise<boolean>;
  setCloseWhenAway: (on: boolean) => Promise<void>;
  setMenuBar: (on: boolean) => Promise<void>;
  setNotify: (on: boolean) => Promise<void>;
  setStartAtLogin: (on: boolean) => Promise<void>;
  setUpdates: (on: boolean) => Promise<void>;
  /** Main asks the user before it is turned on. */
  setAsksRarely: (on: boolean) => Promise<void>;
}

export function createSettings({ app }: Ports): Settings {
  const view = createStore<SettingsView>({
    times: 'local',
    closeWhenAway: false,
    menuBar: false,
    notify: true,
    asksRarely: false,
    startAtLogin: false,
    updates: true,
    updateHost: null,
    hosts: [],
    error: null,
  });
  const show = (answer: Outcome<Values>) =>
    view.set(answer.ok ? { ...answer.value, error: null } : { ...view.get(), error: answer.error });
  const change = async (request: Promise<Outcome<Values>>) => {
    view.set({ ...view.get(), error: null });
    const answer = await request;
    show(answer);
    return answer.ok;
  };
  return {
    view,
    async load() {
      show(await app.settings());
      showTimesIn(view.get().times);
    },
    setTimes: (times) => change(app.setTimes(times)),
    setCloseWhenAway: async (on) => void (await change(app.setCloseWhenAway(on))),
    setMenuBar: async (on) => void (await change(app.setMenuBar(on))),
    setNotify: async (on) => void (await change(app.setNotify(on))),
    setStartAtLogin: async (on) => void (await change(app.setStartAtLogin(on))),
    setUpdates: async (on) => void (await change(app.setUpdates(on))),
    setAsksRarely: async (on) => void (await change(app.setAsksRarely(on))),
  };
}
