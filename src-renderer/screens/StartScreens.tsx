import { useEffect, useState } from 'react';
import type { PlainError } from '../../src-main/ipc/contract.ts';
import { Action } from '../parts/Action.tsx';
import { BlankScreen } from '../parts/BlankScreen.tsx';
import type { IconName } from '../parts/Icon.tsx';
import { NoticeActions } from '../parts/Notices.tsx';
import { useModel, useStore } from '../parts/hooks.ts';
import type { Notice } from '../state/notices.ts';
import { named } from '../state/words.ts';

/** Milliseconds before "Opening…" is shown. */
const QUIET = 300;

export function Opening() {
  const { ports } = useModel();
  const [said, setSaid] = useState(false);
  useEffect(() => ports.time.after(QUIET, () => setSaid(true)), [ports]);
  return (
    <main className="blank" aria-busy="true">
      {said && (
        <p className="opening" role="status">
          Opening the vault…
        </p>
      )}
    </main>
  );
}

/** Nothing is cached yet: what Tokenkeep does, and how to start. */
export function FirstRun() {
  const { importing, signIn, ports, vault } = useModel();
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  const keychain = useStore(vault.view, (view) => named(view.status?.keychain ?? 'your keychain'));
  return (
    <BlankScreen icon="keep" tone="calm" title="See and control your sign-ins">
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
        {!demo && <Action onPress={() => void ports.app.openDemo()}>Try with sample data</Action>}
      </div>
      <p className="drop-hint">
        Or drop a document anywhere on this window: the JSON that MSAL Python, MSAL Node or MSAL.NET writes,
        often <code>msal_token_cache.json</code>. You see what is in it before anything is merged.
      </p>
    </BlankScreen>
  );
}

const ICONS: Readonly<Partial<Record<Notice['id'], IconName>>> = {
  locked: 'lock',
  waiting: 'wait',
  busy: 'wait',
};

/** A vault state that needs attention, while there are no accounts to show. */
export function NoticeScreen({ notice }: { notice: Notice }) {
  const { vault } = useModel();
  const file = useStore(vault.view, (view) => view.status?.file ?? null);
  const error = useStore(vault.view, (view) => view.error);
  return (
    <BlankScreen icon={ICONS[notice.id] ?? 'warning'} tone={notice.tone} title={notice.title}>
      <div role="status">
        <p>{notice.text}</p>
        {notice.consequence !== '' && <p className="consequence">{notice.consequence}</p>}
      </div>
      {error !== null && (
        <p className="problem" role="alert">
          {error.message}
        </p>
      )}
      <NoticeActions notice={notice} screen />
      {file !== null && (
        <p className="path">
          <bdi>{file}</bdi>
        </p>
      )}
    </BlankScreen>
  );
}

/** The account list could not be loaded. */
export function ListFailed({ error }: { error: PlainError }) {
  const model = useModel();
  return (
    <BlankScreen icon="warning" tone="bad" title="The accounts could not be listed">
      <p>{error.message}</p>
      <div className="actions">
        <Action kind="primary" onPress={() => void model.start()} autoFocus>
          Retry
        </Action>
      </div>
    </BlankScreen>
  );
}

export function BridgeMissing() {
  return (
    <BlankScreen icon="warning" tone="bad" title="Open Tokenkeep to see this page">
      <p>
        This page works only in the Tokenkeep window. The connection to the app is missing. Start Tokenkeep.
        If this is the Tokenkeep window, the installation is damaged: install Tokenkeep again. Your accounts
        are not affected.
      </p>
    </BlankScreen>
  );
}
