import { ProgressBar } from 'react-aria-components';
import type { AppInfo } from '../../app/contract.ts';
import type { VaultStatus } from '../../src-main/ipc/contract.ts';
import { relative } from '../state/time.ts';
import { type Fact, fileFacts, findings, keyFacts, protection } from '../state/vaultFacts.ts';
import { number } from '../state/words.ts';
import { Action } from './Action.tsx';
import { Card, Pairs } from './Card.tsx';
import { Icon, type IconName } from './Icon.tsx';
import { useModel, useStore } from './hooks.ts';

/** Where the file is, how large, how much of it is live. */
export function FileCard({ status, now }: { status: VaultStatus; now: number }) {
  const { ports, maintenance } = useModel();
  const compacting = useStore(maintenance.view, (view) => view.compacting);
  const dead = status.live !== undefined && status.live < 1;
  return (
    <Card
      title="The file"
      actions={
        <>
          <Action onPress={() => void ports.app.showFile()} isDisabled={status.bytes === null}>
            Show in folder
          </Action>
          {status.state === 'ready' && dead && (
            <Action onPress={() => void maintenance.compact()} pending={compacting ? 'Compacting…' : null}>
              Compact
            </Action>
          )}
        </>
      }
    >
      <p className="path">
        <bdi>{status.file}</bdi>
      </p>
      <Pairs facts={fileFacts(status, now)} />
    </Card>
  );
}

/** Where the key is, and since when. */
export function KeyCard({ status, demo, now }: { status: VaultStatus; demo: boolean; now: number }) {
  const { dialogs } = useModel();
  const can = status.state === 'ready' && status.bytes !== null;
  return (
    <Card
      title="Its key"
      actions={
        <Action
          onPress={() => dialogs.open({ kind: 'rotate-key', working: false, receipt: null })}
          isDisabled={!can}
        >
          Rotate key…
        </Action>
      }
    >
      <Pairs facts={keyFacts(status, demo, now)} />
      <p className="note">
        {can
          ? 'A new key closes every older copy of the file. A sign-out does it by itself.'
          : 'It can be replaced once the file is open for writing.'}
      </p>
    </Card>
  );
}

/** Reads every byte, opens every secret, and says what was found. */
export function VerifyCard({ status, now }: { status: VaultStatus; now: number }) {
  const { maintenance } = useModel();
  const { verifying, verified } = useStore(maintenance.view);
  const found = verified === null ? null : findings(verified.report);
  return (
    <Card
      title="Verification"
      actions={
        <Action
          onPress={() => void maintenance.verify()}
          isDisabled={status.bytes === null}
          pending={verifying === null ? null : 'Verifying…'}
        >
          Verify now
        </Action>
      }
    >
      {verifying !== null ? (
        <VerificationProgress done={verifying.done} of={verifying.of} />
      ) : found === null || verified === null ? (
        <p>Reads every byte of the file, checks every seal and opens every secret. Nothing is changed.</p>
      ) : (
        <div role="status">
          <p className="found-title" data-sound={found.sound}>
            <Icon name={found.sound ? 'check' : 'warning'} />
            <b>{found.title}</b>
          </p>
          <Pairs facts={found.rows} />
          <p className="note">
            {verified.at >= now - 1 ? 'Just now' : `Verified ${relative(verified.at, now)}`}
            {status.savedAt !== null && status.savedAt > verified.at && '; the file has changed since'}.
          </p>
        </div>
      )}
    </Card>
  );
}

function VerificationProgress({ done, of }: { done: number; of: number }) {
  return (
    <ProgressBar
      className="progress"
      aria-label="Verifying"
      value={done}
      maxValue={Math.max(1, of)}
      isIndeterminate={of === 0}
    >
      {({ percentage = 0 }) => (
        <>
          <p className="note">
            {of === 0 ? 'Reading the file…' : `${number(done)} of ${number(of)} entries`}
          </p>
          <svg className="progress-scale" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
            <rect className="bar-track" width="100" height="4" />
            <rect className="progress-done" width={percentage} height="4" />
          </svg>
        </>
      )}
    </ProgressBar>
  );
}

/** A copy to take along, and its way back. */
export function CopyCard() {
  const { dialogs, importing, accounts } = useModel();
  const some = useStore(accounts.view, (view) => view.byId.size > 0);
  return (
    <Card
      title="A copy to keep"
      actions={
        <>
          <Action
            onPress={() => dialogs.open({ kind: 'export', working: false, error: null, receipt: null })}
            isDisabled={!some}
          >
            Export…
          </Action>
          <Action onPress={() => void importing.choose()}>Import…</Action>
        </>
      }
    >
      <p>
        An export is one file with all your sign-ins, encrypted with a passphrase of yours: for another
        computer, or for the day the keychain is lost. Tokenkeep imports it back, and <code>age</code> opens
        it too.
      </p>
      {!some && <p className="note">There is nothing to export right now.</p>}
    </Card>
  );
}

/** What is kept out, and what is not. */
export function ProtectionCard({ status, platform }: { status: VaultStatus; platform: AppInfo['platform'] }) {
  const { kept, open } = protection(status, platform);
  return (
    <Card title="What this protects against" wide>
      <div className="protection">
        <Points title="Kept out" icon="check" points={kept} />
        <Points title="Not kept out" icon="warning" points={open} />
      </div>
    </Card>
  );
}

function Points({ title, icon, points }: { title: string; icon: IconName; points: readonly Fact[] }) {
  return (
    <div>
      <h3>{title}</h3>
      <ul className="points" data-icon={icon}>
        {points.map(({ value, says }) => (
          <li key={value}>
            <Icon name={icon} size={14} />
            <span>
              <b>{value}</b> {says}.
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
