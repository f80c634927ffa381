import type { Offer, SignOutOffers, SignOutWishes } from '../../app/contract.ts';
import { QuestionFrame, ReceiptFrame, ReceiptLines } from '../parts/DialogFrames.tsx';
import { useModel, useTimed } from '../parts/hooks.ts';
import { UserText } from '../parts/text.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { providerResultLines, receiptWords } from '../state/signOut.ts';
import { count, listing, removals } from '../state/words.ts';

/** Shows what a sign-out removes and what it does not, and asks for consent. */
export function SignOutDialog({ dialog }: { dialog: DialogOf<'sign-out'> }) {
  const { signOut } = useModel();
  const { accountIds, names, sources, user, who, apps, counts, working, offers, wishes } = dialog;
  const all = accountIds === null;
  const several = names.length > 1;
  return (
    <QuestionFrame
      alert
      danger
      title={all ? 'Sign out all accounts?' : user ? `Sign out ${who}?` : `Remove the tokens of ${who}?`}
      yes={all ? 'Sign out all' : !user ? 'Remove' : several ? `Sign out ${who}` : 'Sign out'}
      pending={working ? (user ? 'Signing out…' : 'Removing…') : null}
      isDisabled={counts === null}
      start="no"
      onYes={() => void signOut.confirm()}
    >
      {several && (
        <p>
          <b>{count(names.length, 'account')}:</b> <UserText>{listing(names, MOST_NAMES)}</UserText>
        </p>
      )}
      <p>This removes:</p>
      <ul className="counts removal" aria-busy={counts === null}>
        {counts === null ? (
          <li data-soft>Counting…</li>
        ) : (
          removals(counts).map((text) => <li key={text}>{text}</li>)
        )}
        {counts !== null && removals(counts).length === 0 && <li data-soft>Nothing: already removed</li>}
      </ul>
      {apps.length > 0 && (
        <p>
          <UserText>{affected(apps)}</UserText>{' '}
          {user ? 'will ask you to sign in again' : 'will get new tokens'}.
        </p>
      )}
      {user && offers !== undefined && (
        <LeaveChoices
          all={several}
          offers={offers}
          wishes={wishes}
          onChange={signOut.wish}
          isDisabled={working}
        />
      )}
      {sources.map((source) => (
        <p className="note" key={source}>
          Removed from Tokenkeep only: the program that wrote <UserText>{source}</UserText> keeps its own
          copy.
        </p>
      ))}
      <p className="note">
        Tokens already issued to apps stay valid until they expire.{' '}
        {offers === undefined && ' The session at the provider does not end: sign out there to end it.'}
      </p>
    </QuestionFrame>
  );
}

/** Maximum names shown. */
const MOST_NAMES = 12;
const MOST = 5;

/** "Mail Assistant, Order Desk and every other program that uses this file". */
function affected(apps: readonly string[]): string {
  const more = apps.length - MOST;
  const others = more > 0 ? [count(more, 'more app')] : [];
  return listing([...apps.slice(0, MOST), ...others, 'every other program that uses this file']);
}

/** Options of a sign-out at the provider. Unsupported options are named. */
export function LeaveChoices({
  all,
  offers,
  wishes,
  onChange,
  isDisabled,
}: {
  /** All accounts are signed out. */
  all: boolean;
  offers: SignOutOffers | null;
  wishes: SignOutWishes;
  onChange: (wishes: SignOutWishes) => void;
  isDisabled: boolean;
}) {
  if (offers === null) return <p className="note">Checking what the provider supports…</p>;
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
        <p className="note">This provider can’t revoke refresh tokens.</p>
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
  none: 'This provider can’t revoke tokens or end its session from here. Sign out there too.',
  unknown: 'The session at the provider does not end: sign out there to end it.',
};

const worse = (a: Offer, b: Offer): Offer => (a === 'unknown' || b === 'unknown' ? 'unknown' : 'none');

/** The receipt of a sign-out: what was removed, what remains, and the old key. */
export function ReceiptDialog({ dialog: { user, who, report } }: { dialog: DialogOf<'receipt'> }) {
  const { title, removed, remaining, when, oldKey } = useTimed((now) =>
    receiptWords(user, who, report.receipts, now),
  );
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
            value: remaining === 0 ? 'None (checked again)' : `${remaining} (checked again)`,
            tone: remaining === 0 ? 'ok' : 'plain',
          },
          { says: 'When', value: when },
          ...(oldKey === null ? [] : [oldKey]),
          ...providerResultLines(report).map((line) => ({
            ...line,
            value: <span role="status">{line.value}</span>,
          })),
        ]}
      />
    </ReceiptFrame>
  );
}
