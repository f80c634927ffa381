import type { EntityReference, Finding } from '../../src-main/ipc/contract.ts';
import { entityWords, type FindingGroup } from '../state/health.ts';
import { number } from '../state/words.ts';
import { Action } from './Action.tsx';
import { useModel } from './hooks.ts';
import { Message } from './text.tsx';

/** Maximum findings of one kind that are listed. */
const SHOWN = 12;

export function FindingCard({ group: { title, findings } }: { group: FindingGroup }) {
  const { health } = useModel();
  const repairable = findings.filter(({ repair }) => repair !== null);
  return (
    <section className="card" aria-label={title}>
      <div className="card-head">
        <h2>
          {title} <span className="tab-count">{number(findings.length)}</span>
        </h2>
        {repairable.length > 1 && (
          <Action
            onPress={() => health.propose(repairable)}
          >{`Repair these ${number(repairable.length)}…`}</Action>
        )}
      </div>
      <ul className="findings">
        {findings.slice(0, SHOWN).map((finding) => (
          <FindingLine key={finding.id} finding={finding} />
        ))}
      </ul>
      {findings.length > SHOWN && (
        <p className="note">{number(findings.length - SHOWN)} more of this kind.</p>
      )}
    </section>
  );
}

function FindingLine({ finding }: { finding: Finding }) {
  const { health } = useModel();
  return (
    <li className="finding">
      <div className="finding-words">
        <p>
          <Message>{finding.says}</Message>
        </p>
        <dl className="causes">
          {finding.causes.map(({ library, says }, index) => (
            <div className="pair" key={`${String(index)} ${library}`}>
              <dt>{library}</dt>
              <dd>{says}</dd>
            </div>
          ))}
        </dl>
        <EntityLines entities={finding.entities.map((entity) => ({ entity }))} label="Entries" />
      </div>
      {finding.repair === null ? (
        <span className="note">Nothing to repair</span>
      ) : (
        <Action onPress={() => health.propose([finding])}>Repair…</Action>
      )}
    </li>
  );
}

/** Lists entities by type and details, with their key as tooltip. */
export function EntityLines({
  entities,
  most = 8,
  label,
}: {
  entities: readonly { entity: EntityReference; fields?: readonly string[] }[];
  most?: number;
  label: string;
}) {
  const more = entities.length - most;
  return (
    <ul className="entities" aria-label={label}>
      {entities.slice(0, most).map(({ entity, fields }, index) => {
        const { what, details } = entityWords(entity);
        return (
          <li key={`${String(index)} ${entity.key}`} title={entity.key}>
            <b>{what}</b> <bdi>{details}</bdi>
            {fields !== undefined && fields.length > 0 && (
              <span className="entity-fields"> {fields.join(', ')}</span>
            )}
          </li>
        );
      })}
      {more > 0 && <li>and {number(more)} more</li>}
    </ul>
  );
}
