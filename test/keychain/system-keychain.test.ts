import { describe, expect, test } from 'vitest';
import { messageForUsers } from '../../src-main/error-code.ts';
import { type KeychainError, KeychainTimeoutError } from '../../src-main/errors.ts';
import { plainError } from '../../src-main/ipc/index.ts';
import { type Keytar, keytarError, loadError } from '../../src-main/keychain/keytar.ts';
import { NativeModuleFailure } from '../../src-main/native-module.ts';
import { systemKeychain } from '../../src-main/keychain/system-keychain.ts';
import { FakeTimers } from '../vault/fakes.ts';

/** Behaves as the real keytar does on a Secret Service. */
class FakeKeytar implements Keytar {
  readonly items = new Map<string, string>();
  readonly calls: string[] = [];
  locked = false;
  /** Every call waits for this promise. */
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
  return systemKeychain({ load: () => Promise.resolve(keytar), deadline: 10_000, timers });
}

test('an absent secret is absent; the canary that showed it is removed', async () => {
  const keytar = new FakeKeytar();
  expect(await keychainOn(keytar).get('s', 'k')).toBeNull();
  expect([...keytar.items]).toEqual([]);
});

test('a locked keychain is distinguished from an absent one', async () => {
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
  test('ends with an error at the deadline, keeps its place in the queue, and its late answer is accepted', async () => {
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
    // By now, another program may have stored its own key there.
    if (error instanceof KeychainTimeoutError) await keychain.get('s', 'k');
    expect(keytar.calls).not.toContain('set other');
  });
});

// Error texts of GLib, libsecret 0.20, GNOME Keyring 42, dbus-daemon, macOS and Windows.
test.each([
  ['Cannot create an item in a locked collection', 'keychain_locked', /Unlock/],
  ['GDBus.Error:org.freedesktop.Secret.Error.IsLocked: The object is locked', 'keychain_locked', /Unlock/],
  ['Secret Service prompt dismissed', 'keychain_locked', /Unlock/],
  ['User interaction is not allowed.', 'keychain_locked', /Unlock/],
  ['User canceled the operation.', 'keychain_locked', /Unlock/],
  ['The user name or passphrase you entered is not correct.', 'keychain_locked', /Unlock/],
  [
    'Object does not exist at path “/org/freedesktop/secrets/collection/login”',
    'keychain_no_collection',
    /default/,
  ],
  [
    'Object does not exist at path “/org/freedesktop/secrets/aliases/default”',
    'keychain_no_collection',
    /default/,
  ],
  ['No such secret collection at path: /', 'keychain_no_collection', /default/],
  ['A default keychain could not be found.', 'keychain_no_collection', /default/],
  ['Rejected send message, 2 matched rules; type="method_call"', 'keychain_refused', /sandbox/],
  [
    'GDBus.Error:org.freedesktop.DBus.Error.AccessDenied: An AppArmor policy prevents this sender from sending this message',
    'keychain_refused',
    /Snap/,
  ],
  ['Could not connect: Permission denied', 'keychain_refused', /rights/],
  ["A required entitlement isn't present.", 'keychain_refused', /entitlement/],
  ['Access is denied.', 'keychain_refused', /rights/],
  ['Couldn’t write the keyring: No space left on device', 'keychain_full', /space/],
  ['Not enough quota is available to process this command.', 'keychain_full', /space/],
  ['Cannot autolaunch D-Bus without X11 $DISPLAY', 'keychain_unavailable', /no D-Bus session.*keyFile/],
  [
    'Unknown or unsupported transport “disabled” for address “disabled:”',
    'keychain_unavailable',
    /no D-Bus session/,
  ],
  ['Could not connect: No such file or directory', 'keychain_unavailable', /socket/],
  [
    'The name org.freedesktop.secrets was not provided by any .service files',
    'keychain_unavailable',
    /KWallet.*keyFile/,
  ],
  [
    'The name :1.7 was not provided by any .service files',
    'keychain_unavailable',
    /restarted.*Restart this program/,
  ],
  ['The session wrapping the secret does not exist', 'keychain_unavailable', /Restart this program/],
  [
    'Message recipient disconnected from message bus without replying',
    'keychain_unavailable',
    /did not reply/,
  ],
  [
    'A specified logon session does not exist. It may already have been terminated.',
    'keychain_unavailable',
    /session/,
  ],
  ['Etwas Unbekanntes', 'keychain_failed', /Check .* settings/],
  [
    'Couldn’t create item: An error occurred on the device',
    'keychain_failed',
    /An error occurred on the device/,
  ],
  // Texts that only resemble a known one: its numbers and words inside others.
  ['item 1-128 of 25293', 'keychain_failed', /settings/],
  ['The service unlocked nothing', 'keychain_failed', /settings/],
  ['Authorization header malformed', 'keychain_failed', /settings/],
  ['', 'keychain_failed', /settings/],
])('%j is %s', (said, code, sentence) => {
  const error = keytarError(new Error(said));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(sentence);
  expect(error.message).toContain('Nothing was changed');
  expect(error.message).toContain(said);
  expectForUsers(error);
  expect(error.outcome).toBe(code === 'keychain_locked' ? 'locked' : 'unavailable');
});

test('the system’s words are quoted on one line, without what could disguise them, and not without end', () => {
  const { message } = keytarError(new Error(`line\n\u202eturned\0${'x'.repeat(1000)}`));
  expect(message).toMatch(/“line turned x{200,300}…”$/);
});

test.each([
  [
    'not-loaded',
    'libsecret-1.so.0: cannot open shared object file',
    'keychain_library_missing',
    /libsecret-1-0/,
  ],
  ['not-loaded', 'invalid ELF header', 'keychain_module_failed', /keytar.*invalid ELF header/],
  ['not-found', "Cannot find module 'keytar'", 'keychain_module_missing', /keytar.*external in your bundler/],
  ['runtime', 'Deno', 'keychain_module_failed', /Deno.*Node\.js/],
] as const)('a native module that is %s (%s): %s', (reason, said, code, sentence) => {
  const error = loadError(new NativeModuleFailure(reason, new Error(said)));
  expect(error).toMatchObject({ code, message: expect.stringMatching(sentence) });
  expectForUsers(error);
});

/** The window and the vault's status leave out what only developers can do, and nothing else. */
function expectForUsers(error: KeychainError): void {
  const shown = messageForUsers(error);
  expect(shown).not.toMatch(/docs\/|\bkeyFile\b|environmentKey|safeStorage|bundler|Developers/);
  expect(shown).toMatch(/ Nothing was changed, and nothing is saved until this is solved\. \S/);
  expect(/“.*”/.exec(shown)?.[0]).toBe(/“.*”/.exec(error.message)?.[0]);
  expect(plainError(error)).toEqual({ code: error.code, message: shown });
}
