import type { Keychain } from '../../src-main/keychain/keychain.ts';
import type { Io, IoFile, IoStat } from '../../src-main/vault/disk/file.ts';
import type { Place } from '../../src-main/vault/open.ts';
import { KeySlots } from '../../src-main/vault/slots.ts';
import { systemTimers } from '../../src-main/waiting.ts';

interface Node {
  bytes: Buffer;
  ino: bigint;
  birthtimeNs: bigint;
  mtimeNs: bigint;
}

/** A call that changes the disk, as a test sees it. */
export interface WriteCall {
  name: 'open' | 'write' | 'truncate' | 'datasync' | 'sync' | 'rename' | 'unlink' | 'mkdir';
  file: string;
}

/**
 * A disk in memory. Every call that changes something can be made to fail: `fault` is asked before it happens, and
 * what it throws is what the caller sees. A `write` that fails leaves the first half of its bytes.
 */
export class FakeDisk implements Io {
  readonly nodes = new Map<string, Node>();
  readonly calls: WriteCall[] = [];
  fault: (call: WriteCall) => void = () => undefined;
  readOnly = false;
  /** Which files can't be read: all, or this one. */
  unreadable: boolean | string = false;
  /** One for each handle: a file can be open twice. */
  #open: Node[] = [];
  #time = 1_780_000_000_000_000_000n;

  bytes(file: string): Buffer {
    const node = this.nodes.get(file);
    if (node === undefined) throw new Error(`no ${file} on the fake disk`);
    return node.bytes;
  }

  put(file: string, bytes: Buffer): void {
    const birthtimeNs = this.#time++;
    this.nodes.set(file, {
      bytes: Buffer.from(bytes),
      ino: this.#freeIno(),
      birthtimeNs,
      mtimeNs: this.#time++,
    });
  }

  /** The lowest number that no file has, neither by a name nor by being open: as ext4 does it. */
  #freeIno(): bigint {
    const taken = new Set([...this.nodes.values(), ...this.#open].map(({ ino }) => ino));
    let ino = 1n;
    while (taken.has(ino)) ino += 1n;
    return ino;
  }

  async open(file: string, flags: string): Promise<IoFile> {
    await Promise.resolve();
    if (flags !== 'r') this.#call({ name: 'open', file });
    else if ((this.unreadable === true || this.unreadable === file) && this.nodes.has(file))
      throw errno('EACCES');
    if (flags === 'r' && !this.nodes.has(file) && this.#isFolder(file)) return this.#folder(file);
    if (flags === 'wx') {
      if (this.nodes.has(file)) throw errno('EEXIST');
      this.put(file, Buffer.alloc(0));
    }
    const node = this.nodes.get(file);
    if (node === undefined) throw errno('ENOENT');
    return this.#file(file, node);
  }

  async rename(from: string, to: string): Promise<void> {
    await Promise.resolve();
    this.#call({ name: 'rename', file: to });
    const node = this.nodes.get(from);
    if (node === undefined) throw errno('ENOENT');
    this.nodes.delete(from);
    this.nodes.set(to, node);
  }

  async unlink(file: string): Promise<void> {
    await Promise.resolve();
    this.#call({ name: 'unlink', file });
    if (!this.nodes.delete(file)) throw errno('ENOENT');
  }

  async mkdir(folder: string): Promise<null> {
    await Promise.resolve();
    if (this.readOnly) throw errno('EROFS');
    this.#call({ name: 'mkdir', file: folder });
    return null;
  }

  readdir(folder: string): Promise<string[]> {
    const names = [...this.nodes.keys()].filter((file) => file.startsWith(`${folder}/`));
    return Promise.resolve(names.map((file) => file.slice(folder.length + 1)));
  }

  async stat(file: string): Promise<IoStat> {
    await Promise.resolve();
    const node = this.nodes.get(file);
    if (node === undefined && this.#isFolder(file)) return { ...NO_FILE, mode: 0o040700n };
    if (node === undefined) throw errno('ENOENT');
    return statOf(node);
  }

  async writable(path: string): Promise<void> {
    await Promise.resolve();
    if (this.readOnly) throw errno('EROFS');
    if (!this.nodes.has(path) && !this.#isFolder(path)) throw errno('ENOENT');
  }

  #call(call: WriteCall): void {
    if (this.readOnly) throw errno('EROFS');
    this.calls.push(call);
    this.fault(call);
  }

  #isFolder(path: string): boolean {
    return [...this.nodes.keys()].some((file) => file.startsWith(`${path}/`));
  }

  #folder(file: string): IoFile {
    const never = (): never => {
      throw errno('EISDIR');
    };
    return {
      read: never,
      write: never,
      truncate: never,
      datasync: never,
      stat: never,
      sync: async () => {
        await Promise.resolve();
        this.#call({ name: 'sync', file });
      },
      close: () => Promise.resolve(),
    };
  }

  #file(file: string, node: Node): IoFile {
    this.#open.push(node);
    return {
      read: (target, offset, length, position) =>
        Promise.resolve({ bytesRead: node.bytes.copy(target, offset, position, position + length) }),
      readNow: (target, offset, length, position) =>
        node.bytes.copy(target, offset, position, position + length),
      write: async (source, offset, length, position) => {
        await Promise.resolve();
        try {
          this.#call({ name: 'write', file });
        } catch (error) {
          this.#write(node, source.subarray(offset, offset + Math.floor(length / 2)), position);
          throw error;
        }
        // Less than was asked for, as the contract allows.
        const some = Math.max(1, Math.ceil(length * 0.7));
        this.#write(node, source.subarray(offset, offset + some), position);
        return { bytesWritten: some };
      },
      truncate: async (length) => {
        await Promise.resolve();
        this.#call({ name: 'truncate', file });
        node.bytes = Buffer.from(node.bytes.subarray(0, length));
        node.mtimeNs = this.#time++;
      },
      datasync: async () => {
        await Promise.resolve();
        this.#call({ name: 'datasync', file });
      },
      sync: async () => {
        await Promise.resolve();
        this.#call({ name: 'sync', file });
      },
      stat: () => Promise.resolve(statOf(node)),
      close: () => {
        this.#open.splice(this.#open.indexOf(node), 1);
        return Promise.resolve();
      },
    };
  }

  #write(node: Node, bytes: Buffer, position: number): void {
    const grown = Buffer.alloc(Math.max(node.bytes.length, position + bytes.length));
    node.bytes.copy(grown);
    bytes.copy(grown, position);
    node.bytes = grown;
    node.mtimeNs = this.#time++;
  }
}

export function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

const NO_FILE = { dev: 1n, ino: 0n, size: 0n, mtimeNs: 0n, ctimeNs: 0n, birthtimeNs: 0n };

function statOf({ bytes, ino, birthtimeNs, mtimeNs }: Node): IoStat {
  const size = BigInt(bytes.length);
  return { dev: 1n, ino, size, mtimeNs, ctimeNs: mtimeNs, birthtimeNs, mode: 0o100600n };
}

/** Where a vault lies, for those who look at it without opening a vault. */
export function placeOf(io: Io, file: string, keychain: Keychain): Place {
  return { io, file, slots: new KeySlots(keychain, 'Tokenkeep', 'vault', file), timers: systemTimers };
}
