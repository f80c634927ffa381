import { type Io, type IoFile, nodeIo } from '../../../src-main/vault/disk/file.ts';

/** The operations of a vault on its disk, in order, and what it had acknowledged by then. `inode` distinguishes files from names. */
export type Step =
  | { kind: 'create'; inode: number; name: string }
  | { kind: 'write'; inode: number; at: number; bytes: Buffer }
  | { kind: 'truncate'; inode: number; length: number }
  | { kind: 'flush'; inode: number }
  | { kind: 'rename'; from: string; to: string }
  | { kind: 'unlink'; name: string }
  | { kind: 'flush folder' }
  /** The keychain, which is durable at once; `secret` null: deleted. */
  | { kind: 'key'; account: string; secret: string | null }
  /** The state that the vault has acknowledged from this point on. */
  | { kind: 'acknowledged'; state: number };

/** The real file system, and a log of all writes to it. */
export class RecordingIo implements Io {
  readonly steps: Step[] = [];
  readonly #inodes = new Map<string, number>();
  #next = 1;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(file: string, flags: string, mode?: number): Promise<IoFile> {
    const handle = await nodeIo.open(file, flags, mode);
    if (file === this.#folder) {
      return {
        ...handle,
        sync: async () => {
          await handle.sync();
          this.steps.push({ kind: 'flush folder' });
        },
      };
    }
    const name = this.#nameOf(file);
    if (flags === 'wx') {
      this.#inodes.set(name, this.#next);
      this.steps.push({ kind: 'create', inode: this.#next++, name });
    }
    const inode = this.#inodes.get(name) ?? 0;
    const flush = (): void => void this.steps.push({ kind: 'flush', inode });
    return {
      ...handle,
      write: async (source, offset, length, position) => {
        const bytes = Buffer.from(source.subarray(offset, offset + length));
        this.steps.push({ kind: 'write', inode, at: position, bytes });
        return handle.write(source, offset, length, position);
      },
      truncate: async (length) => {
        this.steps.push({ kind: 'truncate', inode, length });
        await handle.truncate(length);
      },
      datasync: async () => handle.datasync().then(flush),
      sync: async () => handle.sync().then(flush),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    const [old, name] = [this.#nameOf(from), this.#nameOf(to)];
    const inode = this.#inodes.get(old);
    this.#inodes.delete(old);
    if (inode !== undefined) this.#inodes.set(name, inode);
    this.steps.push({ kind: 'rename', from: old, to: name });
    await nodeIo.rename(from, to);
  }

  async unlink(file: string): Promise<void> {
    this.#inodes.delete(this.#nameOf(file));
    this.steps.push({ kind: 'unlink', name: this.#nameOf(file) });
    await nodeIo.unlink(file);
  }

  mkdir(folder: string, mode: number): ReturnType<Io['mkdir']> {
    return nodeIo.mkdir(folder, mode);
  }

  readdir(folder: string): Promise<string[]> {
    return nodeIo.readdir(folder);
  }

  stat(file: string): ReturnType<Io['stat']> {
    return nodeIo.stat(file);
  }

  writable(path: string): Promise<void> {
    return nodeIo.writable(path);
  }

  #nameOf(file: string): string {
    return file.slice(this.#folder.length + 1);
  }
}
