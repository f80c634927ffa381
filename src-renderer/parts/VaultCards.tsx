import { ProgressBar } from 'react-aria-components';
import type { AppInfo } from '../../app/contract.ts';
import type { VaultStatus } from '../../src-main/ipc/contract.ts';
import { isPast, relative } from '../state/time.ts';
import { type Fact, fileFacts, findings, keyFacts, protection, versionRows } from '../state/vaultFacts.ts';
import { number } from '../state/words.ts';
import { Action } from './Action.tsx';
import { Card, Pairs } from './Card.tsx';
import { Icon, type IconName } from './Icon.tsx';
import { useModel, useStore, useTimed } from './hooks.ts';
import { UserText } from './text.tsx';

/** Compares what memory holds with an older file that was put in its place. The banner above has the two choices. */
export function VersionsCard({ status }: { status: VaultStatus }) {
  const rows = useTimed((now) => versionRows(status, now));
  if (rows === null) return null;
  return (
    <Card title="Which version is right?" wide>
      {typeof status.older?.file === 'number' && (
        <p className="second">
          {status.older.recovered === true
            ? 'Another program kept what could be read of the damaged file.'
            : 'Sync and backup tools sometimes put an older file back.'}
        </p>
      )}
      <div className="table-card">
        <table className="compare-table versions">
          <thead>
            <tr>
              <td />
              <th scope="col">
                <b>Mine</b> · in memory
              </th>
              <th scope="col">
                <b>The file</b> · on disk
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, mine, file }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <UserText>{mine}</UserText>
                </td>
                <td>
                  <UserText>{file}</UserText>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

/** Location, size and reclaimable space of the vault file. */
export function FileCard({ status }: { status: VaultStatus }) {
  const { maintenance } = useModel();
  const deleting = useStore(maintenance.view, (view) => view.deleting);
  const compacting = useStore(maintenance.view, (view) => view.compacting);
  const facts = useTimed((now) => fileFacts(status, now));
  const reclaimable = status.live !== undefined && status.live < 1;
  return (
    <Card
      title="Vault file"
      actions={
        <>
          <Action onPress={() => void maintenance.showFile()} isDisabled={status.bytes === null}>
            Show in folder
          </Action>
          {status.state === 'ready' && reclaimable && (
            <Action onPress={() => void maintenance.compact()} pending={compacting ? 'Compacting…' : null}>
              Compact
            </Action>
          )}
          <Action
            onPress={() => void maintenance.forget()}
            isDisabled={status.bytes === null}
            pending={deleting ? 'Deleting…' : null}
          >
            Delete vault…
          </Action>
        </>
      }
    >
      <p className="path">
        <bdi>{status.file}</bdi>
      </p>
      <Pairs facts={facts} />
    </Card>
  );
}

/** Location and age of the key. */
export function KeyCard({ status, demo }: { status: VaultStatus; demo: boolean }) {
  const { dialogs } = useModel();
  const facts = useTimed((now) => keyFacts(status, demo, now));
  const can = status.state === 'ready' && status.bytes !== null;
  return (
    <Card
      title="Encryption key"
      actions={
        <Action
          onPress={() => dialogs.open({ kind: 'rotate-key', working: false, receipt: null })}
          isDisabled={!can}
        >
          Rotate key…
        </Action>
      }
    >
      <Pairs facts={facts} />
      <p className="note">
        {can
          ? 'Rotating the key makes older copies of the file unreadable. Every sign-out rotates it.'
          : 'The key can be rotated when the file is open for writing.'}
      </p>
    </Card>
  );
}

/** Verifies the file and shows the result. */
export function VerifyCard({ status }: { status: VaultStatus }) {
  const { maintenance } = useModel();
  const { verifying, verified } = useStore(maintenance.view);
  const when = useTimed((now) => (verified === null ? '' : verifiedWhen(verified.at, now)));
  const changed =
    verified !== null && (status.bytes === null || (status.savedAt !== null && status.savedAt > verified.at));
  const found = verified === null ? null : findings(verified.report, changed);
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
        <p>Reads every byte of the file and decrypts every token. Nothing is changed.</p>
      ) : (
        <div className="verified">
          <div role="status">
            <p className="found-title" data-sound={found.sound}>
              <Icon name={found.sound ? 'check' : 'warning'} />
              <b>{found.title}</b>
            </p>
            <Pairs facts={found.rows} />
          </div>
          <p className="note">
            {when}
            {changed && '; the file has changed since'}.
          </p>
        </div>
      )}
    </Card>
  );
}

function verifiedWhen(at: number, now: number): string {
  return isPast(at + 2, now) ? `Verified ${relative(at, now)}` : 'Verified just now';
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

/** Export and restore. */
export function CopyCard() {
  const { dialogs, importing, accounts, vault } = useModel();
  const some = useStore(accounts.view, (view) => view.byId.size > 0);
  const closed = useStore(vault.view, ({ status }) => status?.state !== 'ready' && status?.bytes !== null);
  return (
    <Card
      title="Backup"
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
        An export is one file with all accounts and tokens, encrypted with a passphrase. Tokenkeep restores
        it, and <code>age</code> can decrypt it.
      </p>
      {!some && (
        <p className="note">
          {closed ? 'You can export when the file is open.' : 'There is nothing to export.'}
        </p>
      )}
    </Card>
  );
}

/** What the vault protects against, and what it doesn't. */
export function ProtectionCard({ status, info }: { status: VaultStatus; info: AppInfo }) {
  const { kept, open } = protection(status, info);
  return (
    <Card title="Protection" wide>
      <div className="protection">
        <Points title="Protected against" icon="check" points={kept} />
        <Points title="Not protected against" icon="warning" points={open} />
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
              <b>{value}</b> {says}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
