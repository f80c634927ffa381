import { useId, useState } from 'react';
import { Button } from 'react-aria-components';
import { copyText } from '../bridge.ts';
import {
  type ActivityDay,
  activityDays,
  type ActivityKind,
  ACTIVITY_KINDS,
  type ActivityRow,
  firstNames,
  receiptPlaces,
  receiptText,
  rowTime,
} from '../state/activity.ts';
import { isoTime } from '../state/time.ts';
import { number } from '../state/words.ts';
import { Action } from './Action.tsx';
import { Icon, type IconName } from './Icon.tsx';
import { useModel, useTimed } from './hooks.ts';
import { UserText } from './text.tsx';

const ICONS: Readonly<Record<ActivityRow['what'], IconName>> = {
  'sign-in': 'sign-in',
  'sign-out': 'sign-out',
  refresh: 'refresh',
  refused: 'refused',
  reveal: 'show',
  copy: 'copy',
  removal: 'close',
  import: 'import',
  export: 'export',
  rotation: 'lock',
  repair: 'check',
  cleared: 'close',
};

/** Rows rendered at first, and added by each press of “Show more”. */
const STEP = 200;

/** Events by day. A receipt expands to its places. */
export function ActivityRows({ rows, who }: { rows: readonly ActivityRow[]; who: boolean }) {
  const [most, setMost] = useState(STEP);
  const days = useTimed((now): ActivityDay[] => activityDays(rows.slice(0, most), now));
  return (
    <>
      {days.map(({ title, rows: ofDay }) => (
        <section key={title} aria-label={title}>
          <h2 className="day">{title}</h2>
          <ul className="events">
            {ofDay.map((row) => (
              <EventRow key={row.id} row={row} who={who} />
            ))}
          </ul>
        </section>
      ))}
      {rows.length > most && (
        <div className="more-events">
          <Action onPress={() => setMost(most + STEP)}>
            {`Show ${number(Math.min(STEP, rows.length - most))} more`}
          </Action>
        </div>
      )}
    </>
  );
}

function EventRow({ row, who }: { row: ActivityRow; who: boolean }) {
  const { at, title, detail, report, what } = row;
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const words = (
    <span className="two-lines">
      <span>
        <UserText>{title}</UserText>
      </span>
      <span className="second">
        <UserText>{detail}</UserText>
      </span>
    </span>
  );
  return (
    <li className="event" data-open={isOpen} data-who={who}>
      <time className="event-time" dateTime={isoTime(at)}>
        {rowTime(row)}
      </time>
      <span className="event-icon" data-what={what}>
        <Icon name={ICONS[what]} />
      </span>
      {report === null ? (
        words
      ) : (
        <button
          type="button"
          className="event-open"
          aria-expanded={isOpen}
          aria-controls={isOpen ? id : undefined}
          onClick={() => setOpen(!isOpen)}
        >
          {words}
          <Icon name="down" size={14} />
        </button>
      )}
      {who && (
        <span className="event-who" title={row.names.length + row.unnamed > 1 ? firstNames(row) : undefined}>
          <UserText>{row.who}</UserText>
        </span>
      )}
      {report !== null && isOpen && <Receipt id={id} report={report} />}
    </li>
  );
}

const RESULT: Readonly<Record<'ok' | 'bad' | 'plain', IconName>> = {
  ok: 'check',
  bad: 'warning',
  plain: 'question',
};

function Receipt({ id, report }: { id: string; report: NonNullable<ActivityRow['report']> }) {
  const { clock, toasts } = useModel();
  return (
    <div className="event-receipt" id={id}>
      <ul className="places">
        {receiptPlaces(report).map(({ says, value, tone }, index) => (
          <li key={`${String(index)} ${says}`} data-tone={tone}>
            <Icon name={RESULT[tone]} />
            <span>
              <b>
                <UserText>{says}</UserText>
              </b>{' '}
              · <UserText>{value}</UserText>
            </span>
          </li>
        ))}
      </ul>
      <Action
        onPress={() => {
          const copied = copyText(receiptText(report, clock.now()));
          toasts.show(copied ? 'Receipt copied.' : 'The receipt could not be copied.');
        }}
      >
        Copy receipt
      </Action>
    </div>
  );
}

/** Chips that filter by kind. Kinds without events are left out. */
export function KindChips({
  chosen,
  counts,
  all,
  onChoose,
}: {
  chosen: ActivityKind | null;
  counts: ReadonlyMap<ActivityKind, number>;
  all: number;
  onChoose: (kind: ActivityKind | null) => void;
}) {
  const chip = (kind: ActivityKind | null, label: string, n: number) => (
    <Button key={label} className="chip" aria-pressed={chosen === kind} onPress={() => onChoose(kind)}>
      {label} <span className="chip-count">{number(n)}</span>
    </Button>
  );
  return (
    <>
      {chip(null, 'All', all)}
      {ACTIVITY_KINDS.map(({ id, label }) => {
        const n = counts.get(id) ?? 0;
        return n > 0 || chosen === id ? chip(id, label, n) : null;
      })}
    </>
  );
}
