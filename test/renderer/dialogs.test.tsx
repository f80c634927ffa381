/** One dialog at a time: what comes late, or from outside the window, takes the place of none. */
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, test, vi } from 'vitest';
import type { SignInProgress } from '../../app/contract.ts';
import { ModelContext } from '../../src-renderer/parts/hooks.ts';
import { Dialogs, dialogContents } from '../../src-renderer/screens/Dialogs.tsx';
import type { Model } from '../../src-renderer/state/model.ts';
import { gate, type Stage, stage } from './fake/model.ts';
import { PROFILE, signInWorld } from './fake/sign-in.ts';
import { settled } from './fake/time.ts';
import { PLAN } from './fake/worlds.ts';

/** The keys under which the contents of dialogs were drawn. React keeps what was typed while the key stays. */
const drawn: unknown[] = [];

vi.mock('react/jsx-dev-runtime', async (original) => {
  const runtime = await original<{ jsxDEV: (...all: unknown[]) => unknown }>();
  return {
    ...runtime,
    jsxDEV(type: unknown, props: unknown, key: unknown, ...others: unknown[]) {
      if (typeof type === 'function' && type.name === 'DialogContents') drawn.push(key);
      return runtime.jsxDEV(type, props, key, ...others);
    },
  };
});

const kindOf = (model: Model) => model.dialogs.view.get()?.kind ?? null;
const EXPORT = { kind: 'export', working: false, error: null, receipt: null } as const;
const LOCKED = { id: 'locked-1', fileName: 'a.age', bytes: 1200, locked: true as const };
const ERROR = { code: 'provider_unreachable', message: 'id.example did not answer.' };

/** A receipt of several places, which can be undone. */
async function receipt() {
  const staged = await stage('sources-few');
  const { model, world } = staged;
  await model.signOut.one('a001');
  await model.signOut.confirm();
  await settled();
  const dialog = model.dialogs.view.get();
  if (dialog?.kind !== 'receipt') throw new Error('No receipt.');
  world.signIn.receipts = [{ ...dialog.report, keptInVault: true }];
  return { ...staged, dialog };
}

describe('a dialog that holds something stays open', () => {
  test('while a second start brings a file: the last one that can still be imported follows', async () => {
    const { model, bridge, dialog, time } = await receipt();
    bridge.emit('importReading', { fileName: 'a.json', bytes: 1 });
    await time.pass(1000);
    bridge.emit('importPlanned', PLAN);
    bridge.emit('importPlanned', { ...PLAN, id: 'plan-2' });
    bridge.emit('importFailed', { code: 'document_unreadable', message: 'No such file.' });
    expect(model.dialogs.view.get()).toBe(dialog);
    model.signOut.done();
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'import-plan', plan: { id: 'plan-2' } });
    model.importing.cancel();
    expect(kindOf(model)).toBe('failure');
    model.dialogs.close();
    expect(kindOf(model)).toBeNull();
  });

  test('while accounts are refreshed, and while another action fails', async () => {
    const { model, world } = await stage();
    world.failing.set('refreshUnasked', ERROR);
    world.failing.set('saveList', ERROR);
    world.failing.set('openSource', ERROR);
    const refreshing = model.refreshStatus.refreshSeveral(['a001', 'a002']);
    const opening = model.sources.open('az');
    model.dialogs.open(EXPORT);
    await Promise.all([refreshing, opening]);
    expect(model.dialogs.view.get()).toBe(EXPORT);
    model.dialogs.close();
    const then = [kindOf(model)];
    model.dialogs.close();
    expect([...then, kindOf(model)].sort()).toEqual(['failure', 'not-refreshed']);
    model.dialogs.close();
    expect(kindOf(model)).toBeNull();
  });

  test('while the names of the apps of a sign-out are loaded: it is open from the start', async () => {
    const slow = gate();
    const { model, world, bridge } = await stage();
    world.delay = (name) => (name === 'tokens' ? slow.closed : undefined);
    const leaving = model.signOut.several(['a001', 'a002']);
    expect(kindOf(model)).toBe('sign-out');
    bridge.emit('importPlanned', PLAN);
    slow.open();
    await leaving;
    expect(kindOf(model)).toBe('sign-out');
    model.dialogs.close();
    expect(kindOf(model)).toBe('import-plan');
  });
});

describe('a sign-in whose dialog was replaced', () => {
  const hear = ({ bridge }: Stage, progress: SignInProgress) =>
    bridge.emit('signIn' as never, progress as never);

  test('is shown after the other dialog, with its failure', async () => {
    const staged = await stage();
    const { model } = staged;
    model.dialogs.open(EXPORT);
    hear(staged, { step: 'browser', profile: PROFILE });
    hear(staged, { step: 'failed', profile: PROFILE, way: 'browser', error: ERROR });
    expect(kindOf(model)).toBe('export');
    model.dialogs.close();
    expect(kindOf(model)).toBe('signing-in');
    model.signIn.cancel();
    expect(kindOf(model)).toBeNull();
  });

  test('is not shown again after it was cancelled', async () => {
    const staged = await stage('main', { signIn: signInWorld({ profiles: [PROFILE] }) });
    const { model } = staged;
    model.signIn.open();
    hear(staged, { step: 'browser', profile: PROFILE });
    void model.signIn.begin(PROFILE.id, 'browser');
    expect(kindOf(model)).toBe('signing-in');
    model.signIn.cancel();
    expect(kindOf(model)).toBeNull();
  });

  test('is closed when main says that it has ended, if a late report opened it after the user had cancelled', async () => {
    const staged = await stage();
    const { model } = staged;
    hear(staged, { step: 'browser', profile: PROFILE });
    model.signIn.cancel();
    hear(staged, { step: 'browser', profile: PROFILE });
    hear(staged, { step: 'none' });
    expect(kindOf(model)).toBeNull();
  });

  test('is not shown if it has ended meanwhile', async () => {
    const staged = await stage();
    const { model } = staged;
    model.dialogs.open(EXPORT);
    hear(staged, { step: 'browser', profile: PROFILE });
    hear(staged, { step: 'none' });
    model.dialogs.close();
    expect(kindOf(model)).toBeNull();
  });
});

describe('a receipt', () => {
  test.each(['undo', 'check'] as const)(
    'is not closed, undone or checked while it is at work: %s',
    async (work) => {
      const slow = gate();
      const { model, bridge, world } = await receipt();
      world.delay = (name) => (/^(undo|check)SignOut$/.test(name) ? slow.closed : undefined);
      const first = model.signOut[work]();
      expect(model.dialogs.view.get()).toMatchObject({ working: work });
      await model.signOut.undo();
      await model.signOut.check();
      model.signOut.done();
      slow.open();
      await first;
      expect(
        bridge.asked.filter(([name]) => /^(undoSignOut|checkSignOut|signOutDone)$/.test(name)),
      ).toHaveLength(1);
      expect(model.dialogs.view.get()).toMatchObject({
        kind: 'receipt',
        working: null,
        report: { keptInVault: true },
      });
    },
  );

  test('is not opened again by an answer that comes after it was closed', async () => {
    const slow = gate();
    const { model, world } = await receipt();
    world.delay = (name) => (name === 'checkSignOut' ? slow.closed : undefined);
    const checking = model.signOut.check();
    model.dialogs.close();
    slow.open();
    await checking;
    expect(kindOf(model)).toBeNull();
  });

  test('comes back after an undo that failed, with what is back so far, so that the rest can be undone', async () => {
    const { model, world, dialog } = await receipt();
    const [before] = world.signIn.receipts;
    const back = { id: 'az', name: 'Azure CLI', file: 'a', result: 'still' as const, says: 'Undone.' };
    const report = { ...before!, places: [back] };
    world.signIn.receipts = [{ ...report, id: 'another', places: [] }, report];
    world.failing.set('undoSignOut', { code: 'source_busy', message: 'Azure CLI is running.' });
    await model.signOut.undo();
    expect(kindOf(model)).toBe('failure');
    model.dialogs.close();
    expect(model.dialogs.view.get()).toEqual({ ...dialog, report });
    world.failing.set('signOuts', ERROR); // the receipt is then shown as it was
    await model.signOut.undo();
    model.dialogs.close();
    expect(model.dialogs.view.get()).toEqual({ ...dialog, report });
  });
});

describe('what was typed', () => {
  const draw = (model: Model) => {
    drawn.splice(0);
    renderToStaticMarkup(
      <ModelContext value={model}>
        <Dialogs />
      </ModelContext>,
    );
    return drawn[0];
  };

  test('as the passphrase of one file is not kept for the next one, but after a wrong one', async () => {
    await dialogContents.load();
    const { model, bridge, world } = await stage();
    bridge.emit('importPlanned', LOCKED);
    const first = draw(model);
    world.failing.set('unlockImport', { code: 'passphrase_wrong', message: 'It does not open the file.' });
    await model.importing.unlock('x');
    expect(model.dialogs.view.get()).toMatchObject({ error: { code: 'passphrase_wrong' } });
    expect(draw(model)).toBe(first);
    bridge.emit('importPlanned', { ...LOCKED, id: 'locked-2' });
    const second = draw(model);
    expect(second).not.toBe(first);
    // One that waited follows in the same moment.
    model.dialogs.later(() => ({
      kind: 'import-locked',
      file: LOCKED,
      restores: false,
      opening: false,
      error: null,
    }));
    model.dialogs.close();
    expect(kindOf(model)).toBe('import-locked');
    expect(draw(model)).not.toBe(second);
  });
});
