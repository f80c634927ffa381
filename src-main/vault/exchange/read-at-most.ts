/** Reads a file whole, up to a limit. */
import type { FileHandle } from 'node:fs/promises';

const [FIRST_CHUNK, LARGEST_CHUNK] = [64 * 1024, 4 * 1024 * 1024];

/**
 * Counts what is read and does not trust the size in `stat`: a file may grow, and some report 0 and never end.
 *
 * @param most bytes
 * @returns null if the file has more
 */
export async function readAtMost(file: FileHandle, most: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (let size = FIRST_CHUNK; ; size = Math.min(size * 2, LARGEST_CHUNK)) {
    const chunk = Buffer.allocUnsafe(size);
    const { bytesRead } = await file.read(chunk, 0, size, null);
    if (bytesRead === 0) return Buffer.concat(chunks, bytes);
    bytes += bytesRead;
    if (bytes > most) return null;
    chunks.push(chunk.subarray(0, bytesRead));
  }
}
