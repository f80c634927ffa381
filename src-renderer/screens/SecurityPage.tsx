import { useModel, useNow, useStore } from '../parts/model.ts';
import { NoticeActions } from '../parts/NoticeActions.tsx';
import { Action } from '../parts/Action.tsx';
import { Verdict } from '../parts/Verdict.tsx';
import { FileCard, KeyCard } from '../parts/VaultCards.tsx';
import { CopyCard, ProtectionCard } from '../parts/SecurityCards.tsx';
import { VerifyCard } from '../parts/VerifyCard.tsx';
import { notice } from '../state/notices.ts';
import { verdict } from '../state/vaultFacts.ts';

/** The file and its key as a whole: how they stand, and what can be done with them, whatever state they are in. */
export function SecurityPage() {
  const { vault, security } = useModel();
  const { status, info } = useStore(vault.view);
  const error = useStore(security.view, (view) => view.error);
  const now = useNow();
  if (status === null || info === null) return <main className="page" aria-busy="true" />;
  return (
    <main className="page">
      <div className="page-column">
        <h1>Security</h1>
        <Standing />
        {error !== null && (
          <p className="problem" role="alert">
            {error.message}
          </p>
        )}
        <div className="cards">
          <FileCard status={status} now={now} />
          <KeyCard status={status} demo={info.demo} now={now} />
          <VerifyCard status={status} now={now} />
          <CopyCard />
          <ProtectionCard status={status} platform={info.platform} />
        </div>
      </div>
    </main>
  );
}

function Standing() {
  const { vault } = useModel();
  const { status, info, doing } = useStore(vault.view);
  if (status === null) return null;
  const about = notice(status, info);
  if (about !== null) {
    return (
      <Verdict
        tone={about.tone}
        icon={about.tone === 'wait' ? 'wait' : 'warning'}
        title={about.title}
        text={`${about.text} ${about.consequence}`.trim()}
      >
        <NoticeActions notice={about} />
      </Verdict>
    );
  }
  const { tone, title, text } = verdict(status, info?.demo === true);
  return (
    <Verdict tone={tone} icon={tone === 'ok' ? 'keep' : 'warning'} title={title} text={text}>
      {status.oldKey === 'pending' && (
        <Action onPress={() => void vault.ask('retry')} pending={doing === 'retry' ? 'Trying…' : null}>
          Try now
        </Action>
      )}
    </Verdict>
  );
}
