import { LeaveChoices } from '../parts/LeaveChoices.tsx';
import { useModel } from '../parts/model.ts';
import { QuestionFrame } from '../parts/QuestionFrame.tsx';
import { UserText } from '../parts/UserText.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { count, listing, removals } from '../state/words.ts';

/** Exactly what a sign-out removes, what it means for others, and what it does not do. */
export function SignOutDialog({ dialog }: { dialog: DialogOf<'sign-out'> }) {
  const { signOut } = useModel();
  const { accountId, user, who, apps, counts, working, offers, wishes } = dialog;
  const all = accountId === null;
  return (
    <QuestionFrame
      alert
      danger
      title={all ? 'Sign out all accounts?' : user ? `Sign out ${who}?` : `Remove the tokens of ${who}?`}
      yes={all ? 'Sign out all' : user ? 'Sign out' : 'Remove'}
      pending={working ? (user ? 'Signing out…' : 'Removing…') : null}
      isDisabled={counts === null}
      start="no"
      onYes={() => void signOut.confirm()}
    >
      <p>This removes, for good:</p>
      <ul className="counts removal" aria-busy={counts === null}>
        {counts === null ? (
          <li data-soft>Counting…</li>
        ) : (
          removals(counts).map((text) => <li key={text}>{text}</li>)
        )}
        {counts !== null && removals(counts).length === 0 && <li data-soft>Nothing: it is gone already</li>}
      </ul>
      {apps.length > 0 && (
        <p>
          <UserText>{affected(apps)}</UserText>{' '}
          {user ? 'will have to ask for the sign-in again' : 'will have to get new ones'}.
        </p>
      )}
      {user && offers !== undefined && (
        <LeaveChoices
          all={all}
          offers={offers}
          wishes={wishes}
          onChange={signOut.wish}
          isDisabled={working}
        />
      )}
      <p className="note">
        Tokens that an app has already taken may work until they expire
        {offers === undefined &&
          ', and the session at the provider does not end: to end that, sign out there'}
        .
      </p>
    </QuestionFrame>
  );
}

const MOST = 5;

/** "Mail Assistant, Order Desk and every other program that uses this file". */
function affected(apps: readonly string[]): string {
  const more = apps.length - MOST;
  const others = more > 0 ? [count(more, 'more app')] : [];
  return listing([...apps.slice(0, MOST), ...others, 'every other program that uses this file']);
}
