import { visible } from '../state/text.ts';
import { Fragment } from 'react';
import type { Offer, SignOutOffers, SignOutWishes } from '../../app/contract.ts';
import { copyText } from '../bridge.ts';
import { Action } from '../parts/Action.tsx';
import { DialogFrame, QuestionFrame, ReceiptFrame, ReceiptLines } from '../parts/DialogFrames.tsx';
import { useModel, useStill, useStore, useTimed } from '../parts/hooks.ts';
import { UserText } from '../parts/text.tsx';
import { receiptPlaces, receiptText } from '../state/activity.ts';
import { ProgramActions } from '../parts/SourceHead.tsx';
import { SignOutMatrix } from '../parts/SignOutMatrix.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { isMatrix, leavingCount, matrixTotal } from '../state/signOutMatrix.ts';
import { localTime } from '../state/time.ts';
import {
  cachesAmong,
  chosenPlaces,
  otherCopies,
  ownCopiesText,
  ownCopyLines,
  placeOfferText,
  placesText,
  providerResultLines,
  receiptSums,
  receiptTitle,
  stillSignedIn,
} from '../state/signOut.ts';
import { capitalized, count, listing, removals } from '../state/words.ts';

/** Shows what a sign-out removes and what it does not, and asks for consent. */
export function SignOutDialog({ dialog }: { dialog: DialogOf<'sign-out'> }) {
  const { signOut } = useModel();
  const { accountIds, names, user, who, counts, working, offers, wishes, places } = dialog;
  const apps = useStill(dialog.apps); // Their names may come later, and be longer.
  const chosen = chosenPlaces(dialog);
  const all = accountIds === null;
  const several = names.length > 1;
  const matrix = isMatrix(dialog);
  const isListed = cachesAmong(places).length > 0;
  return (
    <QuestionFrame
      alert
      danger
      title={
        matrix
          ? `Sign out ${who}`
          : all
            ? 'Sign out all accounts?'
            : user
              ? `Sign out ${who}?`
              : `Remove the tokens of ${who}?`
      }
      yes={
        matrix
          ? `Sign out ${count(leavingCount(dialog), 'account')}`
          : isListed
            ? `Sign out of ${count(chosen, 'place')}`
            : all
              ? 'Sign out all'
              : !user
                ? 'Remove'
                : several
                  ? `Sign out ${who}`
                  : 'Sign out'
      }
      pending={working ? (user ? 'Signing out…' : 'Removing…') : null}
      isDisabled={counts === null || (matrix ? matrixTotal(dialog).isEmpty : chosen === 0)}
      start="no"
      onYes={() => void signOut.confirm()}
    >
      {several && !matrix && (
        <p>
          <b>{count(names.length, 'account')}:</b> <UserText>{listing(names, MOST_NAMES)}</UserText>
        </p>
      )}
      {matrix && <SignOutMatrix dialog={dialog} />}
      {isListed && !matrix && <PlaceChoices dialog={dialog} />}
      {!isListed && <p>This removes:</p>}
      {!isListed && (
        <ul className="counts removal" aria-busy={counts === null}>
          {counts === null ? (
            <li data-soft>Counting…</li>
          ) : (
            removals(counts).map((text) => <li key={text}>{text}</li>)
          )}
          {counts !== null && removals(counts).length === 0 && <li data-soft>Nothing: already removed</li>}
        </ul>
      )}
      {apps.length > 0 && (
        <p>
          <UserText>
            {otherCopies(dialog).length > 0 ? 'Programs that use this vault' : affected(apps)}
          </UserText>{' '}
          {user ? 'will ask you to sign in again' : 'will get new tokens'}.
        </p>
      )}
      {user && offers !== undefined && wishes.vault && (
        <LeaveChoices
          all={several}
          withRevoke={!matrix}
          offers={offers}
          wishes={wishes}
          onChange={signOut.wish}
          isDisabled={working}
        />
      )}
      {!isListed && counts !== null && <PageChoices dialog={dialog} />}
      {wishes.vault && otherCopies(dialog).length > 0 && (
        <p className="note">
          <UserText>
            {ownCopiesText(otherCopies(dialog), wishes.revoke && (offers?.revoke ?? 'none') !== 'none')}
          </UserText>
        </p>
      )}
      <p className="note">
        Tokens already issued to apps stay valid until they expire.{' '}
        {offers === undefined && ' The session at the provider does not end: sign out there to end it.'}
      </p>
    </QuestionFrame>
  );
}

/** A checkbox for each page on which the user signs out on all devices. */
function PageChoices({ dialog: { places, wishes, working } }: { dialog: DialogOf<'sign-out'> }) {
  const { signOut } = useModel();
  if (places.length === 0) return null;
  return (
    <div className="choices">
      {places.map(({ id, page, leave }) => (
        <Fragment key={id}>
          <label>
            <input
              type="checkbox"
              checked={wishes.places.includes(id)}
              disabled={working}
              aria-describedby={`about-${id}`}
              onChange={(event) => signOut.wish(withPlace(wishes, id, event.target.checked))}
            />
            <span>Also open {page} in the browser, to sign out on all devices</span>
          </label>
          <p className="note" id={`about-${id}`}>
            {leave}
          </p>
        </Fragment>
      ))}
    </div>
  );
}

/** A row for each place that has the accounts, with a checkbox where Tokenkeep can sign out. */
function PlaceChoices({ dialog }: { dialog: DialogOf<'sign-out'> }) {
  const { signOut } = useModel();
  const { names, inVault, counts, places, wishes, working } = dialog;
  const tokens = counts === null ? 0 : counts.AccessToken + counts.RefreshToken + counts.IdToken;
  const whose = inVault > 1 ? ` of ${count(inVault, 'account')}` : '';
  return (
    <>
      <p>{names.length > 1 ? 'They are' : 'This account is'} signed in at these places.</p>
      <ul className="place-choices">
        {inVault > 0 && (
          <li>
            <label>
              <input
                type="checkbox"
                checked={wishes.vault}
                disabled={working}
                onChange={(event) => signOut.wish({ ...wishes, vault: event.target.checked })}
              />
              <span>
                <b>This vault</b>
                <span className="second">
                  {`Removes ${count(tokens, 'token')}${whose} and rotates the encryption key.`}
                </span>
              </span>
            </label>
          </li>
        )}
        {places.map((place) => (
          <li key={place.id}>
            <label>
              <input
                type="checkbox"
                checked={wishes.places.includes(place.id)}
                disabled={working || place.viewOnly}
                onChange={(event) => signOut.wish(withPlace(wishes, place.id, event.target.checked))}
              />
              <span>
                <b>
                  <UserText>{place.name}</UserText>
                </b>
                {place.file !== '' && (
                  <span className="second mono">
                    <UserText>{place.file}</UserText>
                  </span>
                )}
                <span className="second">
                  <UserText>{placeOfferText(place)}</UserText>
                </span>
              </span>
            </label>
            {place.page === null && <ProgramActions of={place} />}
          </li>
        ))}
      </ul>
    </>
  );
}

function withPlace(wishes: SignOutWishes, place: string, isChosen: boolean): SignOutWishes {
  const others = wishes.places.filter((id) => id !== place);
  return { ...wishes, places: isChosen ? [...others, place] : others };
}

/** Maximum numbers of account names and of app names shown. */
const MOST_NAMES = 12;
const MOST = 5;

/** "Mail Assistant, Order Desk and every other program that shares these tokens". */
function affected(apps: readonly string[]): string {
  const more = apps.length - MOST;
  const others = more > 0 ? [count(more, 'more app')] : [];
  return listing([...apps.slice(0, MOST), ...others, 'every other program that shares these tokens']);
}

/** Options of a sign-out at the provider. Unsupported options are named. */
export function LeaveChoices({
  all,
  offers,
  wishes,
  onChange,
  isDisabled,
  withRevoke = true,
}: {
  /** Several accounts are signed out. */
  all: boolean;
  /** Whether the refresh tokens get a checkbox here. */
  withRevoke?: boolean;
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
      {revoke === 'offered' && !withRevoke ? null : revoke === 'offered' ? (
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
        <p className="note">
          {revoke === 'none'
            ? `${all ? 'Their providers' : 'This provider'} can’t revoke refresh tokens.`
            : `The refresh tokens can’t be revoked now, because ${all ? 'a' : 'the'} provider did not answer.`}
        </p>
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
export function ReceiptDialog({ dialog }: { dialog: DialogOf<'receipt'> }) {
  return dialog.report.places.length > 0 ? (
    <PlacesReceipt dialog={dialog} />
  ) : (
    <VaultReceipt dialog={dialog} />
  );
}

/** Lists the places, those that are still signed in first. */
function PlacesReceipt({ dialog: { who, report, working } }: { dialog: DialogOf<'receipt'> }) {
  const { signOut, vault } = useModel();
  const stored = useStore(vault.view, (view) => view.status !== null && view.status.bytes !== null);
  const lines = receiptPlaces(report);
  const still = stillSignedIn(report);
  const when = useTimed((now) => capitalized(localTime(report.at, now)));
  const undoable = report.places.filter(({ result }) => result === 'signed-out');
  return (
    <DialogFrame
      title={`${who}: ${placesText(report) ?? ''}`}
      busy={working === 'undo' ? 'Undoing' : working === 'check' ? 'Checking again' : null}
      buttons={
        <>
          <KeepReceipt report={report} />
          {undoable[0] !== undefined && (
            <Action
              kind="quiet"
              onPress={() => void signOut.undo()}
              isDisabled={working === 'check'}
              pending={working === 'undo' ? 'Undoing…' : null}
            >
              {`Undo in ${undoable.length === 1 ? visible(undoable[0].name) : 'other programs'}`}
            </Action>
          )}
          <Action kind="primary" onPress={signOut.done} isDisabled={working !== null} autoFocus>
            Done
          </Action>
        </>
      }
    >
      <p className="places-receipt">{when}</p>
      {still.length > 0 && (
        <div className="still">
          <div role="alert">
            <b>
              Still signed in: <UserText>{listing(still.map(({ name }) => name))}</UserText>
            </b>
            {still.map(({ name, says }, index) => (
              <p key={`${String(index)} ${name}`}>
                <UserText>{still.length > 1 ? `${name}: ${says}` : says}</UserText>
              </p>
            ))}
          </div>
          {report.places.some(({ result, file }) => result === 'still' && file !== '') && (
            <Action
              onPress={() => void signOut.check()}
              isDisabled={working === 'undo'}
              pending={working === 'check' ? 'Checking…' : null}
            >
              Check again
            </Action>
          )}
        </div>
      )}
      <ReceiptLines
        lines={lines
          .filter(({ tone }, index) => index >= still.length || tone !== 'bad')
          .map((line) => ({ ...line, value: <UserText>{line.value}</UserText> }))}
      />
      <p className="note">
        Tokens already issued to apps stay valid until they expire.
        {stored && ' This receipt is kept under Activity.'}
      </p>
    </DialogFrame>
  );
}

/** Buttons that copy the receipt as text or save it as a file. */
function KeepReceipt({ report }: { report: DialogOf<'receipt'>['report'] }) {
  const { signOut, clock, toasts } = useModel();
  return (
    <>
      <Action
        onPress={() => {
          const copied = copyText(receiptText(report, clock.now()));
          toasts.show(copied ? 'Receipt copied.' : 'The receipt could not be copied.');
        }}
      >
        Copy receipt
      </Action>
      <Action onPress={() => void signOut.save(receiptText(report, clock.now()))}>Save…</Action>
    </>
  );
}

function VaultReceipt({ dialog }: { dialog: DialogOf<'receipt'> }) {
  const { report } = dialog;
  const { removed, remaining, oldKey } = receiptSums(report.receipts);
  const when = useTimed((now) => capitalized(localTime(report.at, now)));
  const lines = removals(removed);
  const list = (
    <ul>
      {(lines.length === 0 ? ['Nothing: already removed'] : lines).map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
  return (
    <ReceiptFrame title={receiptTitle(dialog)} keep={dialog.user && <KeepReceipt report={report} />}>
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
          ...ownCopyLines(report).map((line) => ({ ...line, value: <UserText>{line.value}</UserText> })),
          ...providerResultLines(report).map((line) => ({
            ...line,
            value: <span role="status">{line.value}</span>,
          })),
        ]}
      />
    </ReceiptFrame>
  );
}
