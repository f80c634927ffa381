import type { ProfileDraft, SignInProfile, SignInProgress, SignInWay } from '../../app/contract.ts';
import type { Accounts } from './accounts.ts';
import type { Dialog, Dialogs } from './dialogs.ts';
import type { Ports } from './ports.ts';
import { nameWithRealm } from './groups.ts';
import type { Selection } from './selection.ts';
import { createStore, type Store } from './store.ts';
import type { Toasts } from './toasts.ts';

export interface SignInView {
  /** null until loaded. */
  profiles: readonly SignInProfile[] | null;
  progress: SignInProgress;
}

export interface SignIn {
  view: Store<SignInView>;
  load: () => Promise<void>;
  /** Opens the sign-in dialog, or the profile editor if there is no profile yet. */
  open: () => void;
  /** Opens a sign-in filled in from the account, or the profile editor if no profile fits. */
  again: (accountId: string) => Promise<void>;
  edit: (profile: SignInProfile | null) => void;
  /**
   * Saves a profile. Returns an error message, or null if it is saved.
   *
   * @param again the account that is to sign in again with it
   */
  save: (draft: ProfileDraft, id: string | null, again?: string) => Promise<string | null>;
  remove: (id: string) => Promise<void>;
  begin: (profileId: string, way: SignInWay, loginHint?: string | null) => Promise<void>;
  /** Begins the sign-in that failed again, with the same account. */
  retry: () => Promise<void>;
  /** Cancels the sign-in and closes the dialog. */
  cancel: () => void;
}

export function createSignIn(
  ports: Ports,
  accounts: Accounts,
  selection: Selection,
  dialogs: Dialogs,
  toasts: Toasts,
): SignIn {
  const { app } = ports;
  const view = createStore<SignInView>({ profiles: null, progress: { step: 'none' } });
  const isOpen = () => dialogs.view.get()?.kind === 'signing-in';

  const loadProfiles = async () => {
    const answer = await app.profiles();
    if (answer.ok) view.set({ ...view.get(), profiles: answer.value });
  };

  const finish = async ({ accountId }: Extract<SignInProgress, { step: 'done' }>) => {
    if (isOpen()) dialogs.close();
    await accounts.load();
    const line = accountId === null ? undefined : accounts.view.get().byId.get(accountId);
    if (line !== undefined) selection.account(line.id);
    toasts.show(line === undefined ? 'You are signed in.' : `${nameWithRealm(line)} is signed in.`);
  };

  let isWaiting = false;
  /** The dialog that was opened for a sign-in that goes on. */
  let shown: Dialog | null = null;
  /** Shows a sign-in that goes on, or has failed, as soon as no other dialog is open. */
  const show = () => {
    if (isWaiting || isOpen()) return;
    isWaiting = true;
    dialogs.later(() => {
      isWaiting = false;
      const { step } = view.get().progress;
      shown = step === 'none' || step === 'done' ? null : { kind: 'signing-in' };
      return shown;
    });
  };
  const hear = (progress: SignInProgress) => {
    view.set({ ...view.get(), progress });
    if (progress.step === 'done') void finish(progress);
    else if (progress.step !== 'none') show();
    // A report that was on its way while the user cancelled has opened it.
    else if (shown !== null) dialogs.replace(shown, null);
  };
  app.on('signIn', hear);
  app.on('profiles', () => void loadProfiles());

  // Main keeps a failure for a window that is loaded anew, until the user has seen it.
  let open = dialogs.view.get();
  dialogs.view.subscribe(() => {
    const before = open;
    open = dialogs.view.get();
    if (before?.kind !== 'signing-in' || isOpen() || view.get().progress.step !== 'failed') return;
    view.set({ ...view.get(), progress: { step: 'none' } });
    void app.cancelSignIn();
  });

  let last: Parameters<SignIn['begin']> | undefined;
  /** The last request of `again`. */
  let lastAgain: object | null = null;

  const signIn: SignIn = {
    view,
    async load() {
      const [, progress] = await Promise.all([loadProfiles(), app.signInProgress()]);
      // A reloaded window shows the sign-in that is in progress.
      if (progress.ok && progress.value.step !== 'done') hear(progress.value);
    },
    open() {
      const { profiles } = view.get();
      if (profiles?.length === 0) signIn.edit(null);
      else dialogs.open({ kind: 'sign-in' });
    },
    async again(accountId) {
      const account = accounts.view.get().byId.get(accountId);
      const before = dialogs.view.get();
      const mine = {};
      lastAgain = mine;
      /** Asked for twice, only the last answer is shown. One that comes while another dialog is open waits. */
      const show = (next: Dialog): void => {
        if (lastAgain !== mine || dialogs.replace(before, next)) return;
        dialogs.later(() => (lastAgain === mine ? next : null));
      };
      const answer = await app.signInAgain(accountId);
      if (account === undefined) return;
      if (!answer.ok) {
        show({ kind: 'failure', title: 'The sign-in could not be prepared', error: answer.error });
        return;
      }
      const { profileId, draft, loginHint } = answer.value;
      await loadProfiles();
      const profile = view.get().profiles?.find(({ id }) => id === profileId);
      const name = nameWithRealm(account);
      show(
        profile === undefined
          ? { kind: 'profile', profile: null, draft, again: accountId }
          : { kind: 'sign-in-again', accountId, name, profile, loginHint },
      );
    },
    edit: (profile) => dialogs.open({ kind: 'profile', profile }),
    async save(draft, id, again) {
      const before = dialogs.view.get();
      const answer = await app.saveProfile(draft, id);
      if (!answer.ok) return answer.error.message;
      await loadProfiles();
      if (again === undefined) dialogs.replace(before, { kind: 'sign-in' });
      else await signIn.again(again);
      return null;
    },
    async remove(id) {
      const before = dialogs.view.get();
      const answer = await app.removeProfile(id);
      if (!answer.ok) dialogs.fail('The profile could not be removed', answer.error, before);
      else {
        await loadProfiles();
        if (dialogs.view.get() === before) signIn.open();
      }
    },
    async begin(profileId, way, loginHint = null) {
      last = [profileId, way, loginHint];
      const mine: Dialog = { kind: 'signing-in' };
      dialogs.open(mine);
      const answer = await app.signIn(profileId, way, loginHint);
      if (!answer.ok) dialogs.fail('Sign-in could not start', answer.error, mine);
    },
    async retry() {
      const { progress } = view.get();
      if (progress.step !== 'failed') return;
      const { profile, way } = progress;
      // This window may have been loaded anew since the sign-in began.
      const isLast = last?.[0] === profile.id && last[1] === way;
      await signIn.begin(profile.id, way, isLast ? last?.[2] : null);
    },
    cancel() {
      // Main reports it later, and `close` opens what waits, such as the progress of the sign-in that ends here.
      view.set({ ...view.get(), progress: { step: 'none' } });
      dialogs.close();
      void app.cancelSignIn();
    },
  };
  return signIn;
}
