import { updateLine } from '../state/update.ts';
import { keeping, totals } from '../state/vaultFacts.ts';
import { Action } from './Action.tsx';
import { Icon } from './Icon.tsx';
import { useModel, useStore, useTimed } from './hooks.ts';

/** State of the vault, last save, and totals. */
export function Footer() {
  const { vault, accounts } = useModel();
  const { status, info } = useStore(vault.view);
  const sums = useStore(accounts.view, (view) => view.totals);
  const demo = info?.demo === true;
  const saved = useTimed((now) => (status === null ? '' : (keeping(status, demo, now).saved ?? '')));
  const kept = status === null ? null : keeping(status, demo, 0);
  return (
    <footer className="footer">
      {kept !== null && (
        <>
          <span className="badge" data-safe={kept.safe ?? 'none'}>
            <Icon name={kept.safe === null ? 'keep' : kept.safe ? 'lock' : 'warning'} size={13} />
            {kept.badge}
          </span>
          {kept.key !== null && <span>{kept.key}</span>}
          {saved !== '' && <span>{saved}</span>}
        </>
      )}
      {info?.startedWithoutLock === true && (
        <span
          className="badge"
          data-safe={false}
          title="Tokenkeep could not create the lock that prevents a second start: the disk is full, or TMPDIR is missing or can’t be written. Your sign-ins are unchanged. Don’t start it twice."
        >
          <Icon name="warning" size={13} />
          No start lock
          <span className="unseen">
            : don’t start Tokenkeep twice. The disk is full, or TMPDIR can’t be written.
          </span>
        </span>
      )}
      <UpdateLine />
      {sums !== null && <span className="sums">{totals(sums, status?.bytes ?? null)}</span>}
    </footer>
  );
}

/** Offers an available update. */
export function UpdateLine() {
  const { update } = useModel();
  const line = updateLine(useStore(update.view));
  return (
    <span className="update" role="status">
      {line !== null && (
        <>
          {line.text}
          {line.action !== null && (
            <Action kind="quiet" onPress={() => void update.go()}>
              {line.action}
            </Action>
          )}
        </>
      )}
    </span>
  );
}
