import type { Claim } from '../../src-main/ipc/contract.ts';
import { type ClaimLine, MOST_LINES } from '../state/claims.ts';
import { count } from '../state/words.ts';
import { useTimed } from './hooks.ts';
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

/** Claims with relative times, at most MOST_LINES. */
export function ClaimLines({
  claims,
  line,
}: {
  claims: readonly Claim[];
  line: (claim: Claim, now: number) => ClaimLine;
}) {
  const lines = useTimed((now) => claims.slice(0, MOST_LINES).map((claim) => line(claim, now)));
  return (
    <>
      <Lines lines={lines} />
      <NotShown more={claims.length - MOST_LINES} />
    </>
  );
}

/** Says that lines are left out. */
export function NotShown({ more }: { more: number }) {
  if (more <= 0) return null;
  return <p className="note">{`${count(more, 'more line')} ${more === 1 ? 'is' : 'are'} not shown.`}</p>;
}
