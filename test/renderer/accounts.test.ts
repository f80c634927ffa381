import { describe, expect, test } from 'vitest';
import { SEARCH_PAUSE, searchFound } from '../../src-renderer/state/accounts.ts';
import { accountName } from '../../src-renderer/state/groups.ts';
import type { FirstAccounts } from '../../src-main/ipc/contract.ts';
import { cast } from './fake/cast.ts';
import { gate, stage } from './fake/model.ts';
import { settled } from './fake/time.ts';

const shownNames = (view: { shown: readonly { accounts: readonly Parameters<typeof accountName>[0][] }[] }) =>
  view.shown.flatMap((group) => group.accounts.map(accountName));

test('what main lists is there, by group', async () => {
  const { model } = await stage();
  expect(model.accounts.view.get()).toMatchObject({
    totals: { accounts: 5, apps: 1, tokens: 16 },
    shownCount: 6,
  });
});

test('the first of many are shown until the list is there, and nothing acts on them alone', async () => {
  const list = gate();
  const all = cast(1_700_000_000).map((member) => member.account);
  const first: FirstAccounts = {
    first: all.slice(0, 2),
    size: 6,
    statuses: { 'needs-sign-in': 0, until: 0, unknown: 0, active: 6 },
    tenantDomains: { 'tenant-1': 'one.example' },
    totals: { accounts: 5, apps: 1, tokens: 16, notUnderstood: 0 },
    tenantNames: {},
  };
  const { model } = await stage('main', {
    first,
    delay: (name) => (name === 'accounts' ? list.closed : undefined),
  });
  const view = () => model.accounts.view.get();
  expect(view()).toMatchObject({ first, totals: first.totals });
  expect(view().tenants.get('tenant-1')).toBe('one.example');
  // No sign-out of all accounts, no search and no list mistakes the first two accounts for all.
  expect(view().byId.size).toBe(0);
  await model.signOut.all();
  expect(model.dialogs.view.get()).toBeNull();
  model.accounts.search('ada');
  expect(searchFound(view())).toBe('searching…');
  model.accounts.search('');
  // A row selected meanwhile is shown as soon as the list is there.
  model.selection.account('a002');
  model.overview.close();
  list.open();
  await settled();
  expect(view()).toMatchObject({ first: null, shownCount: 6 });
  expect(model.selection.view.get()).toMatchObject({ accountId: 'a002', error: null });
  expect(model.overview.view.get().isOpen).toBe(false);

  // If the full list fails after the first accounts, the error is shown.
  const error = { code: 'unexpected', message: 'No.' };
  const { model: other } = await stage('main', { first, failing: new Map([['accounts', error]]) });
  expect(other.accounts.view.get()).toMatchObject({ first: null, totals: null, error });
});

test('many changes at once are one more question, and the last of them is seen', async () => {
  const { model, bridge, world } = await stage();
  bridge.asked.length = 0;
  world.members = world.members.slice(0, 4);
  for (let index = 0; index < 50; index += 1) bridge.emit('change', null);
  world.members = world.members.slice(0, 1); // after the first request was sent
  await settled();
  expect(bridge.asked.filter(([name]) => name === 'accounts')).toHaveLength(2);
  expect(model.accounts.view.get().shownCount).toBe(1);
});

test('a list that fails says why, and is asked for again', async () => {
  const error = { code: 'unexpected', message: 'No.' };
  const { model, world } = await stage('main', { failing: new Map([['accounts', error]]) });
  expect(model.accounts.view.get().error).toEqual(error);
  world.failing.clear();
  await model.start();
  expect(model.accounts.view.get()).toMatchObject({ error: null, shownCount: 6 });
});

test('the list is asked for anew when what expires next has, and not again and again before', async () => {
  const { model, bridge, time, world } = await stage();
  const lists = () => bridge.asked.filter(([name]) => name === 'accounts').length;
  const soonest = Math.min(...world.members.map(({ account }) => account.nextExpiry ?? Infinity));
  const before = lists();
  await time.pass(soonest * 1000 - time.now());
  expect(lists()).toBe(before);
  await time.pass(1000);
  expect(lists()).toBe(before + 1);
  // The fake still returns the same time, which has passed by now. The list is not fetched every second.
  await time.pass(4_000);
  expect(lists()).toBe(before + 1);
  expect(model.accounts.view.get().error).toBeNull();
});

test('the list is asked for anew when a refresh token has expired, also if no access token is left', async () => {
  const { model, bridge, time, world } = await stage();
  const lists = () => bridge.asked.filter(([name]) => name === 'accounts').length;
  const at = Math.floor(time.now() / 1000) + 1800;
  for (const { account } of world.members) {
    Object.assign(account, {
      nextExpiry: null,
      status: { state: 'renews', activeUntil: null, next: { at, status: { state: 'unknown' } } },
    });
  }
  await model.accounts.load();
  const before = lists();
  await time.pass(1_800_000);
  expect(lists()).toBe(before);
  await time.pass(1000);
  expect(lists()).toBe(before + 1);
});

describe('search', () => {
  test('asks main once the typing pauses, and shows what matches', async () => {
    const { model, bridge, time } = await stage();
    for (const text of ['o', 'or', 'ord', 'orders']) {
      model.accounts.search(text);
      await time.pass(SEARCH_PAUSE - 1);
    }
    expect(bridge.asked.filter(([name]) => name === 'search')).toEqual([]);
    expect(searchFound(model.accounts.view.get())).toBe('searching…');
    await time.pass(1);
    expect(bridge.asked.filter(([name]) => name === 'search')).toEqual([['search', 'orders']]);
    expect(shownNames(model.accounts.view.get())).toEqual(['Ada Marsh', 'Rosa Stein']);
    expect(searchFound(model.accounts.view.get())).toBe('2 of 6');
  });

  test('a letter typed leaves what is shown as it is, until the answer has come', async () => {
    const { model, time } = await stage();
    const { shown } = model.accounts.view.get();
    model.accounts.search('a');
    model.accounts.search('ad');
    expect(model.accounts.view.get().shown).toBe(shown);
    await time.pass(SEARCH_PAUSE);
    expect(model.accounts.view.get().shown).not.toBe(shown);
  });

  test('a long list is not asked for again at every expiry', async () => {
    const { bridge, time } = await stage('crowd');
    bridge.asked.length = 0;
    await time.pass(59_000);
    expect(bridge.asked.filter(([name]) => name === 'accounts')).toHaveLength(0);
  });

  test('an answer to an older text is dropped', async () => {
    const slow = gate();
    const { model, time, world } = await stage();
    world.delay = (name) => (name === 'search' ? slow.closed : undefined);
    model.accounts.search('rosa');
    await time.pass(SEARCH_PAUSE);
    world.delay = () => undefined;
    model.accounts.search('tomas');
    await time.pass(SEARCH_PAUSE);
    slow.open();
    await settled();
    expect(shownNames(model.accounts.view.get())).toEqual(['Tomas Okafor']);
  });

  test('cleared, it shows all at once, whatever is under way', async () => {
    const slow = gate();
    const { model, time, world } = await stage();
    world.delay = (name) => (name === 'search' ? slow.closed : undefined);
    model.accounts.search('rosa');
    await time.pass(SEARCH_PAUSE);
    model.accounts.search('');
    expect(model.accounts.view.get().shownCount).toBe(6);
    slow.open();
    await settled();
    expect(model.accounts.view.get().shownCount).toBe(6);
    expect(searchFound(model.accounts.view.get())).toBe('');
  });

  test('nothing matches', async () => {
    const { model, time } = await stage();
    model.accounts.search('nobody');
    await time.pass(SEARCH_PAUSE);
    expect(searchFound(model.accounts.view.get())).toBe('0 of 6');
    expect(model.accounts.view.get().shown).toEqual([]);
  });

  test('it holds when the list changes under it', async () => {
    const { model, time, bridge, world } = await stage();
    model.accounts.search('contoso');
    await time.pass(SEARCH_PAUSE);
    const before = model.accounts.view.get().shownCount;
    world.members = world.members.filter((member) => member.account.name !== 'Ada Marsh');
    bridge.emit('change', null);
    await settled();
    expect(model.accounts.view.get().shownCount).toBe(before - 1);
  });

  test('one that fails shows nothing, and why', async () => {
    const { model, time, world } = await stage();
    world.failing.set('search', { code: 'unexpected', message: 'No.' });
    model.accounts.search('ada');
    await time.pass(SEARCH_PAUSE);
    expect(model.accounts.view.get()).toMatchObject({ shownCount: 0, error: { message: 'No.' } });
    model.accounts.search('');
    expect(model.accounts.view.get()).toMatchObject({ shownCount: 6, error: null });
  });
});
