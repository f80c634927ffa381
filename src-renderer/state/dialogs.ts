import type { LeavingAccount } from './signOutMatrix.ts';
import type {
  OwnCopy,
  PlaceOffer,
  ProfileDraft,
  SignInProfile,
  SignOutOffers,
  SignOutReport,
  SignOutWishes,
} from '../../app/contract.ts';
import type {
  Difference,
  ExportReceipt,
  ImportLocked,
  ImportPlan,
  KeyReceipt,
  PlainError,
  RemovalCount,
} from '../../src-main/ipc/contract.ts';
import { createStore, type Store } from './store.ts';

/** The open dialog. Only one dialog is open at a time. */
export type Dialog =
  | { kind: 'about' }
  | { kind: 'tenant-name'; realm: string }
  | { kind: 'sign-in' }
  /** `draft`: initial fields of a new profile. `again`: ID of the account that signs in again with it. */
  | { kind: 'profile'; profile: SignInProfile | null; draft?: ProfileDraft; again?: string }
  | {
      kind: 'sign-in-again';
      accountId: string;
      name: string;
      profile: SignInProfile;
      loginHint: string | null;
    }
  | { kind: 'signing-in' }
  /** `restore`: an export is chosen first, and its import starts the empty vault. */
  | { kind: 'start-fresh'; restore: boolean }
  | { kind: 'recover' }
  | { kind: 'rotate-key'; working: boolean; receipt: KeyReceipt | null }
  | { kind: 'export'; working: boolean; error: PlainError | null; receipt: ExportReceipt | null }
  | {
      kind: 'repair';
      /** null: all repairable findings. */
      ids: readonly string[] | null;
      /** Number of findings. */
      count: number;
      /** Changes of the repair, for the findings that main has sent. */
      difference: Difference;
      working: boolean;
    }
  | { kind: 'failure'; title: string; error: PlainError }
  | {
      kind: 'not-refreshed';
      /** Number of accounts that were refreshed. */
      refreshed: number;
      /** Why accounts were not refreshed, each reason once, with the names of these accounts. */
      problems: readonly { message: string; names: readonly string[] }[];
      /** Number of accounts that were not tried, because the user stopped. */
      left: number;
    }
  | { kind: 'import-reading'; fileName: string; bytes: number }
  /** `restores`: the import sets a vault that can't be opened aside, and starts an empty one. */
  | {
      kind: 'import-locked';
      file: ImportLocked;
      restores: boolean;
      opening: boolean;
      error: PlainError | null;
    }
  | { kind: 'import-plan'; plan: ImportPlan; restores: boolean; merging: boolean }
  | {
      kind: 'sign-out';
      /** null: all accounts. */
      accountIds: readonly string[] | null;
      /** Names of the accounts. */
      names: readonly string[];
      accounts: readonly LeavingAccount[];
      /** Files of other programs that the accounts were imported from, which keep their copies. */
      copies: readonly OwnCopy[];
      /** Whether the account has a user. Without one, tokens are removed rather than signed out. */
      user: boolean;
      who: string;
      apps: readonly string[];
      /** Number of these accounts that are in the vault. */
      inVault: number;
      /** Other programs that have some of the accounts. */
      places: readonly PlaceOffer[];
      /** null until main has counted. */
      counts: RemovalCount | null;
      working: boolean;
      /** What the provider supports; null until known, undefined if no provider is asked. */
      offers: SignOutOffers | null | undefined;
      wishes: SignOutWishes;
    }
  | {
      kind: 'receipt';
      user: boolean;
      who: string;
      /** Whether all accounts were signed out. */
      isEveryone: boolean;
      /** Number of accounts. The report names accounts with the same user name once. */
      accounts: number;
      report: SignOutReport;
      /** What is in progress. */
      working: 'undo' | 'check' | null;
    };

/**
 * One dialog at a time, and each stays until the user has finished with it: it may hold a typed passphrase, a code, or the only way to undo
 * a sign-out. What comes while another dialog is open waits.
 */
export interface Dialogs {
  view: Store<Dialog | null>;
  /** Differs for each dialog that was opened. It stays while a dialog is replaced by what it led to. */
  key: () => number;
  /** Whether the open dialog shows that an action is in progress. Its frame sets it. */
  busy: Store<boolean>;
  /** Opens a dialog that the user asked for, in place of the open one. */
  open: (dialog: Dialog) => void;
  /** Opens a dialog once no other one is open. `make` is called then; null: it is no longer needed. */
  later: (make: () => Dialog | null) => void;
  /** Replaces `before` (null: no dialog) with `next` (null: closes it). Does nothing and returns false if another dialog is open now. */
  replace: (before: Dialog | null, next: Dialog | null) => boolean;
  /** Shows what an action led to: in place of `before`, which was open when it began, else once no other dialog is open. */
  answer: (before: Dialog | null, next: Dialog) => void;
  close: () => void;
  /** Shows an error as `answer` does. */
  fail: (title: string, error: PlainError, before?: Dialog | null) => void;
}

export function createDialogs(): Dialogs {
  const view = createStore<Dialog | null>(null);
  const waiting: (() => Dialog | null)[] = [];
  let key = 0;
  const next = (): Dialog | null => {
    for (let make = waiting.shift(); make !== undefined; make = waiting.shift()) {
      const dialog = make();
      if (dialog !== null) return dialog;
    }
    return null;
  };
  const open = (dialog: Dialog | null) => {
    key += 1;
    view.set(dialog);
  };
  const dialogs: Dialogs = {
    view,
    key: () => key,
    busy: createStore<boolean>(false),
    open,
    later(make) {
      waiting.push(make);
      if (view.get() === null) open(next());
    },
    replace(before, after) {
      if (view.get() !== before) return false;
      if (before === null || after === null) open(after ?? next());
      else view.set(after);
      return true;
    },
    answer(before, after) {
      if (!dialogs.replace(before, after)) dialogs.later(() => after);
    },
    close: () => open(next()),
    fail: (title, error, before = null) => dialogs.answer(before, { kind: 'failure', title, error }),
  };
  return dialogs;
}

/** Dialog of one kind. */
export type DialogOf<Kind extends Dialog['kind']> = Extract<Dialog, { kind: Kind }>;
