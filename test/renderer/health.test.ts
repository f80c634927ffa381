import { describe, expect, test } from 'vitest';
import {
  differenceOf,
  differenceWords,
  entityWords,
  groupFindings,
  repairText,
} from '../../src-renderer/state/health.ts';
import { gate, stage } from './fake/model.ts';
import { settled } from './fake/time.ts';
import { HEALTH } from './fake/worlds.ts';

const asked = (bridge: { asked: [string, ...unknown[]][] }, name: string) =>
  bridge.asked.filter(([request]) => request === name).length;

/** Opens the Health page. */
async function onPage(changes: Parameters<typeof stage>[1] = {}) {
  const set = await stage('findings', changes);
  set.model.pages.show('health');
  await settled();
  return set;
}

describe('looking', () => {
  test('waits until the page is shown, and then follows each change', async () => {
    const { model, bridge } = await stage('findings');
    bridge.emit('change', null);
    await settled();
    expect(asked(bridge, 'examine')).toBe(0);
    model.pages.show('health');
    await settled();
    expect(model.health.view.get().report).toEqual(HEALTH);
    expect(asked(bridge, 'examine')).toBe(1);
    bridge.emit('change', null);
    await settled();
    expect(asked(bridge, 'examine')).toBe(2);
  });

  test('that failed says why, and can be tried again', async () => {
    const error = { code: 'unexpected', message: 'It could not be read.' };
    const { model, world } = await onPage({ failing: new Map([['examine', error]]) });
    expect(model.health.view.get()).toMatchObject({ report: null, error });
    world.failing.clear();
    await model.health.examine();
    expect(model.health.view.get()).toMatchObject({ report: HEALTH, error: null });
  });
});

describe('a repair', () => {
  test('shows the difference first, is made once, and can be undone', async () => {
    const slow = gate();
    const { model, world, bridge } = await onPage();
    model.health.propose();
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'repair', ids: null, count: 1, working: false });
    expect(model.dialogs.view.get()).toMatchObject({ difference: { removed: [{ key: 'old' }] } });
    expect(asked(bridge, 'repair')).toBe(0);
    world.delay = (name) => (name === 'repair' ? slow.closed : undefined);
    const done = model.health.repair();
    await model.health.repair();
    slow.open();
    await done;
    expect(bridge.asked.filter(([name]) => name === 'repair')).toEqual([['repair', null]]);
    expect(model.dialogs.view.get()).toBeNull();
    expect(model.toasts.view.get().at(-1)?.text).toBe('Repaired: 1 entry removed.');
    expect(model.health.view.get().report).toMatchObject({ total: 1, last: { difference: {} } });

    await model.health.undo();
    expect(model.health.view.get().report?.last).toBeNull();
    expect(model.toasts.view.get().at(-1)?.text).toBe('Undone: 1 entry removed.');
  });

  test('of one finding names it; of one that can’t be repaired there is none', async () => {
    const { model } = await onPage();
    model.health.propose([HEALTH.findings[0]!]);
    expect(model.dialogs.view.get()).toBeNull();
    model.health.propose([HEALTH.findings[1]!]);
    expect(model.dialogs.view.get()).toMatchObject({ ids: ['finding-2'], count: 1 });
  });

  test('that was refused changes nothing, and says so', async () => {
    const error = { code: 'vault_read_only', message: 'It can’t be written.' };
    const { model, world } = await onPage();
    world.failing.set('repair', error).set('undoRepair', error);
    model.health.propose();
    await model.health.repair();
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'failure', title: 'Nothing was repaired', error });
    model.dialogs.close();
    await model.health.undo();
    expect(model.dialogs.view.get()).toMatchObject({
      kind: 'failure',
      title: 'The repair could not be undone',
    });
  });
});

test('findings are shown by kind, in the order they come in', () => {
  expect(
    groupFindings([...HEALTH.findings, HEALTH.findings[0]!]).map(({ title, findings }) => [
      title,
      findings.length,
    ]),
  ).toEqual([
    ['Entries a library can’t read', 2],
    ['Superseded refresh tokens', 1],
  ]);
});

test('an entity that two findings are about is named once', () => {
  const [, shadowed] = HEALTH.findings;
  expect(differenceOf([shadowed!, { ...shadowed!, id: 'another' }]).removed).toHaveLength(1);
});

test.each([
  [{ removed: 0, added: 0, changed: 0 }, 'nothing left to repair'],
  [{ removed: 1, added: 0, changed: 0 }, '1 entry removed'],
  [{ removed: 3, added: 1, changed: 2 }, '3 entries removed, 2 changed and 1 added'],
])('%j: %s', ({ removed, added, changed }, words) => {
  const entity = (index: number) => ({ type: 'Account' as const, key: String(index) });
  const list = (length: number) => Array.from({ length }, (_, index) => entity(index));
  const difference = {
    removed: list(removed),
    added: list(added),
    changed: list(changed).map((one) => ({ entity: one, fields: ['realm'] })),
  };
  expect(differenceWords(difference)).toBe(words);
});

test('an entity in a line, with what others wrote made visible', () => {
  expect(
    entityWords({
      type: 'RefreshToken',
      key: 'k',
      home_account_id: '0123456789abcdef',
      client_id: 'my\u202eapp',
      environment: 'login.windows.net',
    }),
  ).toEqual({ what: 'Refresh token', details: '0123456789abcdef · app my⟨U+202E⟩app · login.windows.net' });
});

test('the number of findings that can be repaired is a sentence, also for one', () => {
  const start = (total: number, repairable: number) => repairText({ total, repairable }).split(' be ')[0];
  expect(start(1, 1)).toBe('It can');
  expect(start(4, 4)).toBe('All can');
  expect(start(4, 3)).toBe('3 can');
  expect(start(1, 0)).toBe('It can’t');
  expect(start(4, 0)).toBe('None can');
});
