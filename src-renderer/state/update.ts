import type { UpdateStatus } from '../../app/contract.ts';
import type { Ports } from './ports.ts';
import { createStore, type Store } from './store.ts';

/** Whether there is a newer version, and how far it is. */
export interface Update {
  view: Pick<Store<UpdateStatus>, 'get' | 'subscribe'>;
  load: () => Promise<void>;
  /** What the line's button does in this state. */
  go: () => Promise<void>;
}

export function createUpdate(ports: Pick<Ports, 'app'>): Update {
  const view = createStore<UpdateStatus>({ state: 'none' });
  ports.app.on('update', (status) => view.set(status));
  return {
    view,
    async load() {
      const answer = await ports.app.update();
      if (answer.ok) view.set(answer.value);
    },
    async go() {
      const { state } = view.get();
      if (state === 'available' || state === 'failed') await ports.app.downloadUpdate();
      else if (state === 'ready' || state === 'refused') await ports.app.installUpdate();
    },
  };
}

/** The line: what is, and what its button says; no button where there is only to wait. */
export function updateLine(status: UpdateStatus): { text: string; action: string | null } | null {
  switch (status.state) {
    case 'none':
      return null;
    case 'available':
      return { text: `Update available: ${status.version}`, action: 'Download' };
    case 'downloading':
      return { text: `Downloading ${status.version}: ${status.percent} %`, action: null };
    case 'ready':
      return { text: `${status.version} is ready`, action: 'Restart and install' };
    case 'failed':
      return {
        text: `${status.version} could not be downloaded, and nothing was changed`,
        action: 'Try again',
      };
    case 'refused':
      return { text: `${status.version} was not installed; this version stays`, action: 'Try again' };
  }
}
