import type { SignOutReport } from '../../app/contract.ts';
import { describe, expect, test } from 'vitest';
import {
  activityCount,
  activityDays,
  activityNames,
  activityRows,
  activityText,
  filteredActivity,
  firstNames,
  NO_ACTIVITY_FILTERS,
  receiptText,
} from '../../src-renderer/state/activity.ts';
import { timed } from '../../src-renderer/state/time.ts';
import { timeline } from '../../src-renderer/state/timeline.ts';
import { gate, stage } from './fake/model.ts';
import { settled } from './fake/time.ts';
import { account, token } from './fake/cast.ts';

const UTC = 'UTC';

async function shown() {
  const { model, time, world, bridge } = await stage('activity');
  const unwatch = model.activity.watch(null);
  await settled();
  const now = Math.floor(time.now() / 1000);
  const rows = () => activityRows(model.activity.view.get(), model.accounts.view.get(), now, null, UTC);
  return { model, now, rows, world, bridge, unwatch };
}

test('an answer that comes after its account was left is dropped', async () => {
  const slow = gate();
  const { model, world, bridge } = await stage('activity');
  world.delay = (name) => (name === 'activity' ? slow.closed : undefined);
  model.activity.watch('a001')();
  slow.open();
  await settled();
  expect(model.activity.view.get()).toMatchObject({ of: undefined, events: null });
  bridge.asked.splice(0);
  bridge.emit('activity', null);
  await settled();
  expect(bridge.asked).toEqual([]);
});

describe('the list', () => {
  test('has events and receipts in one order, each in words', async () => {
    const { rows } = await shown();
    expect(rows().map(({ title, who }) => [title, who])).toEqual([
      ['Signed out', 'teo@contoso.example'],
      ['Refresh refused by login.microsoftonline.com', 'Tomas Okafor'],
      ['Refreshed Microsoft Graph', 'Ada Marsh'],
      ['Copied an Authorization header', 'Ada Marsh'],
      ['Showed an access token', 'Ada Marsh'],
      ['Refreshed 2 access tokens', 'Ada Marsh'],
      ['Refreshed Microsoft Graph', 'Ada Marsh'],
      ['Imported 2,000 accounts', '2,000 accounts'],
      ['Signed in with Mail Assistant', 'Teo Varga'],
      ['Signed out', '2 accounts'],
      ['Exported the vault', ''],
      ['Rotated the encryption key', ''],
      ['Repaired the cache', ''],
      ['Activity cleared', ''],
    ]);
    const [signedOut, refused] = rows();
    expect(refused?.detail).toContain('invalid_grant, AADSTS50173');
    expect(signedOut?.detail).toBe('Receipt · 5 tokens removed · revocation pending · old key destroyed');
  });

  test('has an event of a clock that was ahead with the one that was recorded after it, and each day once', async () => {
    const { model, now } = await shown();
    const rotation = (id: string, at: number) => ({ id, at, accounts: [], kind: 'rotation' as const });
    const events = [rotation('c', now - 60), rotation('b', now + 90 * 86_400), rotation('a', now - 120)];
    const rows = activityRows({ events, receipts: [] }, model.accounts.view.get(), now, null, UTC);
    expect(rows.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
    expect(activityDays(rows, now, UTC).map((day) => day.rows.length)).toEqual([2, 1]);
    const odd = activityRows(
      { events: [rotation('x', 1e300)], receipts: [] },
      model.accounts.view.get(),
      now,
    );
    expect(activityText(odd).split('\n')[1]).toMatch(/^\tRotated the encryption key/);
  });

  test('is grouped by day and filtered by kind, account and date; the chips count what the others pass', async () => {
    const { rows, now } = await shown();
    expect(activityDays(rows(), now, UTC)[0]?.title).toMatch(/^Today, \d+ \w+$/);
    const ada = filteredActivity(rows(), { ...NO_ACTIVITY_FILTERS, name: 'Ada Marsh' }, now);
    expect(ada.rows).toHaveLength(6);
    expect(ada.counts.get('refreshes')).toBe(3);
    expect(ada.counts.get('refused')).toBeUndefined();
    const refreshes = filteredActivity(rows(), { kind: 'refreshes', name: 'Ada Marsh', days: 1 }, now);
    expect(refreshes.rows.map(({ title }) => title)).toHaveLength(3);
    expect(refreshes.all).toBe(5);
    expect(activityText(refreshes.rows).split('\n')).toHaveLength(4);
  });

  test('is copied so that no spreadsheet evaluates a name', async () => {
    const { rows } = await shown();
    const [row] = rows();
    const text = activityText([{ ...row!, names: ['=HYPERLINK("https://evil.example")\t@SUM(1)\u202e'] }]);
    expect(text.split('\n').at(-1)?.split('\t').at(-1)).toBe(
      `'=HYPERLINK("https://evil.example") @SUM(1)⟨U+202E⟩`,
    );
  });

  test('says how many accounts it does not name, also when it is copied', async () => {
    const { rows } = await shown();
    const imported = rows().find(({ what }) => what === 'import')!;
    expect(firstNames(imported)).toBe('Ada Marsh, Tomas Okafor, Teo Varga and 1,997 more');
    expect(activityText([imported])).toMatch(/\tAda Marsh, Tomas Okafor, Teo Varga, 1,997 more$/);
    expect(firstNames({ names: ['Ada Marsh'], unnamed: 0 })).toBe('Ada Marsh');
  });

  test('names twelve accounts of thousands in a tooltip', async () => {
    const { rows } = await shown();
    const names = Array.from({ length: 10_000 }, (_, at) => `user${String(at)}`);
    const row = { ...rows()[0]!, names, unnamed: 5 };
    expect(firstNames(row)).toBe(`${names.slice(0, 12).join(', ')} and 9,993 more`);
  });

  test('counts the accounts of a sign-out, of which several can have one user name', async () => {
    const { rows, model, world, now } = await shown();
    const [report] = world.signIn.receipts;
    const [receipt] = report!.receipts;
    const names = ['ada@contoso.example', 'ben@contoso.example', 'ada@contoso.example'];
    const rowOf = (changes: object) => {
      const receipts = [{ ...report!, ...changes }];
      return activityRows({ events: [], receipts }, model.accounts.view.get(), now)[0]!;
    };
    const row = rowOf({ names });
    expect(row.who).toBe('3 accounts');
    expect(firstNames(row)).toBe('ada@contoso.example (2 accounts) and ben@contoso.example');
    expect(receiptText({ ...report!, names }, now, UTC)).toMatch(
      /: ada@contoso\.example \(2 accounts\) and ben@contoso\.example\nWhen:/,
    );
    // A receipt of an older version has each name once, but a receipt for each account of the vault.
    expect(rowOf({ names: names.slice(0, 1), receipts: [receipt!, receipt!] }).who).toBe('2 accounts');
    expect(activityNames([row]).map(({ name, count }) => [name, count])).toEqual([
      ['ada@contoso.example', 1],
      ['ben@contoso.example', 1],
    ]);
    expect(rows().length).toBeGreaterThan(0);
  });

  test('of one account is counted on its tab, receipts included', async () => {
    const { model } = await shown();
    const ada = model.accounts.view.get().byId.get('a001')!;
    model.activity.watch('a001');
    expect(activityCount(model.activity.view.get(), ada)).toBeNull();
    await settled();
    const { events, receipts } = model.activity.view.get();
    const own = { ...receipts[0]!, names: ['ada@contoso.example'] };
    model.activity.view.set({
      ...model.activity.view.get(),
      receipts: [own, { ...own, names: [], receipts: [] }],
    });
    expect(activityCount(model.activity.view.get(), ada)).toBe(events!.length + 1);
    // Also those that are too old to be shown.
    expect(activityCount({ ...model.activity.view.get(), total: 2_160 }, ada)).toBe(2_161);
    const ben = { ...ada, id: 'a002' };
    expect(activityCount(model.activity.view.get(), ben)).toBeNull();
  });

  test('of one account has its receipts too, found by its user name', async () => {
    const { model, now, world } = await shown();
    const ada = model.accounts.view.get().byId.get('a001')!;
    world.signIn.receipts = world.signIn.receipts.map((report) => ({
      ...report,
      receipts: report.receipts.map((receipt) => ({ ...receipt, account: 'ada@contoso.example' })),
    }));
    model.activity.watch('a001');
    await settled();
    const rows = activityRows(model.activity.view.get(), model.accounts.view.get(), now, ada, UTC);
    expect(rows.filter(({ kind }) => kind === 'receipts')).toHaveLength(2);
    expect(rows.every(({ accountIds, report }) => report !== null || accountIds.includes('a001'))).toBe(true);
  });

  test('is loaded again when main has recorded something, only while it is shown', async () => {
    const { model, bridge, unwatch } = await shown();
    const asked = () => bridge.asked.filter(([name]) => name === 'activity').length;
    expect(asked()).toBe(1);
    bridge.emit('activity', null);
    await settled();
    expect(asked()).toBe(2);
    unwatch();
    bridge.emit('activity', null);
    await settled();
    expect(asked()).toBe(2);
    expect(model.activity.view.get().events).toBeNull();
  });

  test('is loaded again when the vault has another state: what was locked can be read', async () => {
    const { model, world, bridge } = await shown();
    world.status = { ...world.status, state: 'locked' };
    bridge.emit('status', world.status);
    await settled();
    const before = bridge.asked.filter(([name]) => name === 'activity').length;
    world.status = { ...world.status, state: 'ready' };
    bridge.emit('status', world.status);
    await settled();
    expect(bridge.asked.filter(([name]) => name === 'activity')).toHaveLength(before + 1);
    expect(model.activity.view.get()).toMatchObject({ error: null, total: 12 });
  });

  test('is cleared by main, which asks the user', async () => {
    const { model, rows, world } = await shown();
    world.consents = false;
    await model.activity.clear();
    await settled();
    expect(rows()).toHaveLength(14);
    world.consents = true;
    await model.activity.clear();
    await settled();
    expect(rows().map(({ title }) => title)).toEqual(['Activity cleared']);
  });

  test('a receipt has no lines that the name of a file or a program’s answer adds', async () => {
    const { rows, now } = await shown();
    const report = rows()[0]!.report!;
    const place = {
      ...{ id: 'f', name: 'a\nThis vault: 9 tokens removed\u202e', file: '/x', viewOnly: false },
      ...{ result: 'still' as const, says: 'No.\r\nOld key: Destroyed.', opens: null, command: null },
    };
    const lines = (places: SignOutReport['places']) =>
      receiptText({ ...report, places }, now, UTC).split(/[\r\n]/);
    expect(lines([place])).toHaveLength(lines([{ ...place, name: 'a', says: 'No.' }]).length);
    expect(lines([place]).join('')).toContain(
      'a⟨U+000A⟩This vault: 9 tokens removed⟨U+202E⟩: Still signed in.',
    );
  });

  test('gives a receipt as text', async () => {
    const { rows, now } = await shown();
    const report = rows()[0]!.report!;
    expect(receiptText(report, now, UTC).split('\n')).toEqual([
      'Signed out: teo@contoso.example',
      expect.stringMatching(/^When: today .* \(2\d{3}-.*Z\)$/),
      'This vault: 1 account entry, 3 access tokens, 1 refresh token and 1 ID token removed',
      'Old key: Destroyed. Older copies of the file can no longer be opened.',
      'Not revoked: id.example.org could not be reached. The token is removed from this computer.',
      'Session: The provider’s sign-out page is open in your browser. Finish there.',
    ]);
  });
});

describe('the timeline', () => {
  const NOW = Date.UTC(2026, 10, 26, 14, 7) / 1000;
  const graph = 'https://graph.microsoft.com';
  const access = token({
    id: 't',
    type: 'AccessToken',
    audience: graph,
    cached_at: NOW - 600,
    expires_on: NOW + 3000,
  });
  const refreshed = (at: number) => ({
    id: String(at),
    at,
    accounts: [],
    kind: 'refresh' as const,
    client_ids: [access.client_id],
    apis: [graph],
    tokens: 1,
    until: null,
    automatic: true,
  });

  test('shows when a token was cached, refreshed, and when it ends', () => {
    const events = [refreshed(NOW - 599), refreshed(NOW - 4200), refreshed(NOW - 7800)];
    const { apps, now, ticks } = timeline([access], events, '5 hours', NOW, 600, UTC);
    const row = apps[0]!.rows[0]!;
    expect(apps[0]!.name).toBe('Mail Assistant');
    expect(row.marks.map(({ kind }) => kind)).toEqual(['cached', 'refreshed', 'refreshed', 'end']);
    expect(row.bars.map(({ kind }) => kind)).toEqual(['past', 'used', 'left']);
    expect(row.bars[1]!.to).toBeCloseTo(now, 5);
    expect(row.end?.text).toBe('14:57');
    expect(row.says).toContain('expires today 14:57:00');
    expect(ticks.map(({ text }) => text)).toEqual(['11:00', '12:00', '13:00', '14:00', '15:00', '16:00']);
  });

  test('tells tenants apart, and knows an API by each of its names', () => {
    const [home, away] = ['11111111-0000-4000-8000-000000000001', '22222222-0000-4000-8000-000000000002'];
    const ada = account({
      id: 'a',
      tenants: [{ realm: home }, { realm: away }].map((one) => ({ ...one, local_account_id: '1' })),
    });
    const tokens = [
      { ...access, realm: home, audience: 'https://graph.microsoft.com' },
      { ...access, id: 'away', realm: away, audience: '00000003-0000-0000-c000-000000000000' },
    ];
    const marks = (event: object) =>
      timeline(tokens, [{ ...refreshed(NOW - 4200), ...event }], '5 hours', NOW, 600, UTC, {
        account: ada,
        tenants: new Map([[away, 'Fabrikam']]),
      }).apps[0]!.rows.map((row) => row.marks.length);
    expect(marks({ apis: ['https://graph.microsoft.com'], realms: [home] })).toEqual([3, 2]);
    expect(marks({ apis: ['00000003-0000-0000-c000-000000000000'], realms: [away] })).toEqual([2, 3]);
    expect(marks({ apis: [tokens[0]!.scopes.join(' ')] })).toEqual([3, 3]);
    const rows = timeline(tokens, [], '5 hours', NOW, 600, UTC, {
      account: ada,
      tenants: new Map([[away, 'Fabrikam']]),
    });
    expect(rows.apps[0]!.rows.map(({ detail }) => detail.endsWith(' · Fabrikam'))).toEqual([false, true]);
  });

  test('ends a refused refresh token at the refusal', () => {
    const refresh = token({ id: 'r', type: 'RefreshToken', cached_at: NOW - 9000 });
    const refused = {
      id: 'x',
      at: NOW - 300,
      accounts: [],
      kind: 'refused' as const,
      client_id: refresh.client_id,
      provider: 'id.example',
      reason: 'revoked' as const,
      code: 'invalid_grant',
    };
    const row = timeline([refresh], [refused], '5 hours', NOW, 600, UTC).apps[0]!.rows[0]!;
    expect(row.marks.map(({ kind }) => kind)).toEqual(['refused']);
    expect(row.bars.map(({ kind }) => kind)).toEqual(['past']);
    expect(row.end).toMatchObject({ text: 'refused 14:02', tone: 'gone' });
    const none = timeline([refresh], [], '5 hours', NOW, 600, UTC).apps[0]!.rows[0]!;
    expect(none.end?.text).toBe('no fixed end');
  });

  test('has no event of another program’s token: only those of the vault are refreshed, and refused, here', () => {
    const refused = {
      id: 'x',
      at: NOW - 300,
      accounts: [],
      kind: 'refused' as const,
      client_id: access.client_id,
      provider: 'id.example',
      reason: 'revoked' as const,
      code: 'invalid_grant',
    };
    const theirs = { place: 'azure-cli', cached_at: NOW - 9000 };
    const refresh = token({ id: 'r', type: 'RefreshToken', ...theirs });
    const events = [refused, refreshed(NOW - 9000), refreshed(NOW - 9900)];
    const { apps } = timeline([refresh, { ...access, ...theirs }], events, '5 hours', NOW, 600, UTC);
    const marks = apps[0]!.rows.map((row) => row.marks.map(({ kind }) => kind));
    expect(marks).toEqual([[], ['cached', 'end']]);
    expect(apps[0]!.rows[0]!.end?.text).toBe('no fixed end');
  });

  test.each([
    ['a day', 'Europe/Berlin', '2026-11-03', 24],
    ['a day with 25 hours', 'Europe/Berlin', '2026-10-25', 25],
    ['a day with 23 hours', 'Europe/Berlin', '2026-03-29', 23],
    ['a day that is half an hour longer', 'Australia/Lord_Howe', '2026-04-05', 24.5],
    ['a day without midnight', 'Africa/Cairo', '2026-04-24', 23],
    ['a day after one with two hours before midnight', 'Asia/Beirut', '2026-10-25', 24],
    ['a day with two hours before midnight', 'Asia/Beirut', '2026-10-24', 25],
    ['a day with two midnights', 'America/Havana', '2026-11-01', 25],
  ])('%s is drawn from its start to its end, in %s', (_what, zone, day, hours) => {
    const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: zone });
    for (const hour of [2, 6, 12, 22]) {
      const now = Date.parse(`${day}T12:00:00Z`) / 1000;
      const offset = Number(clock.format(now * 1000).slice(0, 2)) - hour;
      const at = now - offset * 3600;
      const today = timeline([], [], 'today', at, 600, zone);
      const hourOf = today.ticks.map(({ text }) => text);
      expect(today.ticks[0]?.at).toBe(0);
      expect(hourOf).toEqual([
        zone === 'Africa/Cairo' ? '01:00' : '00:00',
        '04:00',
        '08:00',
        '12:00',
        '16:00',
        '20:00',
        '00:00',
      ]);
      const seconds = (today.ticks.at(-2)!.at - today.ticks.at(-3)!.at) * hours * 3600;
      expect(seconds).toBeCloseTo(4 * 3600, 3);
      const week = timeline([], [], '7 days', at, 600, zone);
      const dayOf = Number(day.slice(-2));
      expect(week.ticks).toHaveLength(8);
      expect(week.ticks[5]?.text).toMatch(new RegExp(`^${String(dayOf)} `));
      expect(new Set(week.ticks.map(({ text }) => text)).size).toBe(8);
      expect(week.ticks[5]!.at).toBeLessThanOrEqual(week.now);
      expect(week.ticks[6]!.at).toBeGreaterThan(week.now);
    }
  });

  test.each(['5 hours', 'today', '7 days'] as const)('moves with the time at any hour: %s', (range) => {
    for (let at = NOW; at < NOW + 86_400; at += 1799) {
      const { until } = timed((now) => timeline([access], [], range, now, 600, UTC), at);
      expect(until).toBeGreaterThan(at);
      expect(until).toBeLessThanOrEqual(at + 1 + (7 * 86_400) / 600);
    }
  });

  test('clips what is outside the range', () => {
    const old = { ...access, cached_at: NOW - 30 * 86_400, expires_on: NOW - 29 * 86_400 };
    const { apps } = timeline([old], [], '7 days', NOW, 600, UTC);
    expect(apps[0]!.rows[0]).toMatchObject({ bars: [], marks: [], end: null });
  });
});
