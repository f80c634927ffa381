import { Action } from '../parts/Action.tsx';
import { DialogFrame } from '../parts/DialogFrames.tsx';
import { useModel, useStore } from '../parts/hooks.ts';

export function AboutDialog() {
  const { vault, dialogs, ports } = useModel();
  const { info, status } = useStore(vault.view);
  return (
    <DialogFrame
      title="About Tokenkeep"
      buttons={
        <>
          <Action onPress={() => void ports.app.showFile()}>Show vault file</Action>
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
        <dd>{info?.version ?? 'not known'}</dd>
        <dt>Electron</dt>
        <dd>{info?.electron ?? 'not known'}</dd>
        <dt>File</dt>
        <dd>
          <bdi>{status?.file ?? 'not open yet'}</bdi>
        </dd>
        <dt>Key in</dt>
        <dd>{status?.keychain ?? 'not known'}</dd>
        <dt>Network</dt>
        <dd>
          The window has no network access. Tokenkeep contacts the providers of your sign-in profiles, the
          issuer of a token whose signature you check, and the update server.
        </dd>
        <dt>Licence</dt>
        <dd>MIT. Licences of the included software are in the installation folder.</dd>
      </dl>
    </DialogFrame>
  );
}
