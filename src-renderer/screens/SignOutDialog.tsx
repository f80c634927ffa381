import type { LeaveOffers, LeaveWishes, Offer } from '../../app/contract.ts';
import { QuestionFrame, ReceiptFrame, ReceiptLines } from '../parts/DialogFrames.tsx';
import { useModel, useNow } from '../parts/hooks.ts';
import { UserText } from '../parts/text.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { providerResultLines, receiptWords } from '../state/signOut.ts';
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

/** What a sign-out may do beyond this computer. What can't be done is said, not hidden. */
export function LeaveChoices({
  all,
  offers,
  wishes,
  onChange,
  isDisabled,
}: {
  /** Everyone signs out. */
  all: boolean;
  offers: LeaveOffers | null;
  wishes: LeaveWishes;
  onChange: (wishes: LeaveWishes) => void;
  isDisabled: boolean;
}) {
  if (offers === null) return <p className="note">Asking the provider what else it offers…</p>;
  const { revoke, endSession, provider } = offers;
  if (revoke !== 'offered' && endSession !== 'offered')
    return <p className="note">{CANNOT[worse(revoke, endSession)]}</p>;
  return (
    <div className="choices">
      {revoke === 'offered' ? (
        <label>
          <input
            type="checkbox"
            checked={wishes.revoke}
            disabled={isDisabled}
            onChange={(event) => onChange({ ...wishes, revoke: event.target.checked })}
          />
          <span>
            {all ? 'Also revoke the refresh tokens at ' : 'Also revoke the refresh token at '}
            {provider === null ? 'their providers' : <UserText>{provider}</UserText>}
          </span>
        </label>
      ) : (
        <p className="note">The provider has no way to revoke a refresh token.</p>
      )}
      {endSession === 'offered' && (
        <label>
          <input
            type="checkbox"
            checked={wishes.endSession}
            disabled={isDisabled}
            onChange={(event) => onChange({ ...wishes, endSession: event.target.checked })}
          />
          Also end the session in the browser
        </label>
      )}
    </div>
  );
}

const CANNOT: Readonly<Record<Offer, string>> = {
  offered: '',
  none: 'This provider has no way to revoke tokens or to end its session from here: sign out there as well.',
  unknown: 'The session at the provider does not end: to end that, sign out there.',
};

const worse = (a: Offer, b: Offer): Offer => (a === 'unknown' || b === 'unknown' ? 'unknown' : 'none');

/** The proof of a sign-out: what was removed, what remains, what became of the key. */
export function ReceiptDialog({ dialog: { user, who, receipts, leaving } }: { dialog: DialogOf<'receipt'> }) {
  const { title, removed, remaining, when, oldKey } = receiptWords(user, who, receipts, useNow());
  const list = (
    <ul>
      {removals(removed).map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
  return (
    <ReceiptFrame title={title}>
      <ReceiptLines
        lines={[
          { says: 'Removed', value: list },
          {
            says: 'Remaining',
            value: `${remaining}, counted afresh`,
            tone: remaining === 0 ? 'ok' : 'plain',
          },
          { says: 'When', value: when },
          ...(oldKey === null ? [] : [oldKey]),
          // These come when the provider has answered.
          ...providerResultLines(leaving).map((line) => ({
            ...line,
            value: <span role="status">{line.value}</span>,
          })),
        ]}
      />
    </ReceiptFrame>
  );
}
