import type { AccountItem, TokenItem } from '../../src-main/ipc/contract.ts';
import { nextToExpire } from '../state/lifetime.ts';
import { localTime, relative } from '../state/time.ts';
import { appsOf } from '../state/tokens.ts';
import { count, number } from '../state/words.ts';
import { useNow, useTimed } from './model.ts';

/** Four numbers that answer the first questions. */
export function Facts({ account, tokens }: { account: AccountItem; tokens: readonly TokenItem[] }) {
  const { AccessToken, RefreshToken, IdToken } = account.tokens;
  const next = useTimed((now) => {
    const at = tokens.length > 0 ? nextToExpire(tokens, now) : account.nextExpiry;
    if (at !== null && at > now) return relative(at, now);
    if (AccessToken === 0) return 'nothing does';
    return account.lastExpiry === null ? 'not known' : relative(account.lastExpiry, now);
  });
  // Its own words, as there is no room for them beside the time.
  const over = useTimed((now) =>
    AccessToken > 0 && account.lastExpiry !== null && account.lastExpiry <= now ? 'All expired' : '',
  );
  const since = useTimed((now) => (account.since === null ? 'not known' : relative(account.since, now)));
  const { since: first } = account;
  const now = useNow();
  return (
    <dl className="facts">
      <Fact says={over === '' ? 'Next to expire' : over} value={next} />
      <Fact says="Oldest token" value={since} title={first === null ? undefined : localTime(first, now)} />
      <Fact
        says="Tokens"
        value={number(AccessToken + RefreshToken + IdToken)}
        title={`${AccessToken} access, ${RefreshToken} refresh, ${IdToken} ID`}
      />
      <Fact says="Used by" value={count(account.clients.length, 'app')} title={appsOf(account, tokens, 12)} />
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
