import type { Finding, HealthReport, PlainError, RepairReport } from '../../src-main/ipc/contract.ts';
import type { Accounts } from './accounts.ts';
import type { Dialogs } from './dialogs.ts';
import type { Doors } from './doors.ts';
import { differenceOf, differenceWords } from './findings.ts';
import type { Pages } from './pages.ts';
import { createStore, type Store } from './store.ts';
import type { Toasts } from './toasts.ts';

export interface HealthView {
  /** null until main has answered. */
  report: HealthReport | null;
  undoing: boolean;
  error: PlainError | null;
}

export interface Health {
  view: Store<HealthView>;
  examine: () => Promise<void>;
  /** Opens the dialog that shows the difference; without findings, of all that can be repaired. */
  propose: (findings?: readonly Finding[]) => void;
  /** What the dialog on the screen asked was answered with yes. */
  repair: () => Promise<void>;
  undo: () => Promise<void>;
}

/** Looks once at the start, and whenever something changes while someone is looking at the page. */
export function createHealth(
  { tokenCache }: Doors,
  pages: Pages,
  accounts: Accounts,
  dialogs: Dialogs,
  toasts: Toasts,
): Health {
  const view = createStore<HealthView>({ report: null, undoing: false, error: null });
  const patch = (changes: Partial<HealthView>) => view.set({ ...view.get(), ...changes });
  let question = 0;

  const examine = async () => {
    question += 1;
    const mine = question;
    const answer = await tokenCache.examine();
    if (mine !== question) return; // a newer question is under way
    patch(answer.ok ? { report: answer.value, error: null } : { error: answer.error });
  };
  const done = async (title: string, { difference }: RepairReport) => {
    toasts.show(`${title}: ${differenceWords(difference)}.`);
    await examine();
  };

  let shown = pages.view.get();
  pages.view.subscribe(() => {
    const before = shown;
    shown = pages.view.get();
    if (shown === 'health' && before !== 'health') void examine();
  });
  // The list of accounts is asked for anew at each change; what is wrong with them may have changed as well.
  let known = accounts.view.get().byId;
  accounts.view.subscribe(() => {
    const { byId } = accounts.view.get();
    if (byId === known) return;
    known = byId;
    if (shown === 'health' || view.get().report === null) void examine();
  });

  return {
    view,
    examine,
    propose(findings) {
      const { report } = view.get();
      if (report === null) return;
      const meant = (findings ?? report.findings).filter(({ repair }) => repair !== null);
      if (meant.length === 0) return;
      dialogs.open({
        kind: 'repair',
        ids: findings === undefined ? null : meant.map(({ id }) => id),
        count: findings === undefined ? report.repairable : meant.length,
        difference: differenceOf(meant),
        working: false,
      });
    },
    async repair() {
      const dialog = dialogs.view.get();
      if (dialog?.kind !== 'repair' || dialog.working) return;
      dialogs.open({ ...dialog, working: true });
      const answer = await tokenCache.repair(dialog.ids);
      if (!answer.ok) {
        dialogs.fail('Nothing was repaired', answer.error);
        return;
      }
      dialogs.close();
      await done('Repaired', answer.value);
    },
    async undo() {
      if (view.get().undoing) return;
      patch({ undoing: true });
      const answer = await tokenCache.undoRepair();
      patch({ undoing: false });
      if (answer.ok) await done('Taken back', answer.value);
      else dialogs.fail('The repair was not taken back', answer.error);
    },
  };
}
