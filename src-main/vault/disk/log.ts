import { StorageError } from '../../errors.ts';
import {
  cutOff,
  type Identity,
  identityOf,
  MAX_FILE_BYTES,
  readRange,
  sameFile,
  tooLarge,
  writeRange,
} from './atomic-file.ts';
import type { Io, IoFile } from './io.ts';

/**
 * The end of a vault's file, where changes are appended and those of others are read. The file stays open from one
 * append to the next: opening and closing it costs as much as the flush. On Windows it does not, because nobody could
 * rename another file over it then.
 *
 * `known` is the file as it was last seen under its name. What has been renamed over it is another file, and is neither
 * read nor written here.
 */
export class Log {
  readonly #io: Io;
  readonly #file: string;
  readonly #keep: boolean;
  #open: { handle: IoFile; identity: Identity } | null = null;

  constructor(io: Io, file: string, keep = process.platform !== 'win32') {
    this.#io = io;
    this.#file = file;
    this.#keep = keep;
  }

  /**
   * Writes `bytes` at `at`, durably; what follows there was never acknowledged, and is cut off. Where it rejects, the
   * file ends at `at`, or in an unfinished frame that the next writer cuts off.
   */
  async append(at: number, bytes: Buffer, known: Identity): Promise<Identity> {
    try {
      if (at + bytes.length > MAX_FILE_BYTES) throw tooLarge(BigInt(at + bytes.length));
      const handle = await this.#handleFor(known);
      if (known.size > at) await cutOff(handle, at);
      try {
        await writeRange(handle, bytes, at);
        await handle.datasync();
      } catch (error) {
        await cutOff(handle, at).catch(() => undefined); // What failed first is what the caller must hear.
        throw error;
      }
      const identity = identityOf(await handle.stat());
      if (!this.#keep) await this.close();
      return identity;
    } catch (error) {
      await this.close(); // Whatever is the matter with it, the next one starts afresh.
      throw error;
    }
  }

  /** What stands after `from`; `null` where the file is not the one that is known, or shorter than that. */
  async tail(from: number, known: Identity): Promise<{ bytes: Buffer; identity: Identity } | null> {
    if (this.#open !== null && sameFile(this.#open.identity, known)) {
      return readAfter(this.#open.handle, from, known);
    }
    const handle = await this.#io.open(this.#file, 'r');
    try {
      return await readAfter(handle, from, known);
    } finally {
      await handle.close();
    }
  }

  /** Lets go of the file. It is opened again when it is needed. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    // What is flushed stays flushed, whatever closing says: it must not make a save that was done look refused.
    await open?.handle.close().catch(() => undefined);
  }

  async #handleFor(known: Identity): Promise<IoFile> {
    if (this.#open !== null && sameFile(this.#open.identity, known)) return this.#open.handle;
    await this.close();
    const handle = await this.#io.open(this.#file, 'r+');
    this.#open = { handle, identity: identityOf(await handle.stat()) };
    if (sameFile(this.#open.identity, known)) return handle;
    throw new StorageError(
      'storage_failed',
      'The vault’s file was replaced by another one at this very moment. Nothing was written. Try again.',
    );
  }
}

async function readAfter(handle: IoFile, from: number, known: Identity) {
  const identity = identityOf(await handle.stat());
  if (!sameFile(identity, known) || identity.size < from) return null;
  return { bytes: await readRange(handle, from, Number(identity.size) - from), identity };
}
