import type { ClaimLine } from '../state/claims.ts';

/** Names, values and what they mean. The values come as text that is safe to show (`visible`). */
export function Lines({ lines }: { lines: readonly ClaimLine[] }) {
  return (
    <dl className="lines">
      {lines.map((line, index) => (
        <div className="line" key={`${String(index)} ${line.name}`}>
          <dt>
            <bdi>{line.name}</bdi>
          </dt>
          <dd>
            {line.block ? (
              <pre tabIndex={0} aria-label={line.name}>
                {line.value}
              </pre>
            ) : (
              <bdi className="line-value">{line.value}</bdi>
            )}
            {line.says !== null && <span className="line-says">{line.says}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
