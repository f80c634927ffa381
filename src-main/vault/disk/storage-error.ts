import { StorageError, type StorageErrorCode } from '../../errors.ts';

/** The code of a system error, "" where it is none. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

const CODES: Readonly<Record<string, StorageErrorCode>> = {
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
  EACCES: 'no_permission',
  EPERM: 'no_permission',
  EROFS: 'read_only_disk',
};

const MESSAGES: Readonly<Record<StorageErrorCode, string>> = {
  disk_full: 'The disk is full. The vault is as it was before. Free some space.',
  no_permission:
    'This user may not use the vault’s file or its folder. The vault is as it was before. Check the permissions of both.',
  read_only_disk:
    'The vault lies on a read-only file system. It is as it was before. Mount it for writing, or move the vault.',
  storage_failed: 'The file system refused to read or write the vault, which is as it was before. Try again.',
};

/** Wraps what the file system says, once; passes on what is wrapped already. */
export function storageError(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const code = CODES[errnoOf(cause)] ?? 'storage_failed';
  return new StorageError(code, MESSAGES[code], { cause });
}
