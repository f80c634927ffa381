import { describe, expect, test } from 'vitest';
import type { AccountItem } from '../../src-main/ipc/contract.ts';
import {
  accountName,
  accountsIn,
  groupAccounts,
  homeTenant,
  nicknameOf,
  tenantNames,
} from '../../src-renderer/state/groups.ts';
import {
  appChoices,
  filteredAccounts,
  foundAccounts,
  listFile,
  listText,
  nextExpiry,
  OVERVIEW_FROM,
  rowIndexes,
  selectionText,
  sortedAccounts,
  statusCounts,
  tenantChoices,
  tenantCount,
} from '../../src-renderer/state/overview.ts';
import { layOut } from '../../src-renderer/state/rows.ts';
import type { NamedUser } from '../../src-renderer/state/sources.ts';
import { account, cast, crowd } from './fake/cast.ts';
import { gate, stage } from './fake/model.ts';
import { settled } from './fake/time.ts';

const NOW = 1_700_000_000;
/** Every look at the clock is ten milliseconds later than the one before. */
let spent = 0;
let turns = 0;
const TIME = { spent: () => (spent += 10), turn: () => Promise.resolve(void (turns += 1)) };
const all = cast(NOW).map((member) => member.account);
const tenants = tenantNames(all);
const none = { status: null, app: null, tenant: null, place: null };
const list = (accounts: readonly AccountItem[], named: readonly NamedUser[] = []) => ({
  accounts,
  named,
  tenants,
  appNames: new Map<string, string>(),
  places: () => ['This vault', 'Azure CLI'],
});
const byStatus = { column: 'status', direction: 'ascending' } as const;
const names = (accounts: readonly AccountItem[]) => accounts.map(accountName);

describe('the overview', () => {
  test('is the first page from six users on; apps do not count', async () => {
    const { model, world } = await stage('overview');
    expect(model.overview.view.get().isOpen).toBe(true);
    const users = world.members.filter(({ account: { kind } }) => kind === 'user');
    const others = world.members.filter(({ account: { kind } }) => kind !== 'user');
    expect(others.length).toBeGreaterThan(0);
    for (const [count, isOpen] of [
      [OVERVIEW_FROM, true],
      [OVERVIEW_FROM - 1, false],
    ] as const) {
      const { model: other } = await stage('main', { members: [...users.slice(0, count), ...others] });
      expect(other.overview.view.get().isOpen).toBe(isOpen);
    }
  });

  test('does not open by itself while an account is shown', async () => {
    const { world: large } = await stage('overview');
    const { model, bridge, world } = await stage();
    world.members = large.members;
    bridge.emit('change', null);
    await settled();
    expect(model.overview.view.get().isOpen).toBe(false);
    model.overview.open();
    expect(model.overview.view.get().isOpen).toBe(true);
  });

  test('selects from an account to another one, wherever they are after the list has changed', async () => {
    const { model } = await stage('overview');
    const { overview } = model;
    const accounts = all.slice(0, 5);
    const [a, b, c, d, e] = accounts.map(({ id }) => id);
    const selected = (order: readonly (string | undefined)[], to: string | undefined) => {
      const rows = order.flatMap((id) => accounts.filter((each) => each.id === id));
      const rowOf = new Map(rows.map(({ id }, at) => [id, at]));
      overview.clear();
      overview.selectTo(rows, rowOf, rowOf.get(to ?? '') ?? -1);
      return [...overview.view.get().selected].sort();
    };
    expect(selected([a, b, c, d, e], b)).toEqual([a, b]); // nobody was chosen before: from the first row
    overview.anchor(d ?? '');
    expect(selected([a, b, c, d, e], b)).toEqual([b, c, d]);
    expect(selected([d, a, e, b, c], a)).toEqual([a, d]); // sorted
    expect(selected([c, d, e], e)).toEqual([d, e]); // reloaded
    expect(selected([a, b, c], b)).toEqual([b]); // d is hidden by a filter
    expect(selected([a, b, c, d, e], d)).toEqual([b, c, d]); // b is where the next one begins
  });

  test('forgets selected accounts that are removed', async () => {
    const { model, bridge, world } = await stage();
    model.overview.select(['a001', 'a002'], true);
    model.overview.activate('a001');
    world.members = world.members.filter(({ account: { id } }) => id !== 'a001');
    bridge.emit('change', null);
    await settled();
    expect([...model.overview.view.get().selected]).toEqual(['a002']);
    expect(model.overview.view.get().activeId).toBeNull();
  });

  test('signs several accounts out with one question and one request', async () => {
    const { model, bridge } = await stage();
    await model.signOut.several(['a001', 'a002']);
    await settled();
    expect(model.dialogs.view.get()).toMatchObject({
      kind: 'sign-out',
      accountIds: ['a001', 'a002'],
      names: ['Ada Marsh', 'Tomas Okafor'],
      who: '2 accounts',
    });
    await model.signOut.confirm();
    expect(bridge.asked.filter(([name]) => name === 'signOut')).toEqual([
      ['signOut', ['a001', 'a002'], expect.anything()],
    ]);
    await settled();
    expect(model.accounts.view.get().byId.size).toBe(4);
  });

  test('asks at once, and names the apps when main has told the names', async () => {
    const slow = gate();
    const { model, world } = await stage('overview');
    world.delay = (name) => (name === 'tokens' ? slow.closed : undefined);
    const nightly = [...model.accounts.view.get().byId.values()].filter(({ kind }) => kind === 'app');
    const asked = model.signOut.several(nightly.map(({ id }) => id));
    const apps = () => {
      const dialog = model.dialogs.view.get();
      return dialog?.kind === 'sign-out' ? dialog.apps : [];
    };
    expect(apps().at(-1)).toBe('3f6e…89ab');
    slow.open();
    await asked;
    expect(apps().at(-1)).toBe('nightly-report');
  });

  test('of one selected account, the dialog names it', async () => {
    const { model } = await stage();
    await model.signOut.several(['a002']);
    expect(model.dialogs.view.get()).toMatchObject({ who: 'Tomas Okafor', accountIds: ['a002'] });
  });
});

describe('rows', () => {
  test('need attention first', () => {
    const rows = sortedAccounts(all, byStatus, tenants, NOW);
    expect(names(rows)).toEqual([
      'Rosa Stein',
      '1111…88bf',
      'Ada Marsh',
      'Lin Nakamura',
      'nightly-report',
      'Tomas Okafor',
    ]);
  });

  test.each([
    ['account', 'ascending', '1111…88bf', 'Tomas Okafor'],
    ['account', 'descending', 'Tomas Okafor', '1111…88bf'],
    ['tenant', 'ascending', 'Ada Marsh', undefined],
    ['expiry', 'ascending', 'Rosa Stein', undefined],
  ] as const)('by %s, %s', (column, direction, first, last) => {
    const rows = names(sortedAccounts(all, { column, direction }, tenants, NOW));
    expect(rows[0]).toBe(first);
    if (last !== undefined) expect(rows.at(-1)).toBe(last);
    expect(rows).toHaveLength(6);
  });

  test('by expiry, those without one come last in both directions, and what has expired is in its place', () => {
    const rows = [
      account({ id: 'none', nextExpiry: null, lastExpiry: null }),
      account({ id: 'soon', nextExpiry: NOW + 60 }),
      account({ id: 'late', nextExpiry: NOW + 600 }),
      account({ id: 'past', nextExpiry: null, lastExpiry: NOW - 60 }),
    ];
    const order = (direction: 'ascending' | 'descending') =>
      sortedAccounts(rows, { column: 'expiry', direction }, tenants, NOW).map(({ id }) => id);
    expect(order('ascending')).toEqual(['past', 'soon', 'late', 'none']);
    expect(order('descending')).toEqual(['late', 'soon', 'past', 'none']);
  });

  test('a provider without tenants is a choice, by its host', () => {
    const google = account({
      id: 'g',
      authority_type: 'Generic',
      environment: 'accounts.google.com',
      tenants: [{ realm: '', local_account_id: '1' }],
    });
    const found = tenantChoices([...all, google], tenants).find(({ id }) => id === 'accounts.google.com');
    expect(found).toEqual({ id: 'accounts.google.com', name: 'accounts.google.com', count: 1 });
    const rows = filteredAccounts([...all, google], { ...none, tenant: 'accounts.google.com' }, NOW);
    expect(rows).toEqual([google]);
  });

  test('pass filters by status, app and tenant, also together', () => {
    const filtered = (filters: object) =>
      names(filteredAccounts(sortedAccounts(all, byStatus, tenants, NOW), { ...none, ...filters }, NOW));
    expect(filtered({ status: 'needs-sign-in' })).toEqual(['Rosa Stein']);
    const cli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46';
    expect(filtered({ app: cli })).toEqual(['Tomas Okafor']);
    const fabrikam = 'b1a2c3d4-0000-4000-8000-00fab41ca000';
    expect(filtered({ tenant: fabrikam })).toEqual(['Ada Marsh', 'Lin Nakamura']);
    expect(filtered({ tenant: fabrikam, app: cli })).toEqual([]);
  });

  test('cost a few looks at each account, and none when they are asked for again', () => {
    let reads = 0;
    const count = <T extends object>(value: T): T =>
      new Proxy(value, { get: (target, name) => (reads++, Reflect.get(target, name)) as unknown });
    const many = crowd(2_000, NOW).map((member) => count(member.account));
    const groups = groupAccounts(many);
    const byId = new Map(many.map((one) => [one.id, one]));
    const appNames = new Map<string, string>();
    const orders = (['account', 'tenant', 'status', 'expiry'] as const).map(
      (column) => ({ column, direction: 'descending' }) as const,
    );
    const found = many.slice(0, 500);
    const work: (() => unknown)[] = [
      ...orders.map((order) => () => sortedAccounts(accountsIn(groups), order, tenants, NOW)),
      () => foundAccounts(many, found),
      () => filteredAccounts(many, none, NOW),
      () => rowIndexes(many),
      () => statusCounts(many, NOW),
      () => appChoices(many, appNames),
      () => tenantChoices(many, tenants),
      () => tenantCount(byId, tenants),
      () => layOut(groups),
    ];
    for (const does of work) {
      reads = 0;
      does();
      expect(reads, String(does)).toBeLessThan(20 * many.length);
      reads = 0;
      does();
      expect(reads, String(does)).toBe(0);
    }
  });

  test('are counted by status', () => {
    expect([...statusCounts(all, NOW)]).toEqual([
      ['needs-sign-in', 1],
      ['until', 0],
      ['unknown', 1],
      ['active', 4],
    ]);
  });

  test('offer the apps and tenants that occur, with guests', () => {
    expect(appChoices(all, new Map()).map(({ name }) => name)).toContain('Azure CLI');
    expect(tenantChoices(all, tenants).find(({ name }) => name === 'fabrikam.example')?.count).toBe(2);
  });

  test.each([
    [{ nextExpiry: NOW + 720, lastExpiry: NOW + 720 }, 'in 12 min', '22:25'],
    [{ nextExpiry: null, lastExpiry: NOW - 5 * 86_400 }, 'Expired', '9 Nov'],
    [{ nextExpiry: NOW - 1, lastExpiry: NOW - 1 }, 'Expired', '22:13'],
    [{ nextExpiry: null, lastExpiry: null }, '–', ''],
  ])('expiry of %o: %s %s', (changes, text, detail) => {
    expect(nextExpiry(account({ id: 'a', ...changes }), NOW, 'UTC')).toEqual({ text, detail });
  });

  test('are copied without tokens, one line each', async () => {
    const hostile = account({ id: 'h', name: 'a\tb\nc\u202e', username: 'x@y.example' });
    const lines = (await listText(list([...all, hostile]), NOW, TIME)).split('\n');
    expect(lines).toHaveLength(8);
    for (const line of lines) expect(line.split('\t')).toHaveLength(8);
    expect(lines[1]).toMatch(/\tThis vault, Azure CLI$/);
    expect(lines[7]).toMatch(/^a b c⟨U\+202E⟩\tx@y\.example/);
  });

  test('are copied in turns, so that the window takes input while thousands are', async () => {
    turns = 0;
    const lines = (await listText(list(Array.from({ length: 300 }, () => all[0]!)), NOW, TIME)).split('\n');
    expect(lines).toHaveLength(301);
    expect(new Set(lines).size).toBe(2);
    expect(turns).toBeGreaterThan(50);
  });

  test.each([8.64e12 + 1, -1e20, Number.MAX_VALUE])(
    'are copied and saved with an expiry of %d',
    async (at) => {
      const hostile = account({ id: 'h', name: 'Ada', nextExpiry: at, lastExpiry: at });
      expect((await listText(list([hostile]), NOW, TIME)).split('\n')[1]?.split('\t')[6]).toBe('');
      expect(await listFile(list([hostile]), NOW, TIME)).toContain('"Ada"');
    },
  );

  test('say what stays true in a file: times with their day and zone, and a user name only where there is one', async () => {
    const active = account({
      id: 'a',
      name: 'Ada',
      username: '',
      status: { state: 'active', until: NOW + 299 },
    });
    const cells = (await listText(list([active]), NOW, TIME)).split('\n')[1]?.split('\t');
    expect(cells?.[1]).toBe('');
    expect(cells?.[5]).toBe(`Active until ${new Date((NOW + 299) * 1000).toISOString()}, can’t renew itself`);
  });

  test('name the users whom only programs name, without a formula of theirs', async () => {
    const gh = { id: 'gh', name: 'GitHub CLI' };
    const named = [
      { name: 'ada-marsh', programs: [gh], at: ['github.com'] },
      { name: '=1+1', programs: [gh], at: [] },
    ];
    expect((await listText(list(all.slice(0, 1), named), NOW, TIME)).split('\n').slice(2)).toEqual([
      'ada-marsh\tada-marsh\tgithub.com\t\t\tNamed by its program\t\tGitHub CLI',
      "'=1+1\t'=1+1\t\t\t\tNamed by its program\t\tGitHub CLI",
    ]);
  });

  test.each([
    ['=HYPERLINK("https://x.example")', `'=HYPERLINK("https://x.example")`],
    ['\n=1+1', `'=1+1`],
    [' -1', `'-1`],
    ['+1', `'+1`],
    ['@SUM(A1)', `'@SUM(A1)`],
    ['＝1+1', `'＝1+1`],
    ['Ada;=1+1', `Ada;'=1+1`],
    ['Ada | =1+1', `Ada |' =1+1`],
    ['Ada-Marie+x@y', 'Ada-Marie+x@y'],
    ['"=1+1"', `'"=1+1"`],
    ['Ada;"=1+1', `Ada;'"=1+1`],
    ['Ada "the" Marsh', 'Ada "the" Marsh'],
  ])('neither a copied nor a saved list has the formula %j', async (name, cell) => {
    const hostile = account({ id: 'h', name, username: 'x@y.example' });
    expect((await listText(list([hostile]), NOW, TIME)).split('\n')[1]?.split('\t')[0]).toBe(cell);
    const lines = (await listFile(list([hostile]), NOW, TIME)).split('\r\n');
    expect(lines[0]).toMatch(/^\ufeff"Account","Username","Home tenant"/);
    expect(lines[1]?.startsWith(`"${cell.replaceAll('"', '""')}","x@y.example",`)).toBe(true);
    expect(lines.slice(2)).toEqual(['']);
  });

  test('a quotation mark at the start of a name takes in no other cell', async () => {
    const hostile = account({ id: 'h', name: '"Ada', username: 'x@y.example' });
    expect((await listText(list([hostile]), NOW, TIME)).split('\n')[1]).toMatch(/^"""Ada"\tx@y\.example\t/);
    expect(await listFile(list([hostile]), NOW, TIME)).toContain('\r\n"""Ada","x@y.example",');
  });

  test('show the names that the user gave to tenants, and are found by them', async () => {
    const { model, world } = await stage('overview');
    const fabrikam = 'b1a2c3d4-0000-4000-8000-00fab41ca000';
    const view = () => model.accounts.view.get();
    const ada = () => [...view().byId.values()].find(({ name }) => name === 'Lin Nakamura')!;
    expect(homeTenant(ada(), view().tenants)).toBe('fabrikam.example');
    expect(await model.accounts.nameTenant(fabrikam.toUpperCase(), 'Customer F')).toBeNull();
    expect(homeTenant(ada(), view().tenants)).toBe('Customer F');
    expect(view().groups.map(({ title }) => title)).toContain('Customer F');
    model.accounts.search('tenant:"customer f"');
    await settled();
    world.failing.set('nameTenant', { code: 'vault_busy', message: 'Another program uses the vault.' });
    expect(await model.accounts.nameTenant(fabrikam, '')).toMatchObject({ code: 'vault_busy' });
    expect(nicknameOf({}, 'constructor')).toBeUndefined();
    expect(nicknameOf(view().nicknames, fabrikam)).toBe('Customer F');
  });

  test('a provider without tenants is named by its host', () => {
    expect(
      homeTenant(account({ id: 'a', authority_type: 'Generic', environment: 'id.example.org' }), tenants),
    ).toBe('id.example.org');
  });
});

test('the selection says how many of its accounts a search or a filter hides', () => {
  const [one, two, three] = all;
  const says = (...shown: (AccountItem | undefined)[]) =>
    selectionText([one!, two!, three!], new Set(shown.map((each) => each?.id ?? '')));
  expect(says(one, two, three)).toBe('3 selected');
  expect(says(one, two)).toBe('3 selected, 1 of them not shown');
  expect(says()).toBe('3 selected, not shown');
});
