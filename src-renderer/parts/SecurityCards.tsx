import type { AppInfo } from '../../app/contract.ts';
import type { VaultStatus } from '../../src-main/ipc/contract.ts';
import { type Fact, protection } from '../state/vaultFacts.ts';
import { Action } from './Action.tsx';
import { Card } from './Card.tsx';
import { Icon, type IconName } from './Icon.tsx';
import { useModel, useStore } from './model.ts';

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
