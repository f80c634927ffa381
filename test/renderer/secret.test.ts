import { describe, expect, test } from 'vitest';
import { REVEALED_FOR } from '../../src-renderer/state/secret.ts';
import { TOAST_STAYS } from '../../src-renderer/state/toasts.ts';
import { gate, stage } from './fake/model.ts';
import { settled } from './fake/time.ts';

const MASKED = { phase: 'masked', text: null, hidesAt: null };

describe('a revealed secret', () => {
  test('is not asked for by itself, and is shown when the user said yes', async () => {
    const { model, bridge } = await stage();
    expect(bridge.asked.some(([name]) => name === 'reveal')).toBe(false);
    await model.secret.reveal();
    expect(model.secret.view.get()).toMatchObject({ phase: 'shown' });
    expect(model.secret.view.get().text).toContain('secret-of-ada-orders');
  });

  test('stays masked when the user said no', async () => {
    const { model } = await stage('main', { consents: false });
    await model.secret.reveal();
    expect(model.secret.view.get()).toEqual(MASKED);
  });

  test('hides after 30 s, not before', async () => {
    const { model, time } = await stage();
    await model.secret.reveal();
    await time.pass(REVEALED_FOR - 1);
    expect(model.secret.view.get().phase).toBe('shown');
    await time.pass(1);
    expect(model.secret.view.get()).toEqual(MASKED);
  });

  test('hides when another token, or another account, is looked at', async () => {
    const { model } = await stage();
    await model.secret.reveal();
    model.selection.token('ada-graph');
    expect(model.secret.view.get()).toEqual(MASKED);
    await model.secret.reveal();
    model.selection.account('a002');
    expect(model.secret.view.get()).toEqual(MASKED);
  });

  test('hides when the token is replaced under the same id, and not when the list is loaded again', async () => {
    const { model, bridge, world } = await stage();
    await model.secret.reveal();
    bridge.emit('change', null);
    await settled();
    expect(model.secret.view.get().phase).toBe('shown');
    const { tokenId } = model.selection.view.get();
    const shown = world.members[0]!.tokens.find(({ id }) => id === tokenId)!;
    shown.cached_at = (shown.cached_at ?? 0) + 60;
    bridge.emit('change', null);
    await settled();
    expect(model.selection.view.get().tokenId).toBe(tokenId);
    expect(model.secret.view.get()).toEqual(MASKED);
  });

  test('hides when the screen locks', async () => {
    const { model, bridge } = await stage();
    await model.secret.reveal();
    bridge.emit('lock' as never, null as never);
    expect(model.secret.view.get()).toEqual(MASKED);
  });

  test('does not appear under another token when the answer comes late', async () => {
    const slow = gate();
    const { model, world } = await stage();
    world.delay = (name) => (name === 'reveal' ? slow.closed : undefined);
    const asked = model.secret.reveal();
    expect(model.secret.view.get().phase).toBe('asking');
    model.selection.token('ada-graph');
    slow.open();
    await asked;
    expect(model.secret.view.get()).toEqual(MASKED);
  });

  test('nor when one has come back to the same token meanwhile', async () => {
    const slow = gate();
    const { model, world } = await stage();
    world.delay = (name) => (name === 'reveal' ? slow.closed : undefined);
    const asked = model.secret.reveal();
    model.selection.token('ada-graph');
    model.selection.token('ada-orders');
    slow.open();
    await asked;
    expect(model.secret.view.get()).toEqual(MASKED);
  });

  test('a second reveal begins its own 30 s', async () => {
    const { model, time } = await stage();
    await model.secret.reveal();
    await time.pass(20_000);
    model.secret.hide();
    await model.secret.reveal();
    await time.pass(20_000);
    expect(model.secret.view.get().phase).toBe('shown');
  });

  test('a failure is said in a dialog', async () => {
    const { model, world } = await stage();
    world.failing.set('reveal', { code: 'vault_locked', message: 'Locked.' });
    await model.secret.reveal();
    expect(model.secret.view.get()).toEqual(MASKED);
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'failure', error: { message: 'Locked.' } });
  });
});

describe('a copied token', () => {
  const texts = (toasts: readonly { text: string }[]) => toasts.map(({ text }) => text);

  test('counts down to when it leaves, and says when it has left', async () => {
    const { model, time, bridge } = await stage();
    const copiedAt = time.now();
    await model.secret.copy();
    expect(model.toasts.view.get()).toMatchObject([{ text: 'Token copied.', until: copiedAt + 30_000 }]);
    await time.pass(30_000);
    bridge.emit('clipboardCleared', null);
    expect(texts(model.toasts.view.get())).toEqual(['The token was cleared from the clipboard.']);
    await time.pass(TOAST_STAYS);
    expect(model.toasts.view.get()).toEqual([]);
  });

  test('another copy takes the place of the first countdown', async () => {
    const { model, time } = await stage();
    await model.secret.copy();
    await time.pass(5000);
    await model.secret.copy();
    expect(model.toasts.view.get()).toHaveLength(1);
  });

  test('nothing is said when the user said no, nor when the clipboard holds something else by then', async () => {
    const { model, time, world } = await stage();
    await model.secret.copy();
    await time.pass(32_000); // no event from main: the clipboard held something else by then
    expect(model.toasts.view.get()).toEqual([]);
    world.consents = false;
    await model.secret.copy();
    expect(model.toasts.view.get()).toEqual([]);
  });

  test('in other forms is made by main, and says which', async () => {
    const { model, bridge } = await stage();
    await model.secret.copy('curl');
    expect(bridge.asked.at(-1)).toEqual(['copy', 'ada-orders', 'curl']);
    expect(texts(model.toasts.view.get())).toEqual(['curl command copied.']);
    await model.secret.copy('header');
    expect(texts(model.toasts.view.get())).toEqual(['Authorization header copied.']);
  });

  test('no secret passes through the window for it', async () => {
    const { model, bridge } = await stage();
    await model.secret.copy();
    expect(bridge.asked.some(([name]) => name === 'reveal')).toBe(false);
    await settled();
    expect(JSON.stringify(model.toasts.view.get())).not.toContain('secret-of');
  });
});
