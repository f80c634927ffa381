import { describe, expect, test } from 'vitest';
import { strength, suggestion, SHORTEST } from '../../src-renderer/state/passphrase.ts';
import { assertStrong } from '../../src-main/keychain/passphrase-strength.ts';
import { gate, random, stage } from './fake/model.ts';
import { REPORT } from './fake/worlds.ts';
import { settled } from './fake/time.ts';

describe('a verification', () => {
  test('is one, says how far it is, and when it was', async () => {
    const slow = gate();
    const { model, world, bridge, time } = await stage();
    world.delay = (name) => (name === 'verify' ? slow.closed : undefined);
    const { maintenance } = model;
    const first = maintenance.verify();
    await maintenance.verify();
    expect(maintenance.view.get().verifying).toEqual({ done: 0, of: 0 });
    bridge.emit('verifying', { done: 500, of: 900 });
    expect(maintenance.view.get().verifying).toEqual({ done: 500, of: 900 });
    slow.open();
    await first;
    expect(maintenance.view.get()).toMatchObject({
      verifying: null,
      verified: { report: REPORT, at: Math.floor(time.now() / 1000) },
    });
    bridge.emit('verifying', { done: 900, of: 900 }); // progress of another window's verification
    expect(maintenance.view.get().verifying).toBeNull();
    expect(bridge.asked.filter(([name]) => name === 'verify')).toHaveLength(1);
  });

  test('that could not be made says why', async () => {
    const error = { code: 'not_served', message: 'Not now.' };
    const { model, world } = await stage();
    world.failing.set('verify', error);
    await model.maintenance.verify();
    expect(model.maintenance.view.get()).toMatchObject({ verifying: null, verified: null, error });
  });
});

test('compacting says what was gained', async () => {
  const { model } = await stage();
  await model.maintenance.compact();
  expect(model.toasts.view.get()[0]?.text).toBe('Compacted from 61 kB to 40 kB.');
});

test('deleting the vault says what became of its key; nothing where the user declined', async () => {
  const { model, world } = await stage();
  world.consents = false;
  await model.maintenance.forget();
  expect(model.toasts.view.get()).toEqual([]);
  world.consents = true;
  await model.maintenance.verify();
  await model.maintenance.forget();
  expect(model.toasts.view.get()[0]?.text).toBe('Vault deleted, and its encryption key too.');
  expect(model.maintenance.view.get()).toMatchObject({ deleting: false, verified: null });
});

describe('a new key', () => {
  test('is asked for once, and has a receipt', async () => {
    const slow = gate();
    const { model, world, bridge } = await stage();
    await model.maintenance.rotateKey(); // does nothing without its dialog
    model.dialogs.open({ kind: 'rotate-key', working: false, receipt: null });
    world.delay = (name) => (name === 'rotateKey' ? slow.closed : undefined);
    const done = model.maintenance.rotateKey();
    await model.maintenance.rotateKey();
    expect(model.dialogs.view.get()).toMatchObject({ working: true });
    slow.open();
    await done;
    expect(model.dialogs.view.get()).toMatchObject({
      kind: 'rotate-key',
      working: false,
      receipt: { slot: 'b', oldKey: 'destroyed' },
    });
    expect(bridge.asked.filter(([name]) => name === 'rotateKey')).toHaveLength(1);
  });

  test('that was refused is said in main’s words', async () => {
    const error = { code: 'vault_locked', message: 'The keychain is locked.' };
    const { model, world } = await stage();
    world.failing.set('rotateKey', error);
    model.dialogs.open({ kind: 'rotate-key', working: false, receipt: null });
    await model.maintenance.rotateKey();
    expect(model.dialogs.view.get()).toMatchObject({ kind: 'failure', error });
  });
});

describe('an export', () => {
  const asking = { kind: 'export' as const, working: false, error: null, receipt: null };

  test('goes to main with its passphrase, which the state never holds', async () => {
    const { model, bridge } = await stage();
    model.dialogs.open(asking);
    const states: string[] = [];
    model.dialogs.view.subscribe(() => states.push(JSON.stringify(model.dialogs.view.get())));
    await model.maintenance.exportAll('correct horse battery');
    expect(bridge.asked.at(-1)).toEqual(['exportAll', 'correct horse battery']);
    expect(model.dialogs.view.get()).toMatchObject({ receipt: { accounts: 5, tokens: 23 } });
    expect(states.join()).not.toContain('battery');
  });

  test('whose place was not chosen, or that failed, can be tried again', async () => {
    const { model, world } = await stage('main', { consents: false });
    model.dialogs.open(asking);
    await model.maintenance.exportAll('correct horse battery');
    expect(model.dialogs.view.get()).toEqual(asking);
    const error = { code: 'disk_full', message: 'The disk is full.' };
    world.failing.set('exportAll', error);
    await model.maintenance.exportAll('correct horse battery');
    expect(model.dialogs.view.get()).toEqual({ ...asking, error });
    await settled();
  });
});

describe('the strength of a passphrase', () => {
  test.each([
    ['', 'empty'],
    ['Tr0ub4dor&3', 'short'],
    ['password1234', 'weak'],
    ['aaaaaaaaaaaaaaaaaaaa', 'weak'],
    ['correct horse battery', 'weak'], // three words are 39 bits
    ['correct horse horse horse horse horse', 'weak'],
    ['correct horse battery staple', 'fair'],
    ['orbit velvet canyon mustard ladder pilot', 'strong'],
    ['kq2xlmw7tbzr', 'fair'],
    ['v9#Kq2!xLm7$Rt5&Wz', 'strong'],
    ['十二文字以上の合言葉にする', 'strong'],
  ])('%j is %s', (passphrase, level) => {
    expect(strength(passphrase).level).toBe(level);
  });

  test('[Note: passphrase rule] what main refuses as too short is never called more than that', () => {
    for (let length = 1; length <= 20; length += 1) {
      const passphrase = 'qzWx7#mK2pLr9!vBt5Yh'.slice(0, length);
      const refused = length < SHORTEST;
      expect(strength(passphrase).level === 'short').toBe(refused);
      if (refused) expect(() => assertStrong(passphrase)).toThrow('fewer than');
      else expect(() => assertStrong(passphrase)).not.toThrow();
    }
  });

  test('a suggestion is strong, and made to be written down', () => {
    const made = suggestion(random);
    expect(made).toBe('01234-56789-abcde-fghjk-mnpqr');
    const drawn = suggestion((length) => Uint8Array.from({ length }, (_, index) => (index * 167 + 31) % 256));
    expect(drawn).toMatch(/^([0-9a-hjkmnp-tv-z]{5}-){4}[0-9a-hjkmnp-tv-z]{5}$/);
    expect(strength(drawn).level).toBe('strong');
    expect(() => assertStrong(made)).not.toThrow();
  });
});
