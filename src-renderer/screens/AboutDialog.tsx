import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrames.tsx';
import { useModel, useStore } from '../parts/hooks.ts';
import type { DialogOf } from '../state/dialogs.ts';

export function AboutDialog({ dialog }: { dialog: DialogOf<'about'> }) {
  const { vault, dialogs, maintenance, ports } = useModel();
  const { info, status } = useStore(vault.view);
  const homepage = info?.homepage ?? null;
  const restorable = status?.state === 'key-missing' || status?.state === 'wrong-key';
  const licenses = async () => {
    const answer = await ports.app.showLicenses();
    if (!answer.ok) dialogs.fail('The licenses could not be shown', answer.error, dialog);
  };
  const page = async () => {
    const answer = await ports.app.openHomepage();
    if (!answer.ok) dialogs.fail('The page could not be opened', answer.error, dialog);
  };
  return (
    <DialogFrame
      title="About Tokenkeep"
      buttons={
        <>
          {restorable && (
            <Action onPress={() => dialogs.open({ kind: 'start-fresh', restore: true })}>
              Restore from an export…
            </Action>
          )}
          <Action onPress={() => void maintenance.showFile()}>Show vault file</Action>
          <Action kind="primary" onPress={dialogs.close} autoFocus>
            Close
          </Action>
        </>
      }
    >
      <p>
        Keeps OAuth 2.0 and OpenID Connect sign-ins, encrypted, in the cache schema that the MSAL libraries
        share.
      </p>
      <dl className="pairs">
        <dt>Version</dt>
        <dd>{info?.version ?? 'Not known'}</dd>
        <dt>Build</dt>
        <dd>{info?.build ?? 'Not known'}</dd>
        <dt>Electron</dt>
        <dd>{info?.electron ?? 'Not known'}</dd>
        <dt>File</dt>
        <dd>
          <bdi>{status?.file ?? 'not open yet'}</bdi>
        </dd>
        <dt>Key in</dt>
        <dd>{status?.keychain ?? 'Not known'}</dd>
        <dt>Network</dt>
        <dd>
          The window has no network access. Tokenkeep contacts the providers of your sign-in profiles, the
          issuer of a token whose signature you check, and the update server.
        </dd>
        <dt>Source</dt>
        <dd>
          {homepage === null ? (
            'This build has no link to source and documentation.'
          ) : (
            <>
              Source and documentation: <bdi>{homepage}</bdi>{' '}
              <Action kind="quiet" onPress={() => void page()}>
                Open in browser
              </Action>
            </>
          )}
        </dd>
        <dt>License</dt>
        <dd>
          MIT.{' '}
          <Action kind="quiet" onPress={() => void licenses()}>
            Show licenses of the included software
          </Action>
        </dd>
      </dl>
    </DialogFrame>
  );
}
