import type { LeaveOffers, LeaveWishes, Offer } from '../../app/contract.ts';
import { UserText } from './UserText.tsx';

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
