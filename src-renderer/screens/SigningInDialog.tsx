import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrame.tsx';
import { useModel, useStore, useTimed } from '../parts/model.ts';
import { QrCode } from '../parts/QrCode.tsx';
import { UserText } from '../parts/UserText.tsx';
import type { SignInProgress } from '../../app/contract.ts';
import { relative } from '../state/time.ts';

/** The sign-in that is under way, from its beginning to its end or its error. It can be left at any time. */
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
  none: 'Beginning…',
  starting: 'Asking the provider…',
  finishing: 'Fetching your tokens…',
  done: 'Saving…',
} as const;

type At<Step extends SignInProgress['step']> = { progress: Extract<SignInProgress, { step: Step }> };

function InBrowser({ progress: { profile } }: At<'browser'>) {
  const { signIn, doors } = useModel();
  return (
    <DialogFrame
      title="Go on in your browser"
      busy="Waiting for the browser"
      buttons={
        <>
          <Action onPress={() => void doors.app.openSignInPage()}>Open it again</Action>
          <Action onPress={signIn.cancel} autoFocus>
            Cancel
          </Action>
        </>
      }
    >
      <p>
        <UserText>{profile.name}</UserText> asks you to sign in there. Come back when it says that you are
        signed in.
      </p>
      <p className="note">
        The browser shows an error and no sign-in page? Then the client ID is another one, or{' '}
        <code>{profile.redirect_uri}</code> is not registered for the app at the provider.
      </p>
    </DialogFrame>
  );
}

function WithCode({ progress: { userCode, link, direct, expiresAt } }: At<'device'>) {
  const { signIn, doors } = useModel();
  const ends = useTimed((now) => (expiresAt <= now ? 'now' : relative(expiresAt, now)));
  return (
    <DialogFrame
      title="Enter this code"
      busy="Waiting for the sign-in"
      buttons={
        <>
          <Action onPress={() => void doors.app.openSignInPage()}>Open the page here</Action>
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
            <Action onPress={() => void doors.app.copyDeviceCode()} autoFocus>
              Copy
            </Action>
          </p>
          <p className="note">The code ends {ends}. Enter it only if you began this yourself.</p>
        </div>
        <QrCode text={direct} says="The same page as a QR code" />
      </div>
    </DialogFrame>
  );
}

function Failed({ progress: { profile, way, error } }: At<'failed'>) {
  const { signIn } = useModel();
  return (
    <DialogFrame
      alert
      title="You are not signed in"
      buttons={
        <>
          <Action onPress={signIn.cancel}>Close</Action>
          <Action
            onPress={() => {
              signIn.edit(profile);
            }}
          >
            Edit the profile…
          </Action>
          <Action kind="primary" autoFocus onPress={() => void signIn.begin(profile.id, way)}>
            Try again
          </Action>
        </>
      }
    >
      <p>{error.message}</p>
    </DialogFrame>
  );
}
