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
  /** `restore`: an export is chosen and imported afterwards. */
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
  | { kind: 'import-locked'; file: ImportLocked; opening: boolean; error: PlainError | null }
  | { kind: 'import-plan'; plan: ImportPlan; merging: boolean }
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
    };

export interface Dialogs {
  view: Store<Dialog | null>;
  /** Whether the open dialog shows that an action is in progress. Its frame sets it. */
  busy: Store<boolean>;
  open: (dialog: Dialog) => void;
  close: () => void;
  fail: (title: string, error: PlainError) => void;
}

export function createDialogs(): Dialogs {
  const view = createStore<Dialog | null>(null);
  return {
    view,
    busy: createStore<boolean>(false),
    open: view.set,
    close: () => view.set(null),
    fail: (title, error) => view.set({ kind: 'failure', title, error }),
  };
}

/** Dialog of one kind. */
export type DialogOf<Kind extends Dialog['kind']> = Extract<Dialog, { kind: Kind }>;
