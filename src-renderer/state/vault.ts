import type { AppInfo } from '../../app/contract.ts';
import type { Outcome, PlainError, VaultStatus } from '../../src-main/ipc/contract.ts';
import type { Ports } from './ports.ts';
import { createStore, type Store } from './store.ts';

/** Requests that change which file the vault is, or what is in it. */
export type VaultAction = 'retry' | 'recover' | 'startFresh' | 'keepMine' | 'takeFile' | 'makeOwn';

export interface VaultView {
  /** null until the vault has been opened. */
  status: VaultStatus | null;
  /** null until main has answered. */
  info: AppInfo | null;
  /** The action in progress. */
  doing: VaultAction | null;
  /** Error of the last action. */
  error: PlainError | null;
}

export interface Vault {
  view: Store<VaultView>;
  load: () => Promise<void>;
  /**
   * Runs an action and resolves with main's answer; its value is null if the user declined. Resolves with null if another
   * action is in progress.
   */
  ask: (what: VaultAction) => Promise<Outcome<VaultStatus | null> | null>;
}

export function createVault({ tokenCache, app }: Ports): Vault {
  const view = createStore<VaultView>({ status: null, info: null, doing: null, error: null });
  const patch = (changes: Partial<VaultView>) => view.set({ ...view.get(), ...changes });

  const loadInfo = async () => {
    const info = await app.info();
    if (info.ok) patch({ info: info.value });
  };

  tokenCache.on('status', (status) => patch({ status }));

  return {
    view,
    async load() {
      await Promise.all([
        loadInfo(),
        tokenCache.status().then((answer) => {
          // An event may have delivered a newer status.
          if (view.get().status !== null) return;
          patch(answer.ok ? { status: answer.value } : { error: answer.error });
        }),
      ]);
    },
    async ask(what) {
      if (view.get().doing !== null) return null;
      patch({ doing: what, error: null });
      const answer: Outcome<VaultStatus | null> = await tokenCache[what]();
      const changes = answer.ok ? answer.value && { status: answer.value } : { error: answer.error };
      patch({ doing: null, ...changes });
      await loadInfo(); // a retry may change `keychainCrashed`
      return answer;
    },
  };
}
