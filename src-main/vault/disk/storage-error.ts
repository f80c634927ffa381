import { codeOf } from '../../error-code.ts';
import { StorageError, type StorageErrorCode, TokenkeepError, UnexpectedError } from '../../errors.ts';
import { openFilesMessage, pathError, pathIn } from '../../folders.ts';

const CODES: Readonly<Record<string, StorageErrorCode>> = {
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
  EACCES: 'no_permission',
  EPERM: 'no_permission',
  EROFS: 'read_only_disk',
  ENAMETOOLONG: 'name_too_long',
};

const MESSAGES: Readonly<Record<StorageErrorCode, string>> = {
  disk_full: 'The disk is full. The vault is as it was before. Free some space.',
  no_permission:
    'You don’t have permission to use the vault’s file or its folder. The vault is as it was before. Check the permissions of both.',
  read_only_disk:
    'The vault lies on a read-only file system. It is as it was before. Mount it for writing, or move the vault.',
  path_invalid: 'The vault’s path can’t be used. Nothing was written. Choose another one.',
  name_too_long:
    'The name of the vault’s file is too long for its file system. Nothing was written. Choose a shorter name; Tokenkeep puts files beside the vault whose names are up to 17 bytes longer.',
  storage_failed:
    'The file system refused to read or write the vault, which is as it was before. Check the disk, and that the folder exists and can be written, before you try again.',
};

/** More specific messages where that of `storage_failed` would wrongly blame the disk. */
const SAID: Readonly<Record<string, string>> = {
  EFBIG:
    'The vault’s file is larger than its file system or a limit of this program (ulimit -f) allows. It is as it was before. Raise the limit, or move the vault to another file system.',
  ESTALE: 'The vault’s file was replaced on its network drive. Nothing was written. Open the vault again.',
};

/** Returns whether the system error has a message of its own, because the disk is not to blame. */
export function hasOwnMessage(cause: unknown): boolean {
  return Object.hasOwn(SAID, codeOf(cause)) || openFilesMessage(cause, '') !== undefined;
}

/** For a container that mounts only the file: it can be written, but never replaced. */
const MOUNTED_ALONE =
  'The vault’s file can’t be replaced, because it is mounted by itself or in use by the system. It is as it was before. Mount its folder instead of the file, or move the vault.';

/** The names of the system calls of `fs` in errors, and the form of a system error code. */
const ERRNO = /^E[A-Z0-9]+$/;

/**
 * Wraps an error of the file system, once. An error of Tokenkeep passes as it is. Any other error, such as a SyntaxError of
 * code that was called, becomes an UnexpectedError: it is never reported as an error of the file system.
 */
export function storageError(cause: unknown): TokenkeepError {
  if (isOurs(cause)) return cause;
  const errno = codeOf(cause);
  if (!ERRNO.test(errno)) return unexpected(cause);
  const path = pathIn(cause);
  const problem = path === null ? null : pathError(path, cause);
  if (problem !== null) return problem;
  const code = CODES[errno] ?? 'storage_failed';
  const says = code === 'storage_failed' ? ` The system says: ${errno}.` : '';
  const isMountedAlone = (errno === 'EBUSY' || errno === 'EXDEV') && isFromRename(cause);
  const tooMany = openFilesMessage(cause, 'The vault is as it was before.');
  const message = isMountedAlone ? MOUNTED_ALONE : (tooMany ?? SAID[errno] ?? MESSAGES[code]);
  return new StorageError(code, `${message}${says}`, { cause });
}

function isFromRename(cause: unknown): boolean {
  return cause instanceof Error && 'syscall' in cause && cause.syscall === 'rename';
}

function isOurs(error: unknown): error is TokenkeepError {
  return error instanceof TokenkeepError;
}

function unexpected(cause: unknown): UnexpectedError {
  const name = cause instanceof Error ? cause.name : typeof cause;
  return new UnexpectedError(
    `An unexpected error (${name}) stopped the operation. The vault’s file is as it was before. Report this to the developer of the app.`,
    { cause },
  );
}
