import type {
  ImportLocked,
  ImportPlan,
  ImportReport,
  Outcome,
  PlainError,
} from '../../src-main/ipc/contract.ts';
import type { Dialog, DialogOf, Dialogs } from './dialogs.ts';
import type { Ports } from './ports.ts';
import type { Toasts } from './toasts.ts';
import type { Vault } from './vault.ts';
import { count, listing, number } from './words.ts';

export interface Importing {
  /** Imports a file chosen in the system's dialog. */
  choose: () => Promise<void>;
  /** As `choose`, for a vault that can't be opened: its file is set aside only when the import is confirmed. */
  restore: () => Promise<void>;
  /** Imports dropped files, one after the other. */
  drop: (files: readonly File[]) => Promise<void>;
  /** Opens the encrypted file of the open dialog. The passphrase is not kept. */
  unlock: (passphrase: string) => Promise<void>;
  confirm: () => Promise<void>;
  /** Cancels the import of the open dialog. */
  cancel: () => void;
}

/** Milliseconds before "Reading…" is shown. Small documents are read by then. */
export const READING_AFTER = 300;

const FAILED = 'Import failed';

export function createImporting(ports: Ports, vault: Vault, dialogs: Dialogs, toasts: Toasts): Importing {
  const { tokenCache, time } = ports;
  let callOff = () => {};
  /** Dropped files that wait for their turn. */
  const dropped: File[] = [];
  let planning = false;

  const reading = (fileName: string, bytes: number) => {
    callOff();
    callOff = time.after(READING_AFTER, () => {
      const before = dialogs.view.get();
      if (before === null || before.kind === 'import-reading')
        dialogs.replace(before, { kind: 'import-reading', fileName, bytes });
    });
  };
  /** The last planned import. Main keeps no earlier one. */
  let last: ImportPlan | ImportLocked | undefined;
  const planned = (plan: ImportPlan | ImportLocked, restores = false) => {
    callOff();
    last = plan;
    const dialog: Dialog =
      'locked' in plan
        ? { kind: 'import-locked', file: plan, restores, opening: false, error: null }
        : { kind: 'import-plan', plan, restores, merging: false };
    const before = open();
    if (before?.kind === 'import-reading') dialogs.open(dialog);
    else if (before !== null) {
      // The new plan replaces an open one.
      void tokenCache.cancelImport(before.kind === 'import-plan' ? before.plan.id : before.file.id);
      dialogs.open(dialog);
    } else dialogs.later(() => (last === plan ? dialog : null));
  };
  /** The last failure. A flood of second starts would otherwise leave as many dialogs to close. */
  let lastError: PlainError | undefined;
  const failed = (error: PlainError) => {
    callOff();
    lastError = error;
    const failure: Dialog = { kind: 'failure', title: FAILED, error };
    const before = dialogs.view.get();
    if (before?.kind === 'import-reading') dialogs.replace(before, failure);
    else dialogs.later(() => (lastError === error ? failure : null));
  };
  /** The open dialog of an import that nothing was decided about. */
  const open = (): DialogOf<'import-reading' | 'import-plan' | 'import-locked'> | null => {
    const dialog = dialogs.view.get();
    if (dialog?.kind === 'import-reading') return dialog;
    if (dialog?.kind === 'import-plan') return dialog.merging ? null : dialog;
    return dialog?.kind === 'import-locked' && !dialog.opening ? dialog : null;
  };
  /**
   * Main reports that it reads the requested file, and answers the request. Electron sends the two separately, so the answer may come
   * first. "Reading…" must not replace its dialog then.
   */
  let asking = false;
  let isOvertaken = false;
  const settled = async (request: Promise<Outcome<ImportPlan | ImportLocked | null>>, restores = false) => {
    asking = true;
    isOvertaken = true; // until the report arrives
    const answer = await request;
    asking = false;
    if (!answer.ok) failed(answer.error);
    else if (answer.value !== null) planned(answer.value, restores);
    else {
      isOvertaken = false; // no file was chosen
      callOff();
    }
  };
  const cancel = () => {
    const dialog = open();
    if (dialog === null || dialog.kind === 'import-reading') return;
    dialogs.close();
    void tokenCache.cancelImport(dialog.kind === 'import-plan' ? dialog.plan.id : dialog.file.id);
  };

  const planNext = async () => {
    const file = dropped.shift();
    if (file === undefined) return;
    planning = true;
    reading(file.name, file.size);
    await settled(
      tokenCache.planImport(file).then((answer) => {
        planning = false;
        return answer;
      }),
    );
  };
  dialogs.view.subscribe(() => {
    if (dialogs.view.get() === null && !planning && dropped.length > 0) void planNext();
  });

  tokenCache.on('importReading', ({ fileName, bytes }) => {
    const isLate = isOvertaken && !asking;
    isOvertaken = false;
    if (!isLate) reading(fileName, bytes);
  });
  tokenCache.on('importPlanned', (plan) => planned(plan));
  tokenCache.on('importFailed', failed);

  return {
    async choose() {
      await settled(tokenCache.chooseImport());
    },
    async restore() {
      dialogs.close();
      await settled(tokenCache.chooseImport(), true);
    },
    async drop(files) {
      dropped.push(...files);
      // Otherwise the next file follows when the dialog of the previous one closes.
      if (!planning && dialogs.view.get() === null) await planNext();
    },
    async unlock(passphrase) {
      const dialog = dialogs.view.get();
      if (dialog?.kind !== 'import-locked' || dialog.opening || passphrase === '') return;
      const opening: Dialog = { ...dialog, opening: true, error: null };
      dialogs.replace(dialog, opening);
      const answer = await tokenCache.unlockImport(dialog.file.id, passphrase);
      const { restores } = dialog;
      if (answer.ok)
        dialogs.answer(opening, { kind: 'import-plan', plan: answer.value, restores, merging: false });
      else if (answer.error.code === 'passphrase_wrong') {
        dialogs.replace(opening, { ...dialog, opening: false, error: answer.error });
      } else {
        void tokenCache.cancelImport(dialog.file.id);
        dialogs.fail(FAILED, answer.error, opening);
      }
    },
    async confirm() {
      const dialog = dialogs.view.get();
      if (dialog?.kind !== 'import-plan' || dialog.merging) return;
      const merging: Dialog = { ...dialog, merging: true };
      dialogs.replace(dialog, merging);
      /** The dialog is gone, and with it the only way to confirm the plan. */
      const fail = (error: PlainError) => {
        void tokenCache.cancelImport(dialog.plan.id);
        dialogs.fail(FAILED, error, merging);
      };
      if (dialog.restores) {
        // Main may have discarded the document, and no file is set aside for nothing. One that is open needs no passphrase.
        const still = await tokenCache.unlockImport(dialog.plan.id, '');
        if (!still.ok) {
          fail(still.error);
          return;
        }
        const fresh = await vault.ask('startFresh');
        if (fresh === null) dialogs.replace(merging, dialog);
        else if (!fresh.ok) fail(fresh.error);
        if (fresh?.ok !== true) return;
      }
      const answer = await tokenCache.confirmImport(dialog.plan.id);
      if (!answer.ok) {
        fail(answer.error);
        return;
      }
      dialogs.replace(merging, null);
      toasts.show(imported(dialog.plan.fileName, answer.value));
    },
    cancel,
  };
}

/** "Imported cache.json: 2 accounts added, 8 tokens added, 1 token replaced." */
export function imported(fileName: string, report: ImportReport): string {
  const parts = [];
  if (report.accountsAdded > 0) parts.push(`${count(report.accountsAdded, 'account')} added`);
  if (report.tokensAdded > 0) parts.push(`${count(report.tokensAdded, 'token')} added`);
  if (report.tokensReplaced > 0) parts.push(`${count(report.tokensReplaced, 'token')} replaced`);
  if (report.notUnderstood > 0) {
    parts.push(`${count(report.notUnderstood, 'entry', 'entries')} not understood, kept unchanged`);
  }
  return `Imported ${fileName}: ${parts.length === 0 ? 'nothing new' : parts.join(', ')}.`;
}

/** Returns the plan as it is for an empty vault, where everything is new. */
export function intoEmpty(plan: ImportPlan): ImportPlan {
  const { added, known, names } = plan.accounts;
  const { tokens } = plan;
  return {
    ...plan,
    accounts: { added: added + known, known: 0, names },
    tokens: {
      ...tokens,
      added: tokens.added + tokens.replaced + tokens.unchanged,
      replaced: 0,
      unchanged: 0,
    },
  };
}

/** Whether the import would change nothing. */
export function isNothingNew({ accounts, tokens, notUnderstood }: ImportPlan): boolean {
  return accounts.added + tokens.added + tokens.replaced + notUnderstood === 0;
}

/** Returns the lines of a plan. `soft`: changes nothing. */
export function planLines(plan: ImportPlan): { text: string; soft: boolean }[] {
  const { accounts, tokens, notUnderstood } = plan;
  const lines: { text: string; soft: boolean }[] = [];
  const add = (n: number, text: string, soft = false) => {
    if (n > 0) lines.push({ text, soft });
  };
  add(accounts.added, count(accounts.added, 'new account'));
  add(accounts.known, `${count(accounts.known, 'account')} already in the vault`, true);
  add(tokens.added, count(tokens.added, 'new token'));
  add(
    tokens.replaced,
    `${count(tokens.replaced, 'token')} replaced by ${tokens.replaced === 1 ? 'a newer one' : 'newer ones'}`,
  );
  add(tokens.unchanged, `${count(tokens.unchanged, 'token')} already in the vault`, true);
  add(tokens.expired, `${count(tokens.expired, 'access token')} already expired`, true);
  add(notUnderstood, `${count(notUnderstood, 'entry', 'entries')} not understood, kept unchanged`, true);
  if (lines.length === 0) lines.push({ text: 'Nothing: the document is empty', soft: true });
  return lines;
}

/** Returns the names of the accounts: the first few and how many more. Main may send only some names. */
export function planNames({ accounts }: ImportPlan): string {
  const all = accounts.added + accounts.known;
  const shown = accounts.names.slice(0, 6);
  const more = all - shown.length;
  if (shown.length === 0) return '';
  return more > 0 ? `${shown.join(', ')} and ${number(more)} more` : listing(shown);
}
