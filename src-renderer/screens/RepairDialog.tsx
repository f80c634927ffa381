import { EntityLines } from '../parts/EntityLines.tsx';
import { useModel } from '../parts/model.ts';
import { QuestionFrame } from '../parts/QuestionFrame.tsx';
import type { DialogOf } from '../state/dialogs.ts';
import { count } from '../state/words.ts';

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
