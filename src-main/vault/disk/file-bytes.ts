/** A vault's file that is read once to check it, and a second time to keep it in memory. */
import { type Identity, type Io, type IoFile, openRegular, readInto } from './file.ts';
import { MAX_FILE_BYTES, tooLarge } from './size-limit.ts';
import { storageError } from './storage-error.ts';

/** Smaller files are read into memory at once. */
const LARGE = 4 * 1024 * 1024;
/** The number of bytes that are read at once from a large file. */
const PIECE = 1024 * 1024;

/** More bytes than both header copies of any version take. A small vault is read in one piece. */
const START = 256 * 1024;

/**
 * Opens a vault's file for reading. Resolves with `null` if there is none.
 *
 * @param isWanted called with the start of the file. Returns whether the rest is needed; otherwise the start is all there is
 */
export async function openFileBytes(
  io: Io,
  file: string,
  isWanted: (start: Buffer) => boolean,
): Promise<{ bytes: FileBytes; identity: Identity } | null> {
  const found = await openRegular(io, file);
  if (found === null) return null;
  const { handle, identity } = found;
  let isKept = false;
  try {
    const size = Number(identity.size);
    const start = await readInto(handle, Buffer.allocUnsafe(Math.min(size, START)), 0);
    if (!isWanted(start) || start.length < START) return { bytes: FileBytes.of(start), identity };
    if (size > MAX_FILE_BYTES) throw tooLarge(identity.size);
    const memory = Buffer.allocUnsafe(size);
    start.copy(memory);
    if (size < LARGE || handle.readNow === undefined) {
      const rest = await readInto(handle, memory.subarray(start.length), start.length);
      return { bytes: FileBytes.of(memory.subarray(0, start.length + rest.length)), identity };
    }
    isKept = true;
    return { bytes: new FileBytes(memory, start.length, handle), identity };
  } finally {
    if (!isKept) await handle.close();
  }
}

/**
 * [Note: large files] A program keeps what it has read, whatever becomes of the file, so the bytes have to be in memory. But memory that is
 * touched for the first time costs many times as much as a checksum. So opening checks a large file in one small piece of memory, which is
 * used again and again. The file stays open and is read into memory afterwards, on another thread; what is asked for until then is read
 * from the open file, which cannot be replaced. If somebody writes into it, the frames do not authenticate, and a rewrite finds that
 * their checksums have changed since opening. See docs/decisions/opening.md.
 */
export class FileBytes {
  /** Of the file when it was opened. */
  readonly length: number;
  readonly #memory: Buffer;
  /** So many bytes from the start are in memory. They don't change any more. */
  #loaded: number;
  /** Open until everything is in memory. */
  #handle: IoFile | null;
  #loading: Promise<void> | null = null;
  #isStopped = false;
  /** For the pieces that are only looked at. */
  #piece = Buffer.alloc(0);

  constructor(memory: Buffer, loaded: number, handle: IoFile | null) {
    this.length = memory.length;
    this.#memory = memory;
    this.#loaded = loaded;
    this.#handle = handle;
  }

  /** At least as many bytes as both header copies of any version take, fewer if the file is shorter. */
  get start(): Buffer {
    return this.#memory.subarray(0, Math.min(this.#loaded, START));
  }

  static of(memory: Buffer): FileBytes {
    return new FileBytes(memory, memory.length, null);
  }

  /**
   * Returns these bytes without waiting; `null` if the file has become shorter. They don't change afterwards.
   *
   * @throws StorageError
   */
  now(at: number, length: number): Buffer | null {
    if (at + length <= this.#loaded) return this.#memory.subarray(at, at + length);
    const handle = this.#handle;
    if (handle?.readNow === undefined || at + length > this.length) return null;
    const bytes = Buffer.allocUnsafe(length);
    for (let have = 0; have < length; ) {
      let read: number;
      try {
        read = handle.readNow(bytes, have, length - have, at + have);
      } catch (cause) {
        throw storageError(cause);
      }
      if (read === 0) return null;
      have += read;
    }
    return bytes;
  }

  /** Returns at least `length` bytes from `at` on, fewer if the file ends there. Valid until the next call. */
  async window(at: number, length: number): Promise<Buffer> {
    const handle = this.#handle;
    if (handle === null || at + length <= this.#loaded) return this.#memory.subarray(at, this.#loaded);
    const wanted = Math.min(Math.max(length, PIECE), this.length - at);
    if (this.#piece.length < wanted) this.#piece = Buffer.allocUnsafe(wanted);
    return readInto(handle, this.#piece.subarray(0, wanted), at);
  }

  /** Reads the file into memory up to `to`. Resolves with the bytes up to there, fewer if the file has become shorter. */
  async load(to = this.length): Promise<Buffer> {
    this.#piece = Buffer.alloc(0);
    while (this.#loaded < to && this.#handle !== null) {
      await (this.#loading ??= this.#loadPiece(this.#handle));
    }
    return this.#memory.subarray(0, Math.min(this.#loaded, to));
  }

  /** Reads nothing any more: nobody needs the rest. */
  stop(): void {
    this.#isStopped = true;
    if (this.#loading === null) void this.#close();
  }

  async #loadPiece(handle: IoFile): Promise<void> {
    const from = this.#loaded;
    let isOver = false; // After an error, it is tried again when somebody needs it.
    try {
      const piece = await readInto(handle, this.#memory.subarray(from, from + PIECE), from);
      this.#loaded += piece.length;
      isOver = piece.length === 0 || this.#loaded === this.length;
    } finally {
      this.#loading = null;
      if (isOver || this.#isStopped) await this.#close();
    }
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close().catch(() => undefined);
  }
}
