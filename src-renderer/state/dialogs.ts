import type { LeaveOffers, LeaveWishes, SignInProfile } from '../../app/contract.ts';
import type {
  Difference,
  ExportReceipt,
  ImportLocked,
  ImportPlan,
  KeyReceipt,
  PlainError,
  RemovalCount,
  SignOutReceipt,
} from '../../src-main/ipc/contract.ts';
import type { ProviderResult } from './signOut.ts';
import { createStore, type Store } from './store.ts';

/** The dialog that is open. One at a time: another takes its place. */
export type Dialog =
  | { kind: 'about' }
  | { kind: 'sign-in' }
  | { kind: 'profile'; profile: SignInProfile | null }
  | { kind: 'signing-in' }
  | { kind: 'start-fresh' }
  | { kind: 'recover' }
  | { kind: 'rotate-key'; working: boolean; receipt: KeyReceipt | null }
  | { kind: 'export'; working: boolean; error: PlainError | null; receipt: ExportReceipt | null }
  | {
      kind: 'repair';
      /** null: all that can be repaired. */
      ids: readonly string[] | null;
      /** How many findings that are. */
      count: number;
      /** What it will do, as far as the findings were sent. */
      difference: Difference;
      working: boolean;
    }
  | { kind: 'failure'; title: string; error: PlainError }
  | { kind: 'import-reading'; fileName: string; bytes: number }
  | { kind: 'import-locked'; file: ImportLocked; opening: boolean; error: PlainError | null }
  | { kind: 'import-plan'; plan: ImportPlan; merging: boolean }
  | {
      kind: 'sign-out';
      /** null: everyone. */
      accountId: string | null;
      /** As it was when the dialog opened: an app is not signed out, its tokens are removed. */
      user: boolean;
      who: string;
      apps: readonly string[];
      /** null until main has counted. */
      counts: RemovalCount | null;
      working: boolean;
      /** What the provider can do besides; null until it is known, undefined where nobody is to be asked. */
      offers: LeaveOffers | null | undefined;
      wishes: LeaveWishes;
    }
  | {
      kind: 'receipt';
      user: boolean;
      who: string;
      receipts: readonly SignOutReceipt[];
      /** Of the provider; null where it was not asked. */
      leaving: ProviderResult | null;
    };

export interface Dialogs {
  view: Store<Dialog | null>;
  open: (dialog: Dialog) => void;
  close: () => void;
  fail: (title: string, error: PlainError) => void;
}

export function createDialogs(): Dialogs {
  const view = createStore<Dialog | null>(null);
  return {
    view,
    open: view.set,
    close: () => view.set(null),
    fail: (title, error) => view.set({ kind: 'failure', title, error }),
  };
}

/** The dialog of one kind: what its component is given. */
export type DialogOf<Kind extends Dialog['kind']> = Extract<Dialog, { kind: Kind }>;
