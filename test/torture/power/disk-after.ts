import type { Random } from '../random.ts';
import type { Step } from './recording-io.ts';

/** The number of bytes that a disk writes completely or not at all. */
const SECTOR = 512;

type FolderStep = Extract<Step, { kind: 'create' | 'rename' | 'unlink' }>;

/** The files after a power cut, by name. */
export type Disk = ReadonlyMap<string, Buffer>;

interface Inode {
  /** The states of the file since the last flush: `[0]` is on the disk, and any other may be. */
  versions: Buffer[];
}

/**
 * The disk of a machine, as the file systems that there are let one think of it: a flush makes a file's bytes durable,
 * and a flush of the folder its names. Of what was written since, any sector may be there or not, in any order; of what
 * was renamed since, the first so many; and a file's length may be ahead of its bytes, which are then zeros.
 */
export class PowerModel {
  readonly #inodes = new Map<number, Inode>();
  #names = new Map<string, number>();
  #pending: { step: FolderStep; inode: number | undefined }[] = [];

  constructor(names: ReadonlyMap<string, Buffer>) {
    let inode = 0;
    for (const [name, bytes] of names) {
      this.#inodes.set(inode, { versions: [bytes] });
      this.#names.set(name, inode--);
    }
  }

  take(step: Step): void {
    switch (step.kind) {
      case 'create':
        this.#inodes.set(step.inode, { versions: [Buffer.alloc(0)] });
        this.#pending.push({ step, inode: step.inode });
        return;
      case 'write':
        this.#change(step.inode, (bytes) => {
          const grown = Buffer.alloc(Math.max(bytes.length, step.at + step.bytes.length));
          bytes.copy(grown);
          step.bytes.copy(grown, step.at);
          return grown;
        });
        return;
      case 'truncate':
        this.#change(step.inode, (bytes) => Buffer.concat([bytes.subarray(0, step.length)], step.length));
        return;
      case 'flush': {
        const inode = this.#inodes.get(step.inode);
        if (inode !== undefined) inode.versions = inode.versions.slice(-1);
        return;
      }
      case 'rename':
        this.#pending.push({ step, inode: this.#namesNow(this.#pending.length).get(step.from) });
        return;
      case 'unlink':
        this.#pending.push({ step, inode: undefined });
        return;
      case 'flush folder':
        this.#names = this.#namesNow(this.#pending.length);
        this.#pending = [];
        return;
      default:
    }
  }

  /** Returns some of the possible disks after a power cut at this moment, the likeliest first. */
  *disks(random: Random, tries: number): Iterable<Disk> {
    for (let renamed = this.#pending.length; renamed >= 0; renamed -= 1) {
      const names = [...this.#namesNow(renamed)];
      const inodes = names.map(([, inode]) => this.#inodes.get(inode)?.versions ?? [Buffer.alloc(0)]);
      const unsettled = inodes.some((versions) => versions.length > 1);
      const patterns = unsettled ? patternsOf(random, tries) : [() => 0];
      for (const pattern of patterns) {
        yield new Map(names.map(([name], index) => [name, compose(inodes[index] ?? [], pattern)]));
      }
    }
  }

  #change(number: number, change: (bytes: Buffer) => Buffer): void {
    const inode = this.#inodes.get(number);
    const newest = inode?.versions.at(-1);
    if (inode !== undefined && newest !== undefined) inode.versions.push(change(newest));
  }

  #namesNow(steps: number): Map<string, number> {
    const names = new Map(this.#names);
    for (const { step, inode } of this.#pending.slice(0, steps)) {
      if (step.kind === 'create') names.set(step.name, step.inode);
      else if (step.kind === 'unlink') names.delete(step.name);
      else {
        names.delete(step.from);
        if (inode !== undefined) names.set(step.to, inode);
      }
    }
    return names;
  }
}

/** Which version a sector has: from 0, the flushed one, to `newest`. Sector -1 stands for the file's length. */
type Pattern = (sector: number, sectors: number, newest: number) => number;

function* patternsOf(random: Random, tries: number): Iterable<Pattern> {
  yield () => 0;
  yield (_sector, _sectors, newest) => newest;
  yield (sector, _sectors, newest) => (sector < 0 ? newest : 0);
  yield (sector, _sectors, newest) => (sector < 0 ? 0 : newest);
  // The first sectors only, the last only, all but one, one only, any: with the length as it was, or as it is.
  for (let n = 0; n < tries; n += 1) {
    const [at, longer, shape, seed] = [
      random.below(1e9),
      random.below(3) > 0,
      random.below(5),
      random.below(1e9),
    ];
    yield (sector, sectors, newest) => {
      if (sector < 0) return longer ? newest : seed % (newest + 1);
      // Returns a sector counted from the end of the file, where most writes are.
      const border = sectors - 1 - (at % Math.min(sectors, 12));
      if (shape === 0) return sector < border ? newest : 0;
      if (shape === 1) return sector < border ? 0 : newest;
      if (shape === 2) return sector === border ? 0 : newest;
      if (shape === 3) return sector === border ? newest : 0;
      return (Math.imul(seed ^ sector, 2_654_435_761) >>> 8) % (newest + 1);
    };
  }
}

function compose(versions: readonly Buffer[], pattern: Pattern): Buffer {
  const newest = versions.length - 1;
  const longest = Math.max(...versions.map(({ length }) => length));
  const sectors = Math.max(1, Math.ceil(longest / SECTOR));
  const length = versions[pattern(-1, sectors, newest)]?.length ?? 0;
  const bytes = Buffer.alloc(length);
  for (let sector = 0; sector * SECTOR < length; sector += 1) {
    const version = versions[Math.abs(pattern(sector, sectors, newest)) % versions.length];
    const from = sector * SECTOR;
    version?.subarray(from, from + SECTOR).copy(bytes, from);
  }
  return bytes;
}
