import { useState } from 'react';
import type { SignInProgress } from '../../app/contract.ts';
import { Action } from '../parts/Action.tsx';
import { Pairs } from '../parts/Card.tsx';
import { DialogFrame } from '../parts/DialogFrames.tsx';
import { QrCode } from '../parts/QrCode.tsx';
import { useModel, useStore, useTimed } from '../parts/hooks.ts';
import { Message, UserText } from '../parts/text.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { appLabel } from '../state/overview.ts';
import { placeOf } from '../state/profileDraft.ts';
import { shortId } from '../state/text.ts';
import { isPast, relative } from '../state/time.ts';

/** Chooses a profile and a way to sign in. */
export function SignInDialog() {
  const { dialogs, signIn } = useModel();
  const profiles = useStore(signIn.view, (view) => view.profiles) ?? [];
  const [chosen, choose] = useState(profiles[0]?.id ?? '');
  const profile = profiles.find(({ id }) => id === chosen) ?? profiles[0];
  return (
    <DialogFrame
      title="Sign in"
      buttons={
        <>
          <Action onPress={dialogs.close}>Cancel</Action>
          <Action
            isDisabled={profile === undefined}
            onPress={() => void (profile && signIn.begin(profile.id, 'device'))}
          >
            Use a device code…
          </Action>
          <Action
            kind="primary"
            autoFocus
            isDisabled={profile === undefined}
            onPress={() => void (profile && signIn.begin(profile.id, 'browser'))}
          >
            Continue in your browser
          </Action>
        </>
      }
    >
      <ul className="profiles" aria-label="Sign-in profiles">
        {profiles.map((each) => (
          <li key={each.id} data-chosen={each.id === profile?.id}>
            <label>
              <input
                type="radio"
                name="profile"
                checked={each.id === profile?.id}
                onChange={() => choose(each.id)}
              />
              <span>
                <b>
                  <UserText>{each.name}</UserText>
                </b>
                <span className="place">
                  <UserText>{placeOf(each)}</UserText>
                </span>
              </span>
            </label>
            {each.id !== 'built-in' && (
              <Action kind="quiet" aria-label={`Edit ${each.name}`} onPress={() => signIn.edit(each)}>
                Edit…
              </Action>
            )}
          </li>
        ))}
      </ul>
      <p>
        <Action kind="quiet" onPress={() => signIn.edit(null)}>
          Add a profile…
        </Action>
      </p>
      <p className="note">
        You sign in on the provider’s page. Tokenkeep never sees your password. With a device code you can
        sign in on another device.
      </p>
    </DialogFrame>
  );
}

/** Repeats a sign-in with the same account, app and scopes. */
export function SignInAgainDialog({
  dialog: { accountId, name, profile, loginHint },
}: {
  dialog: DialogOf<'sign-in-again'>;
}) {
  const { accounts, dialogs, signIn } = useModel();
  const { byId, appNames } = useStore(accounts.view);
  const places = byId.get(accountId)?.places ?? [];
  return (
    <DialogFrame
      title={`Sign in again as ${name}`}
      buttons={
        <>
          <Action onPress={dialogs.close}>Cancel</Action>
          <Action onPress={() => void signIn.begin(profile.id, 'device', loginHint)}>
            Use a device code…
          </Action>
          <Action
            kind="primary"
            autoFocus
            onPress={() => void signIn.begin(profile.id, 'browser', loginHint)}
          >
            Continue in your browser
          </Action>
        </>
      }
    >
      <p>The sign-in asks for the same app and permissions as before.</p>
      <Pairs
        facts={[
          ...(loginHint === null ? [] : [{ name: 'Account', value: loginHint, says: '' }]),
          { name: 'Provider', value: placeOf(profile), says: '' },
          { name: 'App', value: appLabel(profile.client_id, appNames), says: shortId(profile.client_id) },
          { name: 'Permissions', value: profile.scopes.join(', '), says: '' },
        ]}
      />
      <p className="note">
        {places.length > 1 &&
          'The new tokens go into this vault. Other programs have a sign-in of their own. '}
        This window comes to the front when the sign-in is complete.
      </p>
    </DialogFrame>
  );
}

/** The sign-in in progress. It can be cancelled at any time. */
export function SigningInDialog() {
  const { signIn } = useModel();
  const progress = useStore(signIn.view, (view) => view.progress);
  switch (progress.step) {
    case 'browser':
      return <InBrowser progress={progress} />;
    case 'device':
      return <WithCode progress={progress} />;
    case 'failed':
      return <Failed progress={progress} />;
    case 'none':
    case 'starting':
    case 'finishing':
    case 'done':
      return (
        <DialogFrame
          title="Sign in"
          busy={BUSY[progress.step]}
          buttons={<Action onPress={signIn.cancel}>Cancel</Action>}
        >
          <p role="status">{BUSY[progress.step]}</p>
        </DialogFrame>
      );
  }
}

const BUSY = {
  none: 'Starting…',
  starting: 'Contacting the provider…',
  finishing: 'Getting tokens…',
  done: 'Saving…',
} as const;

type At<Step extends SignInProgress['step']> = { progress: Extract<SignInProgress, { step: Step }> };

function InBrowser({ progress: { profile } }: At<'browser'>) {
  const { signIn, ports } = useModel();
  return (
    <DialogFrame
      title="Continue in your browser"
      busy="Waiting for the browser"
      buttons={
        <>
          <Action onPress={() => void ports.app.openSignInPage()}>Open the page again</Action>
          <Action onPress={signIn.cancel} autoFocus>
            Cancel
          </Action>
        </>
      }
    >
      <p>
        Sign in to <UserText>{profile.name}</UserText> there, then return to this window.
      </p>
      <p className="note">
        If the browser shows an error instead of a sign-in page, the provider may be unreachable, the client
        ID may be wrong, or <code>{profile.redirect_uri}</code> may not be registered for the app.
      </p>
    </DialogFrame>
  );
}

function WithCode({ progress: { userCode, link, direct, expiresAt } }: At<'device'>) {
  const { signIn, ports } = useModel();
  const ends = useTimed((now) => (isPast(expiresAt, now) ? 'now' : relative(expiresAt, now)));
  return (
    <DialogFrame
      title="Enter this code"
      busy="Waiting for the sign-in"
      buttons={
        <>
          <Action onPress={() => void ports.app.openSignInPage()}>Open in browser</Action>
          <Action onPress={signIn.cancel}>Cancel</Action>
        </>
      }
    >
      <div className="device">
        <div>
          <p>On any device, open</p>
          <p className="device-link">
            <UserText>{link}</UserText>
          </p>
          <p>and enter</p>
          <p className="device-code">
            <code>{userCode}</code>
            <Action onPress={() => void ports.app.copyDeviceCode()} autoFocus>
              Copy
            </Action>
          </p>
          <p className="note">Code expires {ends}. Enter it only if you started this sign-in.</p>
        </div>
        <QrCode text={direct} says="QR code of the sign-in page" />
      </div>
    </DialogFrame>
  );
}

function Failed({ progress: { profile, error } }: At<'failed'>) {
  const { signIn } = useModel();
  return (
    <DialogFrame
      alert
      title="Sign-in failed"
      buttons={
        <>
          <Action onPress={signIn.cancel}>Close</Action>
          <Action
            onPress={() => {
              signIn.edit(profile);
            }}
          >
            Edit profile…
          </Action>
          <Action kind="primary" autoFocus onPress={() => void signIn.retry()}>
            Try again
          </Action>
        </>
      }
    >
      <p>
        <Message>{error.message}</Message>
      </p>
    </DialogFrame>
  );
}
