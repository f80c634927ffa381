import type { TokenItem } from '../../src-main/ipc/contract.ts';
import { lifetime } from '../state/lifetime.ts';
import { useTimed } from './model.ts';

/** How long a token lives still, in words and as a bar. Follows the clock; drawn anew only when it says something else. */
export function Left({ token }: { token: TokenItem }) {
  const tone = useTimed((now) => lifetime(token, now).tone);
  const text = useTimed((now) => lifetime(token, now).text);
  const why = useTimed((now) => lifetime(token, now).why ?? '');
  const width = useTimed((now) => barWidth(token, now));
  return (
    <span className="left" title={why === '' ? undefined : why}>
      <span className="left-text" data-tone={tone}>
        {text}
      </span>
      {why !== '' && <span className="unseen">. {why}</span>}
      {width !== '' && (
        <svg
          className="bar"
          data-tone={tone}
          aria-hidden="true"
          viewBox="0 0 100 4"
          preserveAspectRatio="none"
        >
          <rect className="bar-track" width="100" height="4" />
          <rect className="bar-left" width={width} height="4" />
        </svg>
      )}
    </span>
  );
}

/** Of 100, in steps that can be seen; full for what is gone, as the bar is then a mark and no measure. "" for no bar. */
function barWidth(token: TokenItem, now: number): string {
  const { tone, left } = lifetime(token, now);
  if (left === null) return '';
  return tone === 'gone' ? '100' : Math.max(1, left * 100).toFixed(1);
}
