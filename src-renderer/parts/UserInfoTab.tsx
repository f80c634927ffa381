import type { AccountItem, Claim } from '../../src-main/ipc/contract.ts';
import { MOST_LINES, payloadLine } from '../state/claims.ts';
import { visible } from '../state/text.ts';
import { localTime } from '../state/time.ts';
import { number } from '../state/words.ts';
import { Action } from './Action.tsx';
import { Lines } from './Lines.tsx';
import { useModel, useStore, useTimed } from './hooks.ts';
import { Problem } from './Problem.tsx';

/** Claims that the provider returns about the account's user, on request. */
export function UserInfoTab({ account }: { account: AccountItem }) {
  const { userInfo } = useModel();
  const { accountId, asking, info: last, error } = useStore(userInfo.view);
  const isThis = accountId === account.id;
  const info = isThis ? last : null;
  const when = useTimed((now) => (info === null ? '' : localTime(info.at, now)));
  return (
    <div className="user-info">
      <div className="user-info-head">
        <p className="note" role="status">
          {info === null
            ? 'The provider returns the user’s profile. It receives an access token of the account. Tokenkeep asks first.'
            : `From ${visible(info.host)}, ${when}. Not stored.`}
        </p>
        <Action
          pending={asking && isThis ? 'Requesting…' : null}
          onPress={() => void userInfo.request(account.id)}
        >
          {info === null ? 'Request user info…' : 'Request again…'}
        </Action>
      </div>
      {isThis && error !== null && <Problem>{error.message}</Problem>}
      {info !== null && <Claims claims={info.claims} />}
    </div>
  );
}

function Claims({ claims }: { claims: readonly Claim[] }) {
  const lines = useTimed((now) => claims.slice(0, MOST_LINES).map((claim) => payloadLine(claim, now)));
  const more = claims.length - MOST_LINES;
  return (
    <>
      <Lines lines={lines} />
      {more > 0 && (
        <p className="note">
          {number(more)} more {more === 1 ? 'is' : 'are'} not shown.
        </p>
      )}
    </>
  );
}
