import type { AccountItem, TokenItem } from '../../src-main/ipc/contract.ts';
import { accountStatus, signInAgainText } from '../state/accountStatus.ts';
import { nextToExpire } from '../state/lifetime.ts';
import { refreshStatusText } from '../state/refreshStatus.ts';
import { isPast, localTime, relative } from '../state/time.ts';
import { appLabels, appsOf } from '../state/tokens.ts';
import { number } from '../state/words.ts';
import { Action } from './Action.tsx';
import { useModel, useStore, useTimed } from './hooks.ts';
import { Problem, Unasked } from './Problem.tsx';

/** Key facts of the account. */
export function Facts({ account, tokens }: { account: AccountItem; tokens: readonly TokenItem[] }) {
  const { AccessToken, RefreshToken, IdToken } = account.tokens;
  const next = useTimed((now) => {
    const at = tokens.length > 0 ? nextToExpire(tokens, now) : account.nextExpiry;
    if (at !== null && !isPast(at, now)) return relative(at, now);
    if (AccessToken === 0) return 'None';
    return account.lastExpiry === null ? 'Not known' : relative(account.lastExpiry, now);
  });
  // Replaces the label, because the value has no room for this text.
  const over = useTimed((now) =>
    AccessToken > 0 && account.lastExpiry !== null && isPast(account.lastExpiry, now) ? 'All expired' : '',
  );
  const since = useTimed((now) => (account.since === null ? 'Not known' : relative(account.since, now)));
  const [app = 'None', ...others] = appLabels(account.clients, tokens);
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
      <Fact says="Apps" value={app} more={others.length} title={appsOf(account, tokens, 12)} />
    </dl>
  );
}

/** @param more number of values that only the tooltip has: "Mail Assistant +1" */
function Fact({
  says,
  value,
  more = 0,
  title,
}: {
  says: string;
  value: string;
  more?: number;
  title?: string | undefined;
}) {
  return (
    <div className="fact" title={title}>
      <dt>{says}</dt>
      <dd>
        <span>{value}</span>
        {more > 0 && ` +${number(more)}`}
      </dd>
    </div>
  );
}

/** Whether the account is signed in, and how it stays so. What needs a person is red, with its button. */
export function StatusCard({ account }: { account: AccountItem }) {
  const { refreshStatus, signIn, vault } = useModel();
  const { accountId, status: refresh, problem, refreshing } = useStore(refreshStatus.view);
  const status = useTimed((now) => accountStatus(account, now));
  const why = useTimed((now) => signInAgainText(account, now));
  const renewal = useTimed((now) => (refresh === null ? '' : refreshStatusText(refresh, now)));
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  const needsSignIn = status.id === 'needs-sign-in';
  // What only another program holds is signed in there.
  const isOurs = account.places.includes('vault');
  const renews = accountId === account.id && refresh?.refreshable === true ? refresh : null;
  const unasked = renews?.autoRefresh === true ? renews.problem : null;
  return (
    <section className="account-notice" aria-label="Status" data-tone={status.tone}>
      <span className="dot" data-tone={status.tone} />
      <div>
        <p>
          <b>{status.title}</b>
          {!(needsSignIn && isOurs) && status.detail !== '' && ` · ${lowerFirst(status.detail)}`}
        </p>
        {needsSignIn && isOurs && <p>{why}</p>}
        {renews !== null && <p className="second">{renewal}</p>}
      </div>
      {renews !== null && (
        <label className="switch">
          <input
            type="checkbox"
            role="switch"
            checked={renews.autoRefresh}
            onChange={(event) => void refreshStatus.setAutoRefresh(event.target.checked)}
          />
          Auto-refresh
        </label>
      )}
      {/* One button, which keeps the focus if a refresh is refused. */}
      {renews !== null && (refreshing || !needsSignIn) ? (
        <Action
          kind="quiet"
          onPress={() => void refreshStatus.refresh(null)}
          pending={refreshing ? 'Refreshing…' : null}
        >
          Refresh now
        </Action>
      ) : needsSignIn && !demo && isOurs ? (
        <Action kind="primary" onPress={() => void signIn.again(account.id)}>
          Sign in again…
        </Action>
      ) : null}
      {renews !== null && problem !== null && <Problem>{problem.message}</Problem>}
      {problem === null && unasked !== null && <Unasked>{unasked.message}</Unasked>}
    </section>
  );
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
