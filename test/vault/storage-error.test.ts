import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../../src-main/error-code.ts';
import { StorageError } from '../../src-main/errors.ts';
import { keytarError, loadError } from '../../src-main/keychain/keytar.ts';
import { fileError } from '../../src-main/keychain/sealed-items.ts';
import { NativeModuleFailure } from '../../src-main/native-module.ts';
import { storageError } from '../../src-main/vault/disk/storage-error.ts';

const failed = (code: string, syscall = 'open'): Error =>
  Object.assign(new Error(`${code}: refused, ${syscall}`), { code, syscall });

test.each(Object.keys(constants.errno))('%s is told as the file system’s, with its cause', (code) => {
  const error = storageError(failed(code));
  expect(error).toBeInstanceOf(StorageError);
  expect(error.cause).toMatchObject({ code });
  if (error.code === 'storage_failed') expect(error.message).toContain(`The system says: ${code}.`);
});

// As Node gives the errors that libuv does not know.
test.each(['EDQUOT', 'ESTALE', 'ENOLCK'] as const)('%s is recognized by its number alone', (code) => {
  const unnamed = `Unknown system error -${constants.errno[code as keyof typeof constants.errno]}`;
  const error = storageError(failed(unnamed));
  expect({ code: error.code, message: error.message }).toEqual({
    code: storageError(failed(code)).code,
    message: storageError(failed(code)).message,
  });
});

test('a number that no system error has is told as it is', () => {
  expect(codeOf(failed('Unknown system error -4711'))).toBe('Unknown system error -4711');
});

describe('what ends by itself or by the user’s doing is told as that', () => {
  test.each([
    ['EMFILE', 'storage_failed', 'This program has as many files open'],
    ['ENFILE', 'storage_failed', 'Close other programs'],
    ['ENOSPC', 'disk_full', 'Free some space'],
    ['EDQUOT', 'disk_full', 'Free some space'],
    ['EIO', 'storage_failed', 'Check the disk'],
    ['EINTR', 'storage_failed', 'try again'],
  ])('%s', (code, told, words) => {
    const error = storageError(failed(code));
    expect(error.code).toBe(told);
    expect(error.message).toContain(words);
  });
});

describe('what stays as it is until something else is done is never “try again”', () => {
  test.each([
    ['EACCES', 'open', 'no_permission'],
    ['EPERM', 'open', 'no_permission'],
    ['EROFS', 'open', 'read_only_disk'],
    ['ENAMETOOLONG', 'open', 'name_too_long'],
    ['EFBIG', 'write', 'storage_failed'],
    ['ESTALE', 'fstat', 'storage_failed'],
    ['EBUSY', 'rename', 'storage_failed'],
    ['EXDEV', 'rename', 'storage_failed'],
  ])('%s of %s', (code, syscall, told) => {
    const error = storageError(failed(code, syscall));
    expect(error.code).toBe(told);
    expect(error.message).not.toMatch(/try again/i);
  });
});

test.each([
  ['the loader', 'libsecret-1.so.0: cannot open shared object file: Too many open files', /^This program/],
  ['a thread', 'Worker initialization failure: EMFILE', /^This program/],
  ['D-Bus', 'Could not connect: Too many open files', /^This program/],
  ['the loader, for the whole computer', 'x.node: Too many open files in system', /^As many files/],
])('too many open files are told as that, also where %s says so', (_who, message, words) => {
  const cause = Object.assign(new Error(message), { code: 'ERR_DLOPEN_FAILED' });
  for (const error of [
    loadError(cause),
    keytarError(cause),
    loadError(new NativeModuleFailure('not-found', cause)),
  ])
    expect(error).toMatchObject({ code: 'keychain_failed', message: expect.stringMatching(words) });
  expect(loadError(cause).message).not.toMatch(/install/i);
});

describe('the file of a keychain', () => {
  test.each([
    ['EMFILE', 'keychain_failed', /^This program has as many files open/],
    ['ENFILE', 'keychain_failed', /^As many files are open on this computer/],
    ['ENOSPC', 'keychain_full', /Free some space/],
    ['EACCES', 'keychain_refused', /Check its permissions/],
    ['EROFS', 'keychain_refused', /read-only file system(?!.*try again)/],
    ['EIO', 'keychain_failed', /Check the folder and its disk/],
  ])('%s', (code, told, words) => {
    const error = fileError('/keys/key', failed(code));
    expect(error.code).toBe(told);
    expect(error.message).toMatch(words);
  });
});
