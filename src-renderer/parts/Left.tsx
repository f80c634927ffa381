import type { TokenItem } from '../../src-main/ipc/contract.ts';
import { lifetime } from '../state/lifetime.ts';
import { useNow } from './model.ts';

/** How long a token lives still, in words and as a bar. Follows the clock. */
export function Left({ token }: { token: TokenItem }) {
  const { tone, text, left, why } = lifetime(token, useNow());
  return (
    <span className="left" title={why ?? undefined}>
      <span className="left-text" data-tone={tone}>
        {text}
      </span>
      {why !== null && <span className="unseen">. {why}</span>}
      {left !== null && (
        <svg
          className="bar"
          data-tone={tone}
          aria-hidden="true"
          viewBox="0 0 100 4"
          preserveAspectRatio="none"
        >
          <rect className="bar-track" width="100" height="4" />
          <rect className="bar-left" width={tone === 'gone' ? 100 : Math.max(1, left * 100)} height="4" />
        </svg>
      )}
    </span>
  );
}
