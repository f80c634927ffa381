import type { HealthReport } from '../../src-main/ipc/contract.ts';
import { Action } from '../parts/Action.tsx';
import { StatusBanner } from '../parts/Card.tsx';
import { QuestionFrame } from '../parts/DialogFrames.tsx';
import { EntityLines, FindingCard } from '../parts/Findings.tsx';
import { NoticeActions } from '../parts/Notices.tsx';
import { useModel, useTimed, useStore } from '../parts/hooks.ts';
import type { DialogOf } from '../state/dialogs.ts';
import { differenceWords, groupFindings, repairText } from '../state/health.ts';
import { notice } from '../state/notices.ts';
import { savedAgo } from '../state/time.ts';
import { count, number } from '../state/words.ts';

/** Findings about the cache, their effects and repairs. */
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
            text={`The check runs when the vault is open. ${about.text}`}
          >
            <NoticeActions notice={about} />
          </StatusBanner>
        ) : error !== null ? (
          <StatusBanner
            tone="bad"
            icon="warning"
            title="The accounts could not be checked"
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
          text="No duplicates, stale tokens or broken entries."
        />
      ) : (
        <StatusBanner
          tone="warn"
          icon="warning"
          title={count(report.total, 'finding')}
          text={repairText(report)}
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
      {more > 0 && (
        <p className="note">
          {number(more)} more {more === 1 ? 'is' : 'are'} not shown.
        </p>
      )}
    </>
  );
}

function LastRepair({ last }: { last: NonNullable<HealthReport['last']> }) {
  const { health } = useModel();
  const undoing = useStore(health.view, (view) => view.undoing);
  const when = useTimed((now) => savedAgo(last.at, now));
  return (
    <section className="last-repair" aria-label="Last repair">
      <p>
        <b>Repaired {when}:</b> {differenceWords(last.difference)}. You can undo this until you quit.
      </p>
      <Action onPress={() => void health.undo()} pending={undoing ? 'Undoing…' : null}>
        Undo
      </Action>
    </section>
  );
}

/** Shows the changes of a repair and asks for consent. */
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
      <div className="difference" role="group" aria-label="Changes" tabIndex={0}>
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
        This is one change. No working token is removed. You can undo this until you quit.
      </p>
    </QuestionFrame>
  );
}
