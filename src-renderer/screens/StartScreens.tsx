import { useEffect, useState } from 'react';
import type { SourceItem } from '../../app/contract.ts';
import type { PlainError } from '../../src-main/ipc/contract.ts';
import { Action } from '../parts/Action.tsx';
import { BlankScreen } from '../parts/BlankScreen.tsx';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { NoticeActions } from '../parts/Notices.tsx';
import { useModel, useStore, useTimed } from '../parts/hooks.ts';
import { NamedSignIns } from '../parts/SourceHead.tsx';
import { Message, UserText } from '../parts/text.tsx';
import { Problem } from '../parts/Problem.tsx';
import type { Notice } from '../state/notices.ts';
import { sourceAction, sourceFacts, sourceState } from '../state/sources.ts';
import { count } from '../state/words.ts';

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

/** Shown while nothing is cached: what Tokenkeep does, and how to start. */
export function FirstRun() {
  const { importing, signIn, ports, sources, vault } = useModel();
  const { searched, finding, items, left } = useStore(sources.view);
  const demo = useStore(vault.view, (view) => view.info?.demo === true);
  if (!demo && !left && (searched || items.length > 0)) return <SourcesFound />;
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
            <section className="way" aria-label="This computer">
              <span className="way-icon">
                <Icon name="computer" />
              </span>
              <h2>See who is signed in on this computer</h2>
              <p>
                Finds the caches of Azure CLI, Azure PowerShell, VS Code and others. Nothing is copied or
                changed.
              </p>
              <Action
                kind="primary"
                onPress={() => void sources.find()}
                pending={finding ? 'Looking…' : null}
                autoFocus
              >
                Find caches
              </Action>
            </section>
          )}
          {!demo && (
            <section className="way" aria-label="Sign in">
              <span className="way-icon">
                <Icon name="sign-in" />
              </span>
              <h2>Sign in</h2>
              <p>Sign in with Microsoft or any OpenID Connect provider. Tokens go into an encrypted vault.</p>
              <Action onPress={signIn.open}>Sign in…</Action>
            </section>
          )}
          {demo && (
            <section className="way" aria-label="Import">
              <h2>Import a cache</h2>
              <p>
                Import the JSON that MSAL Python, MSAL Node or MSAL.NET writes, or an export. You see its
                contents first.
              </p>
              <Action kind="primary" onPress={() => void importing.choose()} autoFocus>
                Import a cache document…
              </Action>
            </section>
          )}
          {!demo && (
            <section className="way" aria-label="Sample data">
              <span className="way-icon">
                <Icon name="sample" />
              </span>
              <h2>Try with sample data</h2>
              <p>Made-up accounts to explore. Nothing is kept when you leave.</p>
              <Action onPress={() => void ports.app.openDemo()}>Open sample data</Action>
            </section>
          )}
        </div>
        <div className="other-way">
          <p className="note">You can also drop a cache file or a token anywhere on this window.</p>
          {!demo && <Action onPress={() => void importing.choose()}>Import a cache document…</Action>}
        </div>
      </div>
    </main>
  );
}

/** The caches that were found. None is read before the user opens it. */
function SourcesFound() {
  const { sources, signIn } = useModel();
  const { items, notFound } = useStore(sources.view);
  const plain = items.filter(({ state, asksFirst }) => state === 'found' && !asksFirst);
  return (
    <main className="blank" data-tone="calm">
      <div className="blank-column sources-found">
        <h1>
          {items.length === 0
            ? 'No caches found on this computer'
            : `${count(items.length, 'cache')} found on this computer`}
        </h1>
        <p className="lead">
          {items.length === 0
            ? 'No known program keeps sign-ins for this user. You can add the cache of another program as a file.'
            : 'Tokenkeep opens them read-only and follows their changes. Nothing is copied into your vault.'}
        </p>
        {items.length > 0 && (
          <ul className="found-list">
            {items.map((item) => (
              <FoundRow key={item.id} item={item} />
            ))}
          </ul>
        )}
        {notFound.length > 0 && (
          <p className="note">
            {/* Some names have commas. */}
            {items.length === 0 ? 'Looked for' : 'Not found'}: {notFound.join(' · ')}
          </p>
        )}
        <div className="actions">
          {plain.length > 0 && (
            <Action kind="primary" onPress={() => void sources.openAll()} autoFocus>
              {plain.length === 1 ? 'Open it' : `Open all ${String(plain.length)}`}
            </Action>
          )}
          <Action onPress={() => void sources.add()} autoFocus={plain.length === 0}>
            Add a file…
          </Action>
          <Action kind="quiet" onPress={signIn.open}>
            Sign in…
          </Action>
          <Action kind="quiet" onPress={sources.leave}>
            Back
          </Action>
        </div>
      </div>
    </main>
  );
}

function FoundRow({ item }: { item: SourceItem }) {
  const { sources } = useModel();
  const opening = useStore(sources.view, (view) => view.opening.has(item.id));
  const facts = useTimed((now) => sourceFacts(item, now));
  const state = useTimed((now) => sourceState(item, now));
  const label = sourceAction(item) ?? 'Open';
  return (
    <li>
      <span className="two-lines">
        <b>
          <UserText>{item.name}</UserText>
        </b>
        <span className="path">
          <UserText>{item.file}</UserText>
        </span>
        <span className="second">{item.problem === null ? facts : <Message>{item.problem}</Message>}</span>
      </span>
      {item.state === 'found' || item.state === 'locked' ? (
        <Action
          aria-label={`${label.replace('…', '')} ${item.name}`}
          pending={opening ? 'Opening…' : null}
          onPress={() => void sources.open(item.id)}
        >
          {label}
        </Action>
      ) : (
        <span className="second">{state.text}</span>
      )}
      {item.names.length > 0 && <NamedSignIns item={item} />}
    </li>
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
        <p>
          <Message>{notice.text}</Message>
        </p>
        {notice.consequence !== '' && (
          <p className="consequence">
            <UserText>{notice.consequence}</UserText>
          </p>
        )}
      </div>
      {error !== null && <Problem>{error.message}</Problem>}
      <NoticeActions notice={notice} screen />
      {file !== null && (
        <p className="path">
          <bdi>{file}</bdi>
        </p>
      )}
    </BlankScreen>
  );
}

/** Shown after Tokenkeep was locked while the user was away. A vault that holds unsaved changes stays open in the main process. */
export function LockedScreen() {
  const { ports, vault } = useModel();
  const platform = useStore(vault.view, (view) => view.info?.platform);
  const [problem, setProblem] = useState<string | null>(null);
  const unlock = async () => {
    setProblem(null);
    const answer = await ports.app.unlock();
    // The window reloads when the vault is open.
    if (!answer.ok) setProblem(answer.error.message);
    else setProblem(answer.value ? null : 'The system did not recognize you. The vault is still locked.');
  };
  return (
    <BlankScreen icon="lock" tone="calm" title="Tokenkeep is locked">
      <p>It was locked while you were away. No account is shown or changed here until you unlock it.</p>
      {problem !== null && <Problem>{problem}</Problem>}
      <div className="actions">
        <Action kind="primary" onPress={() => void unlock()} autoFocus>
          {platform === 'darwin' ? 'Unlock…' : 'Unlock'}
        </Action>
      </div>
    </BlankScreen>
  );
}

/** Shown if the account list could not be loaded. */
export function ListFailed({ error }: { error: PlainError }) {
  const model = useModel();
  return (
    <BlankScreen icon="warning" tone="bad" title="The accounts could not be listed">
      <p>
        <Message>{error.message}</Message>
      </p>
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
