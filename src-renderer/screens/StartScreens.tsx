import { useEffect, useState } from 'react';
import type { PlainError } from '../../src-main/ipc/contract.ts';
import { Action } from '../parts/Action.tsx';
import { BlankScreen } from '../parts/BlankScreen.tsx';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { NoticeActions } from '../parts/Notices.tsx';
import { useModel, useStore } from '../parts/hooks.ts';
import type { Notice } from '../state/notices.ts';

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
  return (
    <main className="blank" data-tone="calm">
      <div className="blank-column wide">
        <span className="blank-icon">
          <Icon name="keep" size={28} />
        </span>
        <h1>See and control your sign-ins</h1>
        <p className="lead">
          Command-line tools and apps keep tokens on this computer. Tokenkeep shows who is signed in, what
          each token allows and when it expires, and signs accounts out.
        </p>
        <div className="ways">
          {!demo && (
            <section className="way" aria-label="Sign in">
              <h2>Sign in</h2>
              <p>Sign in with Microsoft or any OpenID Connect provider. Tokens go into an encrypted vault.</p>
              <Action kind="primary" onPress={signIn.open} autoFocus>
                Sign in…
              </Action>
            </section>
          )}
          <section className="way" aria-label="Import">
            <h2>Import a cache</h2>
            <p>
              Import the JSON that MSAL Python, MSAL Node or MSAL.NET writes, or an export. You see its
              contents first.
            </p>
            <Action
              kind={demo ? 'primary' : 'plain'}
              onPress={() => void importing.choose()}
              autoFocus={demo}
            >
              Import a cache document…
            </Action>
          </section>
          {!demo && (
            <section className="way" aria-label="Sample data">
              <h2>Try with sample data</h2>
              <p>Made-up accounts to explore. Nothing is kept when you leave.</p>
              <Action onPress={() => void ports.app.openDemo()}>Open sample data</Action>
            </section>
          )}
        </div>
        <p className="note">You can also drop a cache file or a token anywhere on this window.</p>
      </div>
    </main>
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
