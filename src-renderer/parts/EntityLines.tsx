import type { EntityReference } from '../../src-main/ipc/contract.ts';
import { entityWords } from '../state/findings.ts';
import { number } from '../state/words.ts';

/** Entities by what they are; the key they stand under is told when one points at them. */
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
      {entities.slice(0, most).map(({ entity, fields }) => {
        const { what, details } = entityWords(entity);
        return (
          <li key={`${entity.type} ${entity.key}`} title={entity.key}>
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
