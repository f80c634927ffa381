import type { UpdateStatus } from '../../app/contract.ts';
import type { Dialogs } from './dialogs.ts';
import type { Ports } from './ports.ts';
import { createStore, type Store } from './store.ts';

/** State of an available update. */
export interface Update {
  view: Pick<Store<UpdateStatus>, 'get' | 'subscribe'>;
  load: () => Promise<void>;
  /** Runs the action of the update line. */
  go: () => Promise<void>;
}

export function createUpdate(ports: Pick<Ports, 'app'>, dialogs: Pick<Dialogs, 'fail'>): Update {
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
      const isToDownload = state === 'available' || state === 'failed' || state === 'unsigned';
      if (!isToDownload && state !== 'ready' && state !== 'refused' && state !== 'restart') return;
      const answer = await (isToDownload ? ports.app.downloadUpdate() : ports.app.installUpdate());
      if (!answer.ok) dialogs.fail('The update did not continue', answer.error);
    },
  };
}

/** Returns the text of the update line and the label of its button; null without an update. */
export function updateLine(status: UpdateStatus): { text: string; action: string | null } | null {
  switch (status.state) {
    case 'none':
      return null;
    case 'restart':
      return { text: 'Restart to finish the update', action: 'Restart' };
    case 'available':
      return { text: `Update available: ${status.version}`, action: 'Download' };
    case 'downloading':
      return { text: `Downloading ${status.version}: ${status.percent}%`, action: null };
    case 'ready':
      return { text: `${status.version} is ready to install`, action: 'Restart and install' };
    case 'failed':
      return {
        text: `${status.version} could not be downloaded and verified. Nothing was changed.`,
        action: 'Try again',
      };
    case 'unsigned':
      return {
        text: `${status.version} isn’t signed with the key that this version trusts, so it was deleted. You keep the current version.`,
        action: 'Try again',
      };
    case 'refused':
      return {
        text: `${status.version} was not installed. You keep the current version.`,
        action: 'Try again',
      };
  }
}
