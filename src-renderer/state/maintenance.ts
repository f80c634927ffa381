import type { Forgotten, PlainError, VaultReport } from '../../src-main/ipc/contract.ts';
import type { Dialog, Dialogs } from './dialogs.ts';
import type { Ports } from './ports.ts';
import { createStore, type Store } from './store.ts';
import type { Toasts } from './toasts.ts';
import { bytes } from './words.ts';

export interface MaintenanceView {
  /** Progress of a running verification in entries; `of: 0` before the first report. */
  verifying: { done: number; of: number } | null;
  /** The last verification; `at` in seconds since the epoch. */
  verified: { report: VaultReport; at: number } | null;
  compacting: boolean;
  deleting: boolean;
  /** Error of the last action. */
  error: PlainError | null;
}

const DELETED: Readonly<Record<Forgotten['key'], string>> = {
  destroyed: 'Vault deleted, and its encryption key too.',
  pending: 'Vault deleted. Its encryption key is deleted as soon as the keychain is available.',
  kept: 'Copy deleted. The original keeps its encryption key.',
  unknown:
    'Vault deleted. The file no longer identified its encryption key, which may remain in the keychain.',
  none: 'There was no vault file.',
};

export interface Maintenance {
  view: Store<MaintenanceView>;
  verify: () => Promise<void>;
  compact: () => Promise<void>;
  /** Shows the vault file in the system's file manager. */
  showFile: () => Promise<void>;
  /** Deletes the vault and its key after main has asked the user. */
  forget: () => Promise<void>;
  /** Carries out what the open dialog proposes. */
  rotateKey: () => Promise<void>;
  /** Exports through main, which asks for the location. If the user chooses none, the dialog stays open. */
  exportAll: (passphrase: string) => Promise<void>;
}

export function createMaintenance(ports: Ports, dialogs: Dialogs, toasts: Toasts): Maintenance {
  const { tokenCache, time } = ports;
  const view = createStore<MaintenanceView>({
    verifying: null,
    verified: null,
    compacting: false,
    deleting: false,
    error: null,
  });
  const patch = (changes: Partial<MaintenanceView>) => view.set({ ...view.get(), ...changes });

  tokenCache.on('verifying', (verifying) => {
    if (view.get().verifying !== null) patch({ verifying });
  });

  return {
    view,
    async verify() {
      if (view.get().verifying !== null) return;
      patch({ verifying: { done: 0, of: 0 }, error: null });
      const answer = await tokenCache.verify();
      patch({
        verifying: null,
        ...(answer.ok
          ? { verified: { report: answer.value, at: Math.floor(time.now() / 1000) } }
          : { error: answer.error }),
      });
    },
    async compact() {
      if (view.get().compacting) return;
      patch({ compacting: true, error: null });
      const answer = await tokenCache.compact();
      patch({ compacting: false, ...(answer.ok ? {} : { error: answer.error }) });
      if (answer.ok) {
        toasts.show(`Compacted from ${bytes(answer.value.before)} to ${bytes(answer.value.after)}.`);
      }
    },
    async showFile() {
      const before = dialogs.view.get();
      const answer = await ports.app.showFile();
      if (!answer.ok) dialogs.fail('The vault file could not be shown', answer.error, before);
    },
    async forget() {
      if (view.get().deleting) return;
      patch({ deleting: true, error: null });
      const answer = await tokenCache.forget();
      patch({
        deleting: false,
        ...(answer.ok ? answer.value && { verified: null } : { error: answer.error }),
      });
      if (answer.ok && answer.value !== null) toasts.show(DELETED[answer.value.key]);
    },
    async rotateKey() {
      const dialog = dialogs.view.get();
      if (dialog?.kind !== 'rotate-key' || dialog.working) return;
      const working: Dialog = { ...dialog, working: true };
      dialogs.replace(dialog, working);
      const answer = await tokenCache.rotateKey();
      if (answer.ok) dialogs.answer(working, { kind: 'rotate-key', working: false, receipt: answer.value });
      else dialogs.fail('The key was not rotated', answer.error, working);
    },
    async exportAll(passphrase) {
      const dialog = dialogs.view.get();
      if (dialog?.kind !== 'export' || dialog.working) return;
      const working: Dialog = { ...dialog, working: true, error: null };
      dialogs.replace(dialog, working);
      const answer = await tokenCache.exportAll(passphrase);
      dialogs.answer(working, {
        kind: 'export',
        working: false,
        error: answer.ok ? null : answer.error,
        receipt: answer.ok ? answer.value : null,
      });
    },
  };
}
