import { Action } from '../parts/Action.tsx';
import { StatusBanner } from '../parts/Card.tsx';
import { NoticeActions } from '../parts/Notices.tsx';
import {
  CopyCard,
  FileCard,
  KeyCard,
  ProtectionCard,
  VerifyCard,
  VersionsCard,
} from '../parts/VaultCards.tsx';
import { useModel, useStore } from '../parts/hooks.ts';
import { Problem } from '../parts/Problem.tsx';
import { notice } from '../state/notices.ts';
import { statusBanner } from '../state/vaultFacts.ts';

/** State and actions of the vault file and its key. */
export function SecurityPage() {
  const { vault, maintenance } = useModel();
  const { status, info } = useStore(vault.view);
  const error = useStore(maintenance.view, (view) => view.error);
  if (status === null || info === null) return <main className="page" aria-busy="true" />;
  return (
    <main className="page">
      <div className="page-column">
        <h1>Security</h1>
        <CurrentState />
        {error !== null && <Problem>{error.message}</Problem>}
        <div className="cards">
          <VersionsCard status={status} />
          <FileCard status={status} />
          <KeyCard status={status} demo={info.demo} />
          <VerifyCard status={status} />
          <CopyCard />
          <ProtectionCard status={status} info={info} />
        </div>
      </div>
    </main>
  );
}

function CurrentState() {
  const { vault } = useModel();
  const { status, info, doing } = useStore(vault.view);
  if (status === null) return null;
  const about = notice(status, info);
  if (about !== null) {
    return (
      <StatusBanner
        tone={about.tone}
        icon={about.tone === 'wait' ? 'wait' : 'warning'}
        title={about.title}
        text={`${about.text} ${about.consequence}`.trim()}
      >
        <NoticeActions notice={about} compared />
      </StatusBanner>
    );
  }
  const { tone, title, text } = statusBanner(status, info?.demo === true);
  return (
    <StatusBanner tone={tone} icon={tone === 'warn' ? 'warning' : 'keep'} title={title} text={text}>
      {status.oldKey === 'pending' && (
        <Action onPress={() => void vault.ask('retry')} pending={doing === 'retry' ? 'Trying…' : null}>
          Try now
        </Action>
      )}
    </StatusBanner>
  );
}
