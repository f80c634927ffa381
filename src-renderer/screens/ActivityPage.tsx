import { useEffect, useMemo, useState } from 'react';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import { copyText } from '../bridge.ts';
import { Action } from '../parts/Action.tsx';
import { ActivityRows, KindChips } from '../parts/ActivityRows.tsx';
import { ChoiceChip } from '../parts/ChoiceChip.tsx';
import { useModel, useStore, useTimed } from '../parts/hooks.ts';
import { Unasked } from '../parts/Problem.tsx';
import {
  type ActivityFilters,
  activityNames,
  activityRows,
  activityText,
  filteredActivity,
  NO_ACTIVITY_FILTERS,
} from '../state/activity.ts';
import { changesAt } from '../state/time.ts';
import { count, number } from '../state/words.ts';

const DAYS = [1, 7, 30];
const daysLabel = (days: number): string => (days === 1 ? 'Last 24 hours' : `Last ${count(days, 'day')}`);

/** What happened to all accounts and to the vault, in the last 90 days. */
export function ActivityPage() {
  const { accounts, activity, toasts } = useModel();
  const { byId, tenants, appNames } = useStore(accounts.view);
  const { events, receipts, total, error } = useStore(activity.view);
  const [filters, setFilters] = useState<ActivityFilters>(NO_ACTIVITY_FILTERS);
  useEffect(() => activity.watch(null), [activity]);
  const now = useMinute();
  const all = useMemo(
    () => activityRows({ events, receipts }, { byId, tenants, appNames }, now),
    [events, receipts, byId, tenants, appNames, now],
  );
  const shown = useMemo(() => filteredActivity(all, filters, now), [all, filters, now]);
  const filtered = filters.kind !== null || filters.name !== null || filters.days !== null;
  const change = (changes: Partial<ActivityFilters>) => setFilters({ ...filters, ...changes });
  return (
    <main className="page">
      <div className="page-column activity">
        <div className="page-head">
          <h1>Activity</h1>
          <span className="overview-sum">90 days, encrypted in this vault</span>
          {all.length > 0 && (
            <>
              <Action kind="quiet" onPress={() => void activity.clear()}>
                Clear…
              </Action>
              <Action
                onPress={() => {
                  const copied = copyText(activityText(shown.rows));
                  toasts.show(
                    copied ? `${count(shown.rows.length, 'event')} copied.` : 'The list could not be copied.',
                  );
                }}
              >
                Copy list
              </Action>
            </>
          )}
        </div>
        {error !== null && <Unasked>{error.message}</Unasked>}
        {all.length > 0 && (
          <div className="filters" role="group" aria-label="Filters">
            <KindChips
              chosen={filters.kind}
              counts={shown.counts}
              all={shown.all}
              onChoose={(kind) => change({ kind })}
            />
            <span className="filter-divider" />
            <ChoiceChip
              label="Account"
              every="All accounts"
              chosen={filters.name}
              choices={() => activityNames(all)}
              nameOf={(name) => name}
              onChoose={(name) => change({ name })}
            />
            <ChoiceChip
              label="Date"
              every="Last 90 days"
              chosen={filters.days === null ? null : String(filters.days)}
              choices={() =>
                DAYS.map((days) => ({
                  id: String(days),
                  name: daysLabel(days),
                  count: filteredActivity(all, { ...NO_ACTIVITY_FILTERS, days }, now).all,
                }))
              }
              nameOf={(days) => daysLabel(Number(days))}
              onChoose={(days) => change({ days: days === null ? null : Number(days) })}
            />
          </div>
        )}
        {shown.rows.length > 0 ? (
          <div className="event-card">
            <ActivityRows key={JSON.stringify(filters)} rows={shown.rows} who />
          </div>
        ) : (
          events !== null &&
          error === null && (
            <div className="no-match">
              <p role="status">
                {filtered
                  ? 'No event matches the filters.'
                  : 'Nothing yet. Sign-ins, refreshes, copies and exports are listed here.'}
              </p>
              {filtered && <Action onPress={() => setFilters(NO_ACTIVITY_FILTERS)}>Clear filters</Action>}
            </div>
          )
        )}
        <LeftOut shown={events?.length} total={total} />
      </div>
    </main>
  );
}

/** The activity of one account. */
export function AccountActivity({ account }: { account: AccountItem }) {
  const { accounts, activity } = useModel();
  const { byId, tenants, appNames } = useStore(accounts.view);
  const { events, total, receipts, error } = useStore(activity.view);
  const [filters, setFilters] = useState<ActivityFilters>(NO_ACTIVITY_FILTERS);
  const now = useMinute();
  const all = useMemo(
    () => activityRows({ events, receipts }, { byId, tenants, appNames }, now, account),
    [events, receipts, byId, tenants, appNames, now, account],
  );
  const shown = filteredActivity(all, filters, now);
  return (
    <div className="account-activity">
      {error !== null && <Unasked>{error.message}</Unasked>}
      {all.length > 0 && (
        <div className="filters" role="group" aria-label="Filters">
          <KindChips
            chosen={filters.kind}
            counts={shown.counts}
            all={shown.all}
            onChoose={(kind) => setFilters({ ...filters, kind })}
          />
        </div>
      )}
      {shown.rows.length > 0 ? (
        <ActivityRows key={JSON.stringify(filters)} rows={shown.rows} who={false} />
      ) : (
        events !== null &&
        error === null && (
          <p className="no-match" role="status">
            Nothing yet. Sign-ins, refreshes and copies of this account are listed here.
          </p>
        )
      )}
      <LeftOut shown={events?.length} total={total} />
    </div>
  );
}

/** Says how many events are too old to be shown. */
function LeftOut({ shown, total }: { shown: number | undefined; total: number }) {
  if (shown === undefined || shown >= total) return null;
  return <p className="note">{`The newest ${number(shown)} of ${number(total)} events are shown.`}</p>;
}

/** Returns the last second of the current minute, so that it changes once a minute. */
function useMinute(): number {
  return useTimed((now) => {
    const minute = Math.floor(now / 60) * 60;
    changesAt(minute + 60, now);
    return minute + 59;
  });
}
