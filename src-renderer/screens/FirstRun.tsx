import { Action } from '../parts/Action.tsx';
import { BlankScreen } from '../parts/BlankScreen.tsx';
import { useModel, useStore } from '../parts/model.ts';
import { named } from '../state/words.ts';

/** Nothing is cached yet: what this is, and the ways to see it at work. */
export function FirstRun() {
  const { importing, signIn, doors, vault } = useModel();
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  const keychain = useStore(vault.view, (view) => named(view.status?.keychain ?? 'your keychain'));
  return (
    <BlankScreen icon="keep" tone="calm" title="Your sign-ins, in one safe place">
      <p>
        Sign in, or bring in what apps on this computer keep with Microsoft’s MSAL libraries. You see what
        each token is for, how long it lives, and how to be rid of it. All of it is in one encrypted file, and
        the key to that stays in {keychain}.
      </p>
      <div className="actions">
        {!demo && (
          <Action kind="primary" onPress={signIn.open} autoFocus>
            Sign in…
          </Action>
        )}
        <Action kind={demo ? 'primary' : 'plain'} onPress={() => void importing.choose()} autoFocus={demo}>
          Import a cache document…
        </Action>
        {!demo && <Action onPress={() => void doors.app.openDemo()}>Explore a demo</Action>}
      </div>
      <p className="drop-hint">
        Or drop a document anywhere on this window: the JSON that MSAL Python, MSAL Node or MSAL.NET writes,
        often <code>msal_token_cache.json</code>. You see what is in it before anything is merged.
      </p>
    </BlankScreen>
  );
}
