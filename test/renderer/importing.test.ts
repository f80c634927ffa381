import { describe, expect, test } from 'vitest';
import {
  imported,
  intoEmpty,
  isNothingNew,
  planLines,
  planNames,
  READING_AFTER,
} from '../../src-renderer/state/importing.ts';
import { PLAN } from './fake/worlds.ts';
import { gate, stage } from './fake/model.ts';
import { settled } from './fake/time.ts';

const file = (name = 'cache.json') => new File(['{}'], name);

describe('an import', () => {
  test('by the file dialog: the plan is shown, nothing is merged yet', async () => {
    const { model, bridge } = await stage();
    await model.importing.choose();
    expect(model.dialogs.view.get()).toEqual({
      kind: 'import-plan',
      plan: PLAN,
      restores: false,
      merging: false,
    });
    expect(bridge.asked.some(([name]) => name === 'confirmImport')).toBe(false);
  });

  test('dismissed in the file dialog: nothing is shown', async () => {
    const { model } = await stage('main', { consents: false });
    await model.importing.choose();
    expect(model.dialogs.view.get()).toBeNull();
  });

  test('confirmed: merged once, however often it is asked; then a toast', async () => {
    const slow = gate();
    const { model, bridge, world } = await stage();
    await model.importing.choose();
    world.delay = (name) => (name === 'confirmImport' ? slow.closed : undefined);
    const confirmed = model.importing.confirm();
    await model.importing.confirm();
    expect(model.dialogs.view.get()).toMatchObject({ merging: true });
    model.importing.cancel(); // too late: it is under way
    expect(model.dialogs.view.get()).toMatchObject({ merging: true });
    slow.open();
    await confirmed;
    expect(bridge.asked.filter(([name]) => name === 'confirmImport' || name === 'cancelImport')).toEqual([
      ['confirmImport', 'plan-1'],
    ]);
    expect(model.dialogs.view.get()).toBeNull();
    expect(model.toasts.view.get()[0]?.text).toBe(
      'Imported msal_token_cache.json: 2 accounts added, 8 tokens added, 1 token replaced.',
    );
  });

  test('cancelled: main is notified', async () => {
    const { model, bridge } = await stage();
    await model.importing.choose();
    model.importing.cancel();
    await settled();
    expect(model.dialogs.view.get()).toBeNull();
    expect(bridge.asked.at(-1)).toEqual(['cancelImport', 'plan-1']);
  });

  describe('of a file that needs a passphrase', () => {
    const LOCKED = { id: 'locked-1', fileName: 'export.age', bytes: 1200, locked: true as const };

    test('is opened with it, once however often it is asked; then as any other', async () => {
      const slow = gate();
      const { model, bridge, world } = await stage('main', { plan: LOCKED });
      await model.importing.choose();
      expect(model.dialogs.view.get()).toMatchObject({ kind: 'import-locked', file: LOCKED, opening: false });
      await model.importing.unlock('');
      world.delay = (name) => (name === 'unlockImport' ? slow.closed : undefined);
      const opened = model.importing.unlock('correct horse');
      await model.importing.unlock('correct horse');
      model.importing.cancel(); // too late: it is under way
      expect(model.dialogs.view.get()).toMatchObject({ opening: true });
      slow.open();
      await opened;
      expect(model.dialogs.view.get()).toMatchObject({ kind: 'import-plan', plan: PLAN });
      expect(bridge.asked.filter(([name]) => name === 'unlockImport' || name === 'cancelImport')).toEqual([
        ['unlockImport', 'locked-1', 'correct horse'],
      ]);
    });

    test('asks again after a wrong one, and keeps no passphrase', async () => {
      const error = { code: 'passphrase_wrong', message: 'It does not open the file.' };
      const { model, bridge, world } = await stage('main', { plan: LOCKED });
      await model.importing.choose();
      world.failing.set('unlockImport', error);
      await model.importing.unlock('battery staple');
      expect(model.dialogs.view.get()).toEqual({
        kind: 'import-locked',
        file: LOCKED,
        restores: false,
        opening: false,
        error,
      });
      expect(JSON.stringify(model.dialogs.view.get())).not.toContain('battery');
      world.failing.set('unlockImport', { code: 'document_damaged', message: 'It was cut off.' });
      expect(bridge.asked.map(([name]) => name)).not.toContain('cancelImport');
      await model.importing.unlock('battery staple');
      expect(model.dialogs.view.get()).toMatchObject({ kind: 'failure' });
      expect(bridge.asked.at(-1)).toEqual(['cancelImport', 'locked-1']);
    });

    test('cancelled: main is notified', async () => {
      const { model, bridge } = await stage('main', { plan: LOCKED });
      await model.importing.choose();
      model.importing.cancel();
      expect(model.dialogs.view.get()).toBeNull();
      expect(bridge.asked.at(-1)).toEqual(['cancelImport', 'locked-1']);
    });
  });

  describe('that restores a vault that can’t be opened', () => {
    const LOCKED = { id: 'locked-1', fileName: 'export.age', bytes: 1200, locked: true as const };
    const changing = (asked: readonly (readonly unknown[])[]) =>
      asked.map(([name]) => name).filter((name) => name === 'startFresh' || name === 'confirmImport');

    test('sets the file aside only when the opened export is confirmed', async () => {
      const { model, bridge } = await stage('key-missing', { plan: LOCKED });
      model.dialogs.open({ kind: 'start-fresh', restore: true });
      await model.importing.restore();
      await model.importing.unlock('correct horse');
      expect(model.dialogs.view.get()).toMatchObject({ kind: 'import-plan', restores: true });
      expect(changing(bridge.asked)).toEqual([]);
      await model.importing.confirm();
      expect(changing(bridge.asked)).toEqual(['startFresh', 'confirmImport']);
    });

    test.each([
      ['dismissed in the file dialog', { consents: false }],
      ['of a file that is no export', { plan: { code: 'document_not_json', message: 'It is not JSON.' } }],
    ] as const)('%s: nothing is set aside', async (_what, changes) => {
      const { model, bridge } = await stage('key-missing', changes);
      model.dialogs.open({ kind: 'start-fresh', restore: true });
      await model.importing.restore();
      expect(model.dialogs.view.get()?.kind).toBe('plan' in changes ? 'failure' : undefined);
      expect(changing(bridge.asked)).toEqual([]);
    });

    test('whose file can’t be set aside: nothing is imported', async () => {
      const { model, bridge, world } = await stage('key-missing');
      await model.importing.restore();
      world.failing.set('startFresh', { code: 'disk_full', message: 'The disk is full.' });
      await model.importing.confirm();
      expect(model.dialogs.view.get()).toMatchObject({
        kind: 'failure',
        error: { message: 'The disk is full.' },
      });
      expect(changing(bridge.asked)).toEqual(['startFresh']);
      expect(bridge.asked).toContainEqual(['cancelImport', 'plan-1']); // main need not keep what no dialog can confirm
    });

    test('whose document main has discarded: nothing is set aside', async () => {
      const { model, bridge, world } = await stage('key-missing');
      await model.importing.restore();
      const error = { code: 'invalid_argument', message: 'This import was planned too long ago.' };
      world.failing.set('unlockImport', error);
      await model.importing.confirm();
      expect(model.dialogs.view.get()).toMatchObject({ kind: 'failure', error });
      expect(changing(bridge.asked)).toEqual([]);
    });

    test('is no longer one after another document has replaced it', async () => {
      const { model, bridge } = await stage('key-missing');
      await model.importing.restore();
      bridge.emit('importPlanned', PLAN); // a second start hands it over
      await model.importing.confirm();
      expect(changing(bridge.asked)).toEqual(['confirmImport']);
    });
  });

  test('refused: main’s own sentence, in a dialog', async () => {
    const error = { code: 'document_not_json', message: 'It is not JSON.' };
    const { model } = await stage('main', { plan: error });
    await model.importing.drop([file()]);
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'failure', error });
  });

  test('that fails while it merges: said, and the plan is gone', async () => {
    const { model, bridge, world } = await stage();
    await model.importing.choose();
    world.failing.set('confirmImport', { code: 'disk_full', message: 'The disk is full.' });
    await model.importing.confirm();
    expect(model.dialogs.view.get()).toMatchObject({
      kind: 'failure',
      error: { message: 'The disk is full.' },
    });
    expect(bridge.asked.at(-1)).toEqual(['cancelImport', 'plan-1']);
    expect(model.toasts.view.get()).toEqual([]);
  });

  test('of several dropped files: one dialog after the other, also after a cancel and an error', async () => {
    const { model, bridge, world } = await stage();
    const planned = () => bridge.asked.filter(([name]) => name === 'planImport').map(([, name]) => name);
    await model.importing.drop([]);
    expect(planned()).toEqual([]);
    await model.importing.drop([file('a.json'), file('b.json')]);
    await model.importing.drop([file('c.json'), file('d.json')]);
    expect(planned()).toEqual(['a.json']);
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'import-plan' });
    model.importing.cancel();
    await settled();
    expect(planned()).toEqual(['a.json', 'b.json']);
    world.plan = { code: 'document_not_json', message: 'It is not JSON.' };
    await model.importing.confirm();
    await settled();
    expect(planned()).toEqual(['a.json', 'b.json', 'c.json']);
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'failure' });
    world.plan = PLAN;
    model.dialogs.close();
    await settled();
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'import-plan' });
    await model.importing.confirm();
    await settled();
    expect(model.dialogs.view.get()).toBeNull();
    expect(planned()).toEqual(['a.json', 'b.json', 'c.json', 'd.json']);
  });

  test('of a large document: "Reading…" only where it takes a while, and gone with the plan', async () => {
    const slow = gate();
    const { model, world, time } = await stage();
    world.delay = (name) => (name === 'planImport' ? slow.closed : undefined);
    const dropped = model.importing.drop([file('large.json')]);
    await time.pass(READING_AFTER - 1);
    expect(model.dialogs.view.get()).toBeNull();
    await time.pass(1);
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'import-reading', fileName: 'large.json' });
    slow.open();
    await dropped;
    await time.pass(READING_AFTER);
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'import-plan' });
  });

  test.each([
    ['the plan', [], 'import-plan'],
    ['a refusal', ['chooseImport'], 'failure'],
  ])('of which main says late that it reads: %s stays', async (_what, failing, kind) => {
    const error = { code: 'document_unreadable' as const, message: 'No such file.' };
    const { model, bridge, time } = await stage('main', {
      failing: new Map(failing.map((name) => [name, error])),
    });
    await model.importing.choose();
    expect(model.dialogs.view.get()).toMatchObject({ kind });
    bridge.emit('importReading', { fileName: PLAN.fileName, bytes: PLAN.bytes });
    await time.pass(READING_AFTER);
    expect(model.dialogs.view.get()).toMatchObject({ kind });
    // The next import that main begins is shown again.
    model.dialogs.close();
    bridge.emit('importReading', { fileName: 'other.json', bytes: 1 });
    await time.pass(READING_AFTER);
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'import-reading', fileName: 'other.json' });
  });

  test('begun by the menu or the command line, and one that takes the place of another', async () => {
    const { model, bridge } = await stage();
    bridge.emit('importPlanned', PLAN);
    bridge.emit('importPlanned', { ...PLAN, id: 'plan-2' });
    expect(model.dialogs.view.get()).toMatchObject({ plan: { id: 'plan-2' } });
    expect(bridge.asked.at(-1)).toEqual(['cancelImport', 'plan-1']);
    bridge.emit('importFailed', { code: 'document_unreadable', message: 'No such file.' });
    expect(model.dialogs.view.get()).toMatchObject({ plan: { id: 'plan-2' } });
    model.importing.cancel();
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'failure', error: { message: 'No such file.' } });
  });

  test('that fails again and again while another dialog is open: one failure follows, the last', async () => {
    const { model, bridge } = await stage();
    model.dialogs.open({ kind: 'export', working: false, error: null, receipt: null });
    bridge.emit('importFailed', { code: 'document_unreadable', message: 'No such file.' });
    bridge.emit('importFailed', { code: 'document_not_json', message: 'It is not JSON.' });
    model.dialogs.close();
    expect(model.dialogs.view.get()).toMatchObject({
      kind: 'failure',
      error: { message: 'It is not JSON.' },
    });
    model.dialogs.close();
    expect(model.dialogs.view.get()).toBeNull();
  });
});

test('what a plan says', () => {
  expect(planLines(PLAN).map(({ text }) => text)).toEqual([
    '2 new accounts',
    '1 account already in the vault',
    '8 new tokens',
    '1 token replaced by a newer one',
    '3 tokens already in the vault',
    '2 access tokens already expired',
    '2 entries not understood, kept unchanged',
  ]);
  const none = {
    ...PLAN,
    accounts: { added: 0, known: 0, names: [] },
    tokens: { added: 0, replaced: 0, unchanged: 0, expired: 0 },
    notUnderstood: 0,
  };
  expect(planLines(none)).toEqual([{ text: 'Nothing: the document is empty', soft: true }]);
  expect(planNames(none)).toBe('');
  expect([isNothingNew(none), isNothingNew(PLAN)]).toEqual([true, false]);
  expect(isNothingNew({ ...none, accounts: { added: 0, known: 3, names: [] } })).toBe(true);
  expect(isNothingNew({ ...none, notUnderstood: 1 })).toBe(false);
});

test('into an empty vault, everything is new that the document has', () => {
  expect(planLines(intoEmpty(PLAN)).map(({ text }) => text)).toEqual([
    '3 new accounts',
    '12 new tokens',
    '2 access tokens already expired',
    '2 entries not understood, kept unchanged',
  ]);
});

test('whose accounts they are, also where main sends only the first names', () => {
  expect(planNames(PLAN)).toBe('Ada Marsh, noor@contoso.example and Emil Lund');
  expect(planNames({ ...PLAN, accounts: { added: 10_000, known: 0, names: ['a', 'b'] } })).toBe(
    'a, b and 9,998 more',
  );
});

test.each([
  [
    { accountsAdded: 0, tokensAdded: 0, tokensReplaced: 0, notUnderstood: 0 },
    'Imported a.json: nothing new.',
  ],
  [
    { accountsAdded: 1, tokensAdded: 0, tokensReplaced: 2, notUnderstood: 1 },
    'Imported a.json: 1 account added, 2 tokens replaced, 1 entry not understood, kept unchanged.',
  ],
])('%o', (report, words) => expect(imported('a.json', report)).toBe(words));
