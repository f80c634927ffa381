import { describe, expect, test } from 'vitest';
import { KeychainTimeoutError } from '../../src-main/errors.ts';
import { diagnose } from '../../src-main/keychain/diagnosis.ts';
import type { Keytar } from '../../src-main/keychain/keytar.ts';
import { systemKeychain } from '../../src-main/keychain/system.ts';
import { FakeTimers } from '../vault/fakes.ts';

/** As the real one behaves on a Secret Service. */
class FakeKeytar implements Keytar {
  readonly items = new Map<string, string>();
  readonly calls: string[] = [];
  locked = false;
  /** Calls wait for this. */
  gate: Promise<unknown> = Promise.resolve();
  atOnce = 0;
  mostAtOnce = 0;
  before: (call: string) => void = () => undefined;

  getPassword(_service: string, account: string): Promise<string | null> {
    return this.#call(`get ${account}`, () => (this.locked ? null : (this.items.get(account) ?? null)));
  }

  setPassword(_service: string, account: string, password: string): Promise<void> {
    return this.#call(`set ${account}`, () => {
      if (this.locked) throw new Error('Cannot create an item in a locked collection');
      this.items.set(account, password);
    });
  }

  deletePassword(_service: string, account: string): Promise<boolean> {
    return this.#call(`delete ${account}`, () => !this.locked && this.items.delete(account));
  }

  async #call<T>(call: string, act: () => T): Promise<T> {
    this.calls.push(call);
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await this.gate;
    this.before(call);
    this.atOnce -= 1;
    return act();
  }
}

function keychainOn(keytar: FakeKeytar, timers = new FakeTimers()) {
  return systemKeychain({ load: () => Promise.resolve(keytar), patience: 10_000, timers });
}

test('an absent secret is absent; the canary that showed it is removed', async () => {
  const keytar = new FakeKeytar();
  expect(await keychainOn(keytar).get('s', 'k')).toBeNull();
  expect([...keytar.items]).toEqual([]);
});

test('a locked keychain looks absent, and is not taken for it', async () => {
  const keytar = new FakeKeytar();
  keytar.items.set('k', 'kept');
  keytar.locked = true;
  await expect(keychainOn(keytar).get('s', 'k')).rejects.toMatchObject({ code: 'keychain_locked' });
  await expect(keychainOn(keytar).delete('s', 'k')).rejects.toMatchObject({ code: 'keychain_locked' });
  expect(keytar.items.get('k')).toBe('kept');
});

test('a keychain that the canary’s prompt unlocked is asked again', async () => {
  const keytar = new FakeKeytar();
  keytar.items.set('k', 'kept');
  keytar.locked = true;
  keytar.before = (call) => {
    if (call === 'set canary') keytar.locked = false;
  };
  expect(await keychainOn(keytar).get('s', 'k')).toBe('kept');
});

test('what was not kept is noticed', async () => {
  const keytar = new FakeKeytar();
  keytar.before = (call) => {
    if (call === 'get k') keytar.items.set('k', 'cut short');
  };
  await expect(keychainOn(keytar).set('s', 'k', 'whole')).rejects.toMatchObject({
    code: 'keychain_mismatch',
  });
});

test('a secret is overwritten and read back before it is deleted', async () => {
  const keytar = new FakeKeytar();
  keytar.items.set('k', 'old');
  let overwritten: string | undefined;
  keytar.before = (call) => {
    if (call === 'delete k') overwritten = keytar.items.get('k');
  };
  await keychainOn(keytar).delete('s', 'k');
  expect(overwritten).toHaveLength(44);
  expect(keytar.items.has('k')).toBe(false);
  expect(keytar.calls).toEqual(['get k', 'set k', 'get k', 'delete k', 'get k']);
});

test('one native call at a time', async () => {
  const keytar = new FakeKeytar();
  const keychain = keychainOn(keytar);
  await Promise.all([
    keychain.set('s', 'a', '1'),
    keychain.get('s', 'b'),
    keychain.delete('s', 'a'),
    keychain.get('s', 'c'),
  ]);
  expect(keytar.mostAtOnce).toBe(1);
});

describe('a call that hangs', () => {
  test('is told after its time, keeps its place, and its answer comes late', async () => {
    const keytar = new FakeKeytar();
    keytar.items.set('k', 'kept');
    let answer = (): void => undefined;
    keytar.gate = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const timers = new FakeTimers();
    const keychain = keychainOn(keytar, timers);
    const first = keychain.get('s', 'k').catch((error: unknown) => error);
    const behind = keychain.set('s', 'other', 'secret').catch((error: unknown) => error);
    await Promise.resolve();
    expect(timers.fire()).toEqual([10_000, 10_000]);
    const error = await first;
    expect(error).toBeInstanceOf(KeychainTimeoutError);
    expect(await behind).toBeInstanceOf(KeychainTimeoutError);
    expect(keytar.calls).toEqual(['get k']);
    answer();
    if (error instanceof KeychainTimeoutError) expect(await error.answer).toBe('kept');
    // By now another program may have its own key in that place.
    if (error instanceof KeychainTimeoutError) await keychain.get('s', 'k');
    expect(keytar.calls).not.toContain('set other');
  });
});

test.each([
  ['load', 'libsecret-1.so.0: cannot open shared object file', 'keychain_unavailable', /libsecret-1-0/],
  ['load', 'invalid ELF header', 'keychain_unavailable', /keytar/],
  ['read', 'Cannot autolaunch D-Bus without X11 $DISPLAY', 'keychain_unavailable', /no D-Bus session/],
  [
    'read',
    'Unknown or unsupported transport “disabled” for address “disabled:”',
    'keychain_unavailable',
    /no D-Bus session/,
  ],
  ['read', 'Could not connect: No such file or directory', 'keychain_unavailable', /socket/],
  [
    'read',
    'The name org.freedesktop.secrets was not provided by any .service files',
    'keychain_unavailable',
    /KWallet/,
  ],
  [
    'read',
    'The name :1.7 was not provided by any .service files',
    'keychain_unavailable',
    /started anew .* Restart this program/,
  ],
  ['write', 'The session wrapping the secret does not exist', 'keychain_unavailable', /Restart this program/],
  ['write', 'Cannot create an item in a locked collection', 'keychain_locked', /Unlock/],
  ['read', 'User interaction is not allowed.', 'keychain_locked', /Unlock/],
  ['write', 'Etwas Unbekanntes', 'keychain_locked', /Unlock/],
  ['read', 'Etwas Unbekanntes', 'keychain_unavailable', /settings/],
] as const)('%s: "%s"', (attempt, said, code, sentence) => {
  const diagnosis = diagnose(attempt, new Error(said));
  expect(diagnosis.code).toBe(code);
  expect(diagnosis.message).toMatch(sentence);
});
