import type { ClaimLine } from '../state/claims.ts';
import { Highlight } from './text.tsx';

/** Names, meanings and values, which are safe to show (`visible`). */
export function Lines({ lines }: { lines: readonly ClaimLine[] }) {
  return (
    <dl className="lines">
      {lines.map((line, index) => (
        <div className="line" key={`${String(index)} ${line.name}`}>
          <dt className="line-name">
            <bdi>{line.name}</bdi>
            {line.says !== null && <span className="line-says">{line.says}</span>}
          </dt>
          <dd>
            {line.block ? (
              <pre role="group" tabIndex={0} aria-label={line.name}>
                <Highlight>{line.value}</Highlight>
              </pre>
            ) : (
              <span className="line-value">
                <Highlight>{line.value}</Highlight>
              </span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
