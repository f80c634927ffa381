import { StorageError } from '../../errors.ts';

/** A file is read into one buffer, and Node 20 aborts at 2 GiB. A vault of 10,000 accounts takes 0.1 GiB. */
export const MAX_FILE_BYTES = 1024 ** 3;

export function tooLarge(bytes: bigint): StorageError {
  const size = `${Math.round(Number(bytes) / 1024 ** 2)} MiB`;
  return new StorageError(
    'storage_failed',
    `The vault’s file has ${size}, and at most ${MAX_FILE_BYTES / 1024 ** 2} MiB can be read or written. It was not changed.`,
  );
}
