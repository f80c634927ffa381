import { type RefObject, useEffect, useRef, useState } from 'react';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import {
  TIMELINE_RANGES,
  timeline,
  type Mark,
  type TimelineRange,
  type TimelineRow,
} from '../state/timeline.ts';
import { clockTime } from '../state/time.ts';
import { useModel, useStore, useTimed } from './hooks.ts';
import { UserText } from './text.tsx';

/** The tokens of an account over time. Each row says in words what it shows. */
export function TimelineTab({ account }: { account: AccountItem }) {
  const { accounts, activity, selection } = useModel();
  const tenants = useStore(accounts.view, (view) => view.tenants);
  const { events, of } = useStore(activity.view);
  const tokens = useStore(selection.view, (view) => view.tokens);
  const [range, setRange] = useState<TimelineRange>('5 hours');
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const picture = useTimed((now) =>
    timeline(tokens ?? [], of === account.id ? (events ?? []) : [], range, now, width, undefined, {
      account,
      tenants,
    }),
  );
  const clock = useTimed((now) => clockTime(now).slice(0, 5));
  return (
    <div className="timeline-tab">
      <div className="timeline">
        <div className="timeline-axis" aria-hidden="true">
          <span />
          <div className="timeline-scale" ref={box}>
            {picture.ticks.map(({ at, text }) => (
              <span
                key={at}
                className="tick-text"
                data-hidden={Math.abs(at - picture.now) * width < 56}
                style={{ left: percent(at) }}
              >
                {text}
              </span>
            ))}
            <span className="now-text" style={{ left: percent(picture.now) }} data-late={picture.now > 0.85}>
              now {clock}
            </span>
          </div>
        </div>
        <div className="timeline-body">
          <div className="timeline-grid" aria-hidden="true">
            <span />
            <div className="timeline-scale">
              {picture.ticks.map(({ at }) => (
                <span key={at} className="tick" style={{ left: percent(at) }} />
              ))}
              <span className="now" style={{ left: percent(picture.now) }} />
            </div>
          </div>
          {picture.apps.map(({ name, rows }) => (
            <section key={name} aria-label={name}>
              <h2 className="timeline-app">
                <UserText>{name}</UserText>
              </h2>
              <ul>
                {rows.map((row) => (
                  <Row key={row.id} row={row} width={width} />
                ))}
              </ul>
            </section>
          ))}
          {picture.apps.length === 0 && tokens !== null && (
            <p className="no-match" role="status">
              No access or refresh token.
            </p>
          )}
        </div>
      </div>
      <div className="legend">
        <span aria-hidden="true">
          <MarkShape kind="cached" /> cached
        </span>
        <span aria-hidden="true">
          <MarkShape kind="refreshed" /> refreshed
        </span>
        <span aria-hidden="true">
          <MarkShape kind="refused" /> refused
        </span>
        <span aria-hidden="true">
          <MarkShape kind="end" /> expires
        </span>
        <span aria-hidden="true">
          <i className="legend-bar" /> time left
        </span>
        <div className="ranges" role="group" aria-label="Time range">
          {TIMELINE_RANGES.map(({ id, label }) => (
            <button type="button" key={id} aria-pressed={range === id} onClick={() => setRange(id)}>
              {label}
            </button>
          ))}
        </div>
      </div>
    </div>
  );
}

/** Returns whether the text at the end of a bar has too little room on its right. */
const isLate = ({ at, text }: NonNullable<TimelineRow['end']>, width: number): boolean =>
  (1 - at) * width < 16 + text.length * 7 + (text === 'no fixed end' ? 112 : 0);

function Row({
  row: { title, detail, refresh, bars, marks, end, says },
  width,
}: {
  row: TimelineRow;
  width: number;
}) {
  return (
    <li className="timeline-row">
      <span className="two-lines">
        <span>
          <UserText>{title}</UserText>
        </span>
        <span className="second">
          <UserText>{detail}</UserText>
        </span>
        <span className="unseen">{says}</span>
      </span>
      <div className="timeline-scale" title={says} aria-hidden="true">
        {bars.map(({ from, to, kind, tone }, index) => (
          <span
            key={`${String(index)} ${kind}`}
            className="life"
            data-kind={kind}
            data-tone={tone}
            data-thin={refresh}
            data-open={end?.text === 'no fixed end'}
            style={{ left: percent(from), width: percent(to - from) }}
          />
        ))}
        {marks.map(({ at, kind }, index) => (
          <span key={`${String(index)} ${kind}`} className="mark" style={{ left: percent(at) }}>
            <MarkShape kind={kind} />
          </span>
        ))}
        {end !== null && (
          <span
            className="end-text"
            data-tone={end.tone}
            data-late={isLate(end, width)}
            data-open={end.text === 'no fixed end'}
            style={isLate(end, width) ? { right: percent(1 - end.at) } : { left: percent(end.at) }}
          >
            {end.text}
          </span>
        )}
      </div>
    </li>
  );
}

function MarkShape({ kind }: { kind: Mark['kind'] }) {
  return (
    <svg className="mark-shape" data-kind={kind} width="14" height="16" viewBox="-7 -8 14 16">
      {kind === 'end' ? <path d="M0 -8v16" /> : <circle r={kind === 'refused' ? 6 : 4.5} />}
      {kind === 'refused' && <path d="M-2.5 -2.5l5 5m0-5l-5 5" />}
    </svg>
  );
}

const percent = (share: number): string => `${(share * 100).toFixed(3)}%`;

/** The width of an element, in pixels. */
function useWidth(box: RefObject<HTMLDivElement | null>): number {
  const [width, setWidth] = useState(600);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return width;
}
