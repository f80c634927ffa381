/** The lifetimes of an account's tokens as a picture: when they were cached, refreshed and refused, and when they end. */
import type { AccountItem, ActivityEvent, TokenItem } from '../../src-main/ipc/contract.ts';
import { type TenantNames, tenantName } from './groups.ts';
import { lifetime, type Tone } from './lifetime.ts';
import { atHour, changesAt, dayStart, dayOrTime, isPast, localTime, shortTime } from './time.ts';
import { appLabel, awayTenant, tokenDetail, tokenTitle } from './tokens.ts';
import { resourceName } from './wellKnown.ts';
import { capitalized } from './words.ts';

export type TimelineRange = '5 hours' | 'today' | '7 days';

export const TIMELINE_RANGES: readonly { id: TimelineRange; label: string }[] = [
  { id: '5 hours', label: '5 hours' },
  { id: 'today', label: 'Today' },
  { id: '7 days', label: '7 days' },
];

const HOUR = 3600;

/** A part of a bar, from 0 to 1 of the range. `past`: an earlier token. `used`: before now. `left`: the time left. */
export interface Bar {
  from: number;
  to: number;
  kind: 'past' | 'used' | 'left';
  tone: Tone;
}

export interface Mark {
  at: number;
  kind: 'cached' | 'refreshed' | 'refused' | 'end';
}

export interface TimelineRow {
  id: string;
  title: string;
  detail: string;
  refresh: boolean;
  bars: Bar[];
  marks: Mark[];
  /** Text beside the end: "expires 14:19", "no fixed end". */
  end: { text: string; at: number; tone: Tone } | null;
  /** What the picture shows, as a sentence. */
  says: string;
}

export interface Timeline {
  /** One group for each app. */
  apps: { name: string; rows: TimelineRow[] }[];
  ticks: { at: number; text: string }[];
  /** Position of the current time, from 0 to 1. */
  now: number;
}

/**
 * @param width pixels of the range: bars move by whole pixels, so the picture changes no more often than that
 * @param guest names the tenants in which the account is a guest
 */
export function timeline(
  tokens: readonly TokenItem[],
  events: readonly ActivityEvent[],
  range: TimelineRange,
  now: number,
  width: number,
  timeZone?: string,
  guest?: { account: AccountItem; tenants: TenantNames },
): Timeline {
  const { from, to, ticks } = span(range, now, timeZone);
  const pixel = (to - from) / Math.max(1, width);
  changesAt(now + Math.max(1, Math.ceil(pixel)), now);
  const place = (at: number) => Math.min(1, Math.max(0, (at - from) / (to - from)));
  const within = (at: number) => at >= from && at <= to;

  const apps = new Map<string, TimelineRow[]>();
  for (const token of tokens) {
    if (token.type === 'IdToken') continue;
    const row = rowOf(token, events, now, { place, within, from, to }, timeZone);
    const away = guest === undefined ? null : awayTenant(token, guest.account);
    if (guest !== undefined && away !== null) row.detail += ` · ${tenantName(away, guest.tenants)}`;
    const name = appLabel(token);
    apps.set(name, [...(apps.get(name) ?? []), row]);
  }
  return {
    apps: [...apps].map(([name, rows]) => ({ name, rows })),
    ticks: ticks.filter(within).map((at) => ({
      at: place(at),
      text:
        range === '7 days' ? dayOrTime(at, dayStart(at, timeZone, 2), timeZone) : shortTime(at, at, timeZone),
    })),
    now: place(now),
  };
}

/** Returns the range, and the moments that are named above it. Days start at midnight, however many hours they have. */
function span(
  range: TimelineRange,
  now: number,
  timeZone?: string,
): { from: number; to: number; ticks: readonly number[] } {
  const steps = (n: number) => Array.from({ length: n }, (_, step) => step);
  if (range === 'today') {
    const [from, to] = [dayStart(now, timeZone), dayStart(now, timeZone, 1)];
    const hours = steps(6).map((step) => atHour(from, 4 * step, timeZone));
    return { from, to, ticks: [...hours, to] };
  }
  if (range === '7 days') {
    const days = steps(8).map((step) => dayStart(now, timeZone, step - 5));
    return { from: days[0] ?? now, to: days[7] ?? now, ticks: days };
  }
  const from = Math.floor(now / HOUR) * HOUR - 3 * HOUR;
  return { from, to: from + 5 * HOUR, ticks: steps(6).map((step) => from + step * HOUR) };
}

interface Scale {
  place: (at: number) => number;
  within: (at: number) => boolean;
  from: number;
  to: number;
}

function rowOf(
  token: TokenItem,
  events: readonly ActivityEvent[],
  now: number,
  { place, within, from, to }: Scale,
  timeZone?: string,
): TimelineRow {
  const refresh = token.type === 'RefreshToken';
  const { subject } = tokenTitle(token);
  const { tone } = lifetime(token, now);
  const start = token.cached_at ?? token.last_modification_time ?? from;
  const end = token.expires_on;
  const refusal = events.find((event) => event.kind === 'refused' && isOf(token, event));
  const refused = refresh && refusal !== undefined && refusal.at >= start ? refusal.at : null;
  const refreshes = refresh
    ? []
    : events
        .filter((event) => event.kind === 'refresh' && isOf(token, event))
        .map(({ at }) => at)
        .sort((a, b) => a - b);
  // The newest refresh returned this token. It may have been recorded some seconds after the token was cached.
  const isRefreshed = refreshes.some((at) => Math.abs(at - start) <= 60);
  const earlier = refreshes.filter((at) => at < start - 60);

  const bars: Bar[] = [];
  const bar = (a: number, b: number, kind: Bar['kind'], of: Tone) => {
    const [left, right] = [Math.max(a, from), Math.min(b, to)];
    if (right > left) bars.push({ from: place(left), to: place(right), kind, tone: of });
  };
  const first = earlier[0];
  if (first !== undefined) bar(first, start, 'past', 'none');
  const last = refused ?? end ?? Number.POSITIVE_INFINITY;
  const gone = refused !== null || (end !== null && isPast(end, now));
  bar(start, Math.min(last, now), gone ? 'past' : 'used', tone);
  if (!gone) bar(Math.max(now, start), last, 'left', tone);

  const marks: Mark[] = [];
  const mark = (at: number, kind: Mark['kind']) => {
    if (within(at)) marks.push({ at: place(at), kind });
  };
  earlier.forEach((at, index) => mark(at, index === 0 ? 'cached' : 'refreshed'));
  if (!refresh) mark(start, isRefreshed || earlier.length > 0 ? 'refreshed' : 'cached');
  if (refused !== null) mark(refused, 'refused');
  else if (end !== null) mark(end, 'end');

  const known = token.cached_at ?? token.last_modification_time;
  return {
    id: token.id,
    title: refresh ? 'Refresh token' : subject,
    detail: refresh ? capitalized(subject) : tokenDetail(token),
    refresh,
    bars,
    marks,
    end: endOf(token, refused, now, { within, place }, timeZone),
    says: [
      known === null ? '' : `cached ${localTime(known, now, timeZone)}`,
      ...earlier.map((at) => `refreshed ${localTime(at, now, timeZone)}`),
      refused !== null
        ? `refused ${localTime(refused, now, timeZone)}`
        : end === null
          ? refresh
            ? 'no fixed end'
            : 'expiry not known'
          : `${isPast(end, now) ? 'expired' : 'expires'} ${localTime(end, now, timeZone)}`,
    ]
      .filter((part) => part !== '')
      .join(', '),
  };
}

function endOf(
  token: TokenItem,
  refused: number | null,
  now: number,
  { within, place }: Pick<Scale, 'within' | 'place'>,
  timeZone?: string,
): TimelineRow['end'] {
  if (refused !== null) {
    return within(refused)
      ? { text: `refused ${shortTime(refused, now, timeZone)}`, at: place(refused), tone: 'gone' }
      : null;
  }
  const { expires_on: end } = token;
  if (end === null)
    return token.type === 'RefreshToken' ? { text: 'no fixed end', at: place(now), tone: 'none' } : null;
  if (!within(end)) return null;
  const { tone } = lifetime(token, now);
  const past = isPast(end, now);
  const text = shortTime(end, now, timeZone);
  return {
    text: past ? `expired ${text}` : tone === 'soon' ? `expires ${text}` : text,
    at: place(end),
    tone,
  };
}

/** Whether an event is about a token: by its app, and for an access token by its API and tenant as well. Only the vault's tokens have events. */
function isOf(token: TokenItem, event: ActivityEvent): boolean {
  if (token.place !== 'vault') return false;
  if (event.kind === 'refused') return event.client_id === '' || event.client_id === token.client_id;
  if (event.kind !== 'refresh' || !event.client_ids.includes(token.client_id)) return false;
  const isThere = event.realms === undefined || token.realm === null || event.realms.includes(token.realm);
  if (token.audience === null) return isThere && event.apis.length === 0;
  // One API has several names: its URL, and its ID.
  const names = [token.audience, token.scopes.join(' ')].map((name) => resourceName(name) ?? name);
  return isThere && event.apis.some((api) => names.includes(resourceName(api) ?? api));
}
