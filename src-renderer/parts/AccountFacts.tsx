import type { AccountItem, TokenItem } from '../../src-main/ipc/contract.ts';
import { accountStatus, signInAgainText } from '../state/accountStatus.ts';
import { nextToExpire } from '../state/lifetime.ts';
import { refreshStatusText } from '../state/refreshStatus.ts';
import { isPast, localTime, relative } from '../state/time.ts';
import { appsOf } from '../state/tokens.ts';
import { count, number } from '../state/words.ts';
import { Action } from './Action.tsx';
import { useModel, useStore, useTimed } from './hooks.ts';
import { Message } from './text.tsx';

/** Key facts of the account. */
export function Facts({ account, tokens }: { account: AccountItem; tokens: readonly TokenItem[] }) {
  const { AccessToken, RefreshToken, IdToken } = account.tokens;
  const next = useTimed((now) => {
    const at = tokens.length > 0 ? nextToExpire(tokens, now) : account.nextExpiry;
    if (at !== null && !isPast(at, now)) return relative(at, now);
    if (AccessToken === 0) return 'none';
    return account.lastExpiry === null ? 'not known' : relative(account.lastExpiry, now);
  });
  // Replaces the label, because the value has no room for this text.
  const over = useTimed((now) =>
    AccessToken > 0 && account.lastExpiry !== null && isPast(account.lastExpiry, now) ? 'All expired' : '',
  );
  const since = useTimed((now) => (account.since === null ? 'not known' : relative(account.since, now)));
  const { since: first } = account;
  const sinceTime = useTimed((now) => (first === null ? undefined : localTime(first, now)));
  return (
    <dl className="facts">
      <Fact says={over === '' ? 'Next expiry' : over} value={next} />
      <Fact says="Oldest token" value={since} title={sinceTime} />
      <Fact
        says="Tokens"
        value={number(AccessToken + RefreshToken + IdToken)}
        title={`${AccessToken} access, ${RefreshToken} refresh, ${IdToken} ID`}
      />
      <Fact says="Apps" value={count(account.clients.length, 'app')} title={appsOf(account, tokens, 12)} />
    </dl>
  );
}

function Fact({ says, value, title }: { says: string; value: string; title?: string | undefined }) {
  return (
    <div className="fact" title={title}>
      <dt>{says}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The auto-refresh switch, the next refresh and the last error. */
export function RefreshStatusLine({ accountId }: { accountId: string }) {
  const { refreshStatus } = useModel();
  const { accountId: known, status: state, problem } = useStore(refreshStatus.view);
  const words = useTimed((now) => (state === null ? '' : refreshStatusText(state, now)));
  if (known !== accountId || state === null || !state.refreshable) return null;
  const told = problem ?? (state.autoRefresh ? state.problem : null);
  return (
    <div className="refresh-status">
      <label className="switch">
        <input
          type="checkbox"
          role="switch"
          checked={state.autoRefresh}
          onChange={(event) => void refreshStatus.setAutoRefresh(event.target.checked)}
        />
        Auto-refresh
      </label>
      <span className="refresh-words">{words}</span>
      {told !== null && (
        <p className="problem" role="alert">
          <Message>{told.message}</Message>
        </p>
      )}
    </div>
  );
}

/** Shown if no token of the account works any more. */
export function SignInAgain({ account }: { account: AccountItem }) {
  const { signIn, vault } = useModel();
  const { id } = useTimed((now) => accountStatus(account, now));
  const why = useTimed((now) => signInAgainText(account, now));
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  if (id !== 'needs-sign-in' || !account.places.includes('vault')) return null;
  return (
    <section className="account-notice" aria-label="Needs sign-in">
      <span className="dot" data-tone="gone" />
      <div>
        <b>Needs sign-in</b>
        <p>{why}</p>
      </div>
      {!demo && (
        <Action kind="primary" onPress={() => void signIn.again(account.id)}>
          Sign in again…
        </Action>
      )}
    </section>
  );
}
