import { dirname } from 'node:path';
import { type Io, type IoFile, nodeIo } from '../../../src-main/vault/disk/file.ts';

/** The fault of one call. */
export type Effect =
  | { kind: 'error'; code: string }
  /** This call and all later ones fail. */
  | { kind: 'for good'; code: string }
  /** A write: half of the data is written, then the call fails. */
  | { kind: 'half'; code: string }
  /** A write: half of the data is written, and the call returns that number. That is not an error. */
  | { kind: 'short' }
  /** The call succeeds, but returns an error. */
  | { kind: 'done'; code: string }
  /** `kill -9` before, during or after the call. */
  | { kind: 'crash'; when: 'before' | 'half' | 'after' };

export interface Fault {
  /** The index of the call, from 0. */
  at: number;
  effect: Effect;
}

/** A call that was made, such as `rename temporary`. */
export type Call = string;

/** The real file system, of which one call fails. Calls to the keychain are counted too. */
export class FaultyIo implements Io {
  readonly calls: Call[] = [];
  fault: Fault | null = null;
  #armed = false;
  readonly #file: string;

  /** `file`: the path of the vault. */
  constructor(file: string) {
    this.#file = file;
  }

  arm(fault: Fault | null): void {
    this.calls.length = 0;
    this.fault = fault;
    this.#armed = true;
  }

  get isArmed(): boolean {
    return this.#armed;
  }

  disarm(): void {
    this.#armed = false;
  }

  async open(file: string, flags: string, mode?: number): Promise<IoFile> {
    const open = (): Promise<IoFile> => nodeIo.open(file, flags, mode);
    const what = this.#nameOf(file);
    const handle = await this.call(`${flags === 'r' ? 'open-to-read' : 'open'} ${what}`, open);
    return {
      read: (target, offset, length, position) =>
        this.call(
          `read ${what}`,
          () => handle.read(target, offset, length, position),
          () => handle.read(target, offset, Math.ceil(length / 2), position),
        ),
      write: (source, offset, length, position) =>
        this.call(
          `write ${what}`,
          () => handle.write(source, offset, length, position),
          () => handle.write(source, offset, Math.ceil(length / 2), position),
        ),
      truncate: (length) => this.call(`truncate ${what}`, () => handle.truncate(length)),
      datasync: () => this.call(`datasync ${what}`, () => handle.datasync()),
      sync: () => this.call(`sync ${what}`, () => handle.sync()),
      stat: () => this.call(`stat open ${what}`, () => handle.stat()),
      // The file is always closed; only the result of the call can be an error.
      close: () => (flags === 'r' ? handle.close() : this.call(`close ${what}`, () => handle.close())),
    };
  }

  rename(from: string, to: string): Promise<void> {
    return this.call(`rename ${this.#nameOf(from)}`, () => nodeIo.rename(from, to));
  }

  unlink(file: string): Promise<void> {
    return this.call(`unlink ${this.#nameOf(file)}`, () => nodeIo.unlink(file));
  }

  mkdir(folder: string, mode: number): ReturnType<Io['mkdir']> {
    return this.call('mkdir folder', () => nodeIo.mkdir(folder, mode));
  }

  readdir(folder: string): ReturnType<Io['readdir']> {
    return this.call('readdir folder', () => nodeIo.readdir(folder));
  }

  stat(file: string): ReturnType<Io['stat']> {
    return this.call(`stat ${this.#nameOf(file)}`, () => nodeIo.stat(file));
  }

  writable(path: string): Promise<void> {
    return this.call(`access ${this.#nameOf(path)}`, () => nodeIo.writable(path));
  }

  /** Makes a call, or injects the fault. */
  async call<T>(name: Call, act: () => Promise<T>, actHalf: () => Promise<T> = act): Promise<T> {
    if (!this.#armed) return act();
    const at = this.calls.push(name) - 1;
    const { fault } = this;
    const effect = fault?.effect;
    if (
      effect === undefined ||
      fault === null ||
      at < fault.at ||
      (at > fault.at && effect.kind !== 'for good')
    )
      return act();
    if (effect.kind === 'crash') {
      if (effect.when === 'half') await actHalf();
      if (effect.when === 'after') await act();
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => undefined);
    }
    if (effect.kind === 'short') return actHalf();
    if (effect.kind === 'half') await actHalf();
    if (effect.kind === 'done' || name.startsWith('close')) await act();
    throw Object.assign(new Error(effect.code), { code: effect.code });
  }

  #nameOf(path: string): string {
    if (path === this.#file) return 'vault';
    if (path.startsWith(this.#file)) return path.slice(this.#file.length + 1).replace(/-.*/, '');
    return path === dirname(this.#file) ? 'folder' : 'other';
  }
}

/** Returns the possible faults of a call, by its kind. */
export function effectsOn(call: Call): Effect[] {
  const crash = (when: 'before' | 'half' | 'after'): Effect => ({ kind: 'crash', when });
  const errors = (...codes: string[]): Effect[] => codes.map((code) => ({ kind: 'error', code }));
  const [name = ''] = call.split(' ');
  switch (name) {
    case 'open':
      return [
        ...errors('EIO', 'ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EMFILE', 'ENFILE'),
        { kind: 'for good', code: 'EROFS' },
        crash('before'),
        crash('after'),
      ];
    case 'write':
      return [
        ...errors('EIO', 'ENOSPC', 'EDQUOT', 'EFBIG', 'EINTR'),
        { kind: 'half', code: 'EIO' },
        { kind: 'half', code: 'ENOSPC' },
        { kind: 'short' },
        { kind: 'for good', code: 'ENOSPC' },
        crash('before'),
        crash('half'),
        crash('after'),
      ];
    case 'datasync':
    case 'sync':
      return [
        ...errors('EIO', 'ENOSPC', 'EDQUOT', 'EINTR'),
        { kind: 'done', code: 'EIO' },
        { kind: 'for good', code: 'EIO' },
        crash('before'),
        crash('after'),
      ];
    case 'rename':
      return [
        ...errors('EIO', 'ENOSPC', 'EDQUOT', 'EACCES', 'EBUSY', 'EXDEV'),
        { kind: 'done', code: 'EIO' },
        { kind: 'for good', code: 'EIO' },
        crash('before'),
        crash('after'),
      ];
    case 'truncate':
      return [
        ...errors('EIO'),
        { kind: 'done', code: 'EIO' },
        { kind: 'for good', code: 'EIO' },
        crash('before'),
        crash('after'),
      ];
    case 'mkdir':
      return [...errors('EACCES', 'EROFS', 'ENOSPC'), crash('before'), crash('after')];
    case 'unlink':
      return [...errors('EIO', 'EACCES'), crash('before'), crash('after')];
    case 'open-to-read':
      return [
        ...errors('EIO', 'EACCES', 'EINTR', 'EMFILE', 'ENFILE', 'ESTALE'),
        { kind: 'for good', code: 'EIO' },
      ];
    case 'read':
      return [...errors('EIO', 'EINTR', 'ESTALE'), { kind: 'short' }, { kind: 'for good', code: 'EIO' }];
    case 'stat':
      return [...errors('EIO', 'EACCES', 'EINTR', 'ESTALE'), { kind: 'for good', code: 'EIO' }];
    case 'readdir':
    case 'access':
      return [...errors('EIO', 'EACCES', 'EMFILE')];
    case 'close':
      return [...errors('EIO'), crash('before'), crash('after')];
    case 'keychain':
      return [
        ...errors('locked'),
        { kind: 'done', code: 'locked' },
        { kind: 'for good', code: 'locked' },
        crash('before'),
        crash('after'),
      ];
    default:
      throw new Error(`nobody has said what can go wrong with ${call}`);
  }
}

export function nameOf(effect: Effect): string {
  switch (effect.kind) {
    case 'error':
      return effect.code;
    case 'for good':
      return `${effect.code} from then on`;
    case 'half':
      return `half done, then ${effect.code}`;
    case 'short':
      return 'half done, and said so';
    case 'done':
      return `done, and yet ${effect.code}`;
    case 'crash':
      return `killed ${effect.when === 'half' ? 'half way' : effect.when}`;
  }
}
