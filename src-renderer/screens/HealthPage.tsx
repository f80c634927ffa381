import type { HealthReport } from '../../src-main/ipc/contract.ts';
import { Action } from '../parts/Action.tsx';
import { StatusBanner } from '../parts/Card.tsx';
import { QuestionFrame } from '../parts/DialogFrames.tsx';
import { EntityLines, FindingCard } from '../parts/Findings.tsx';
import { NoticeActions } from '../parts/Notices.tsx';
import { useModel, useNow, useStore } from '../parts/hooks.ts';
import type { DialogOf } from '../state/dialogs.ts';
import { differenceWords, groupFindings } from '../state/health.ts';
import { notice } from '../state/notices.ts';
import { savedAgo } from '../state/time.ts';
import { count, number } from '../state/words.ts';

/** What is wrong with what is cached, what each thing causes, and what can be done about it. */
export function HealthPage() {
  const { health, vault, accounts } = useModel();
  const { report, error } = useStore(health.view);
  const { status, info } = useStore(vault.view);
  const some = useStore(accounts.view, (view) => view.byId.size > 0);
  const about = notice(status, info);
  return (
    <main className="page" aria-busy={report === null && error === null}>
      <div className="page-column">
        <h1>Health</h1>
        {about !== null && !some ? (
          <StatusBanner
            tone={about.tone}
            icon={about.tone === 'wait' ? 'wait' : 'warning'}
            title={about.title}
            text={`There is nothing to look at until the file is open. ${about.text}`}
          >
            <NoticeActions notice={about} />
          </StatusBanner>
        ) : error !== null ? (
          <StatusBanner
            tone="bad"
            icon="warning"
            title="Your sign-ins could not be looked at"
            text={error.message}
          >
            <Action onPress={() => void health.examine()}>Try again</Action>
          </StatusBanner>
        ) : (
          report !== null && <Report report={report} />
        )}
      </div>
    </main>
  );
}

function Report({ report }: { report: HealthReport }) {
  const { health } = useModel();
  const groups = groupFindings(report.findings);
  const more = report.total - report.findings.length;
  return (
    <>
      {report.total === 0 ? (
        <StatusBanner
          tone="ok"
          icon="check"
          title="Nothing found"
          text="No entry is twice, in the shadow of another, out of use for a month, or of a kind that makes a library fail."
        />
      ) : (
        <StatusBanner
          tone="warn"
          icon="warning"
          title={count(report.total, 'finding')}
          text={
            report.repairable === 0
              ? 'Nothing can be repaired without taking away something of use; the entries are named below.'
              : `${report.repairable === report.total ? 'All of them' : number(report.repairable)} can be repaired without taking away anything of use. You see what changes before it does.`
          }
        >
          {report.repairable > 0 && (
            <Action kind="primary" onPress={() => health.propose()}>
              Repair all…
            </Action>
          )}
        </StatusBanner>
      )}
      {report.last !== null && <LastRepair last={report.last} />}
      {groups.map((group) => (
        <FindingCard key={group.kind} group={group} />
      ))}
      {more > 0 && <p className="note">And {number(more)} more, not shown.</p>}
    </>
  );
}

function LastRepair({ last }: { last: NonNullable<HealthReport['last']> }) {
  const { health } = useModel();
  const undoing = useStore(health.view, (view) => view.undoing);
  const now = useNow();
  return (
    <section className="last-repair" aria-label="The last repair">
      <p>
        <b>Repaired {savedAgo(last.at, now)}:</b> {differenceWords(last.difference)}. It can be taken back
        until Tokenkeep ends.
      </p>
      <Action onPress={() => void health.undo()} pending={undoing ? 'Undoing…' : null}>
        Undo
      </Action>
    </section>
  );
}

/** The difference that a repair makes, before it is made. */
export function RepairDialog({
  dialog: { count: findings, difference, working },
}: {
  dialog: DialogOf<'repair'>;
}) {
  const { health } = useModel();
  const parts = [
    { title: 'Removed', entities: difference.removed.map((entity) => ({ entity })) },
    { title: 'Changed', entities: difference.changed },
    { title: 'Added', entities: difference.added.map((entity) => ({ entity })) },
  ].filter(({ entities }) => entities.length > 0);
  return (
    <QuestionFrame
      title={`Repair ${count(findings, 'finding')}?`}
      yes="Repair"
      pending={working ? 'Repairing…' : null}
      start="no"
      onYes={() => void health.repair()}
    >
      <div className="difference" role="group" aria-label="What it does" tabIndex={0}>
        {parts.map(({ title, entities }) => (
          <div key={title}>
            <h3>
              {title} <span>{entities.length}</span>
            </h3>
            <EntityLines entities={entities} label={title} most={40} />
          </div>
        ))}
      </div>
      <p className="note">
        It is one change, and nothing that works is taken away. You can take it back until Tokenkeep ends.
      </p>
    </QuestionFrame>
  );
}
