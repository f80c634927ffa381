import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Keychain, KeychainError, memoryKeychain } from '../../src-main/index.ts';
import { KeychainTimeoutError } from '../../src-main/errors.ts';
import { guardKeychain } from '../../app/keychain-guard.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const marker = () => join(temporaryFolder(), 'made when missing', 'keychain-asked');

/** A keychain whose answers a test gives. */
function slowKeychain() {
  const answers: { resolve: (value: string | null) => void; reject: (error: Error) => void }[] = [];
  const ask = () => new Promise<string | null>((resolve, reject) => answers.push({ resolve, reject }));
  const keychain: Keychain = {
    get: ask,
    set: () => ask().then(() => undefined),
    delete: () => ask().then(() => undefined),
  };
  return { keychain, answers };
}

it('leaves a marker for as long as a question is open', async () => {
  const file = marker();
  const { keychain, answers } = slowKeychain();
  const guard = guardKeychain(keychain, file);
  expect(existsSync(file)).toBe(false);
  const first = guard.get('s', 'a');
  const second = guard.set('s', 'a', 'secret');
  expect(existsSync(file)).toBe(true);
  expect(guard.asking).toBe(true);
  answers[0]?.resolve('answer');
  expect(await first).toBe('answer');
  expect(existsSync(file)).toBe(true);
  answers[1]?.reject(new KeychainError('keychain_locked', 'locked'));
  await expect(second).rejects.toThrow('locked');
  expect(existsSync(file)).toBe(false);
  expect(guard.asking).toBe(false);
});

it('leaves it after a timeout, until the call has come back', async () => {
  const file = marker();
  const { keychain, answers } = slowKeychain();
  const guard = guardKeychain(keychain, file);
  const asked = guard.get('s', 'a');
  let comeBack = (): void => undefined;
  answers[0]?.reject(new KeychainTimeoutError('slow', new Promise<void>((resolve) => (comeBack = resolve))));
  await expect(asked).rejects.toThrow('slow');
  expect(existsSync(file)).toBe(true);
  expect(guard.asking).toBe(true);
  comeBack();
  await new Promise((resolve) => setImmediate(resolve));
  expect(existsSync(file)).toBe(false);
});

it('does not call the keychain after a crash until the user allows it (failure 24)', async () => {
  const file = join(temporaryFolder(), 'keychain-asked');
  writeFileSync(file, '');
  const keychain = memoryKeychain();
  await keychain.set('s', 'a', 'secret');
  const guard = guardKeychain(keychain, file);
  expect(guard.crashed).toBe(true);
  await expect(guard.get('s', 'a')).rejects.toMatchObject({ code: 'keychain_unavailable' });
  guard.end(); // quitting without a retry changes nothing: the next start says so again
  expect(existsSync(file)).toBe(true);
  guard.allow();
  expect(await guard.get('s', 'a')).toBe('secret');
  expect(guard.crashed).toBe(false);
  expect(existsSync(file)).toBe(false);
});

it('does not report a crash after a normal exit', () => {
  const file = marker();
  const { keychain } = slowKeychain();
  const guard = guardKeychain(keychain, file);
  void guard.get('s', 'a');
  guard.end();
  expect(existsSync(file)).toBe(false);
  void guard.set('s', 'a', 'secret'); // as the vault does while it is closed
  expect(existsSync(file)).toBe(false);
  expect(guard.asking).toBe(true);
});

it('does not report a crash if the exit itself asked the keychain, and the process was ended before the answer', () => {
  const file = marker();
  const guard = guardKeychain(slowKeychain().keychain, file);
  guard.end();
  void guard.set('s', 'a', 'secret');
  expect(existsSync(file)).toBe(false);
});

it('loses no answer and ends in order where a folder is in the place of the marker', async () => {
  const file = join(temporaryFolder(), 'keychain-asked');
  mkdirSync(join(file, 'x'), { recursive: true });
  const keychain = memoryKeychain();
  await keychain.set('s', 'a', 'secret');
  const guard = guardKeychain(keychain, file);
  expect(guard.crashed).toBe(false);
  expect(await guard.get('s', 'a')).toBe('secret');
  expect(guard.asking).toBe(false);
  guard.end();
  const { keychain: slow, answers } = slowKeychain();
  const other = guardKeychain(slow, file);
  const refused = other.get('s', 'a');
  void other.get('s', 'b');
  answers[0]?.reject(new KeychainError('keychain_locked', 'locked'));
  await expect(refused).rejects.toThrow('locked');
  expect(other.asking).toBe(true); // the second call
});
