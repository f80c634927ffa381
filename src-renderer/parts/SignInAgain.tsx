import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { standing } from '../state/lifetime.ts';
import { Action } from './Action.tsx';
import { useModel, useStore, useTimed } from './model.ts';

/** Where no token of the account works any more: what that means, and the way back. */
export function SignInAgain({ account }: { account: AccountItem }) {
  const { signIn, vault } = useModel();
  const gone = useTimed((now) => standing(account, now).tone) === 'gone';
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  if (!gone) return null;
  return (
    <div className="care">
      <span className="care-words">All have expired, and no refresh token gets new ones.</span>
      {!demo && <Action onPress={signIn.open}>Sign in again…</Action>}
    </div>
  );
}
