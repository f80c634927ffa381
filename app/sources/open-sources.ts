/**
 * The caches of other programs that were found on this computer, and those that the user has opened. The search starts only at the user's
 * request, nothing is opened without a click, and everything is forgotten when the app quits.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { InvalidArgumentError } from 'tokenkeep';
import { cachedAccounts, type Handlers, type Question } from 'tokenkeep/ipc';
import {
  commandToLeave,
  displayPath,
  findSources,
  type FoundSource,
  howToLeave,
  knownPrograms,
  readSource,
  removeLeftovers,
  type ReadOptions,
  sourceFromFile,
  type SourceReading,
  type SourcesOptions,
  watchSource,
} from 'tokenkeep/sources';
import { printable } from 'tokenkeep/vault';
import type { SourceItem, SourceList, SourceRequests } from './contract.ts';
import { changeBetween } from './source-change.ts';

export interface OpenSourcesPorts<Caller> {
  /** The computer that is searched. */
  computer: SourcesOptions;
  /** How caches are read. Default: the keyring of this computer. */
  reading?: ReadOptions;
  /** @throws QuestionError if there was no recent user input in the window */
  useGesture: (caller: Caller) => void;
  confirm: (caller: Caller, question: Question) => Promise<boolean | null>;
  /** Absolute path of the vault that the window shows. */
  ownVault: string;
  /** Returns an absolute path; null if the dialog was dismissed. */
  chooseFile: (caller: Caller) => Promise<string | null>;
  /** Plans an import and tells the windows. */
  planImport: (file: string) => Promise<void>;
  showFile: (file: string) => void;
  /** Opens a program by a URL of the table of programs. @throws Error if it is not installed */
  openProgram: (program: { readonly name: string; readonly url: string }) => Promise<void>;
  /** Seconds since the epoch. */
  now: () => number;
  /** Called when the list or an opened cache has changed. */
  onChange: () => void;
}

/** An opened cache, with its last contents. */
export interface OpenSource {
  readonly id: string;
  readonly name: string;
  readonly source: FoundSource;
  readonly reading: SourceReading;
}

export interface OpenSources<Caller> {
  handlers: Handlers<SourceRequests, Caller>;
  /** The opened caches that could be read. */
  opened(): readonly OpenSource[];
  /** Reads a cache again. */
  readAgain(id: string): Promise<void>;
  /**
   * Does a work of Tokenkeep itself on a cache, such as a sign-out there, and reads it again. Its program is not named for the change.
   *
   * @param work returns whether it changed the cache
   */
  changeHere(id: string, work: () => Promise<boolean>): Promise<void>;
  /** Closes the opened caches. They stay in the list. */
  close(): void;
  stop(): void;
}

interface Kept {
  readonly id: string;
  source: FoundSource;
  reading: SourceReading | null;
  changedAt: number | null;
  lastChange: string | null;
  /** Changes by Tokenkeep itself that are under way. */
  changing: number;
  /** The times of the files after the last change, if Tokenkeep itself made it. */
  own: string | null;
  stop: () => void;
}

/** What is forgotten when a cache is closed. */
const CLOSED = {
  reading: null,
  changedAt: null,
  lastChange: null,
  changing: 0,
  own: null,
  stop: () => undefined,
};

export function openSources<Caller>(ports: OpenSourcesPorts<Caller>): OpenSources<Caller> {
  let searched = false;
  let notFound: readonly string[] = [];
  const kept = new Map<string, Kept>();

  const list = (): SourceList => ({
    searched,
    notFound,
    items: [...kept.values()].map((one) => itemOf(one, home)),
  });
  const home = ports.computer.home ?? homedir();
  const find = (id: string): Kept => {
    const found = kept.get(id);
    if (found !== undefined) return found;
    throw new InvalidArgumentError('This cache is not in the list any more. Nothing was done.');
  };
  const add = (source: FoundSource): Kept => {
    const id = createHash('sha256').update(source.id).digest('base64url').slice(0, 22);
    const before = kept.get(id);
    if (before !== undefined) return before;
    const fresh: Kept = {
      id,
      source,
      ...CLOSED,
    };
    kept.set(id, fresh);
    return fresh;
  };
  const read = async (one: Kept, unlock = false): Promise<void> => {
    one.reading = await readSource(one.source, { ...ports.reading, unlock });
  };
  /** Whether it was not closed meanwhile. */
  const isKept = (one: Kept): boolean => kept.get(one.id) === one;
  /** @param unlock whether the user was told that the system may ask for a password */
  const open = async (one: Kept, unlock = false): Promise<void> => {
    one.stop();
    const first = read(one, unlock);
    // Before it is read, so that nothing is missed that is written meanwhile.
    one.stop = watchSource(one.source, () => {
      void first.then(
        () => follow(one),
        () => undefined,
      );
    });
    try {
      await first;
    } catch (error) {
      one.stop();
      throw error;
    }
    if (isKept(one)) ports.onChange();
    else one.stop(); // a search did not find it any more
  };
  /** Reads what a program has written. */
  const follow = async (one: Kept): Promise<void> => {
    const times = await timesOf(one.source);
    // What Tokenkeep changes itself, it reads afterwards.
    if (one.changing > 0 || one.own === times || !isKept(one)) return;
    const before = one.reading;
    await read(one);
    if (!isKept(one)) return;
    one.own = null;
    one.changedAt = ports.now();
    one.lastChange = changeBetween(before, one.reading);
    ports.onChange();
  };

  return {
    handlers: {
      sources: list,
      async findSources() {
        const found = await findSources(ports.computer);
        await removeLeftovers(found);
        const ids = new Set(
          found.map((source) => {
            const one = add(source);
            // What was found before may have been written since. An opened cache is followed.
            if (one.reading === null) one.source = source;
            return one.id;
          }),
        );
        // The user added files by hand; the search does not find them.
        for (const [id, { reading, source }] of kept)
          if (reading === null && source.program !== 'file' && !ids.has(id)) kept.delete(id);
        const programs = new Set(found.map(({ program }) => program));
        notFound = knownPrograms(ports.computer)
          .filter(({ id }) => !programs.has(id))
          .map(({ name }) => name);
        searched = true;
        ports.onChange();
        return list();
      },
      async openSource(caller, id) {
        const one = find(id);
        if (mayAskForPassword(one.source)) {
          if (!(await ports.confirm(caller, keyringQuestion(one.source)))) return list();
        } else ports.useGesture(caller);
        await open(one, mayAskForPassword(one.source));
        return list();
      },
      async openAllSources(caller) {
        ports.useGesture(caller);
        const plain = [...kept.values()].filter(
          (one) => one.reading === null && !mayAskForPassword(one.source),
        );
        await Promise.all(plain.map((one) => open(one)));
        return list();
      },
      closeSource(_caller, id) {
        const one = find(id);
        one.stop();
        if (one.source.program === 'file' || one.reading?.state === 'gone') kept.delete(id);
        else kept.set(id, { ...one, ...CLOSED });
        ports.onChange();
        return list();
      },
      async addSource(caller) {
        const file = await ports.chooseFile(caller);
        if (file === null) return null;
        const source = await sourceFromFile(file);
        if (source === null)
          throw new InvalidArgumentError(`${file} is not there any more. Nothing was opened.`);
        if (source.sealing === 'vault' && (await isSameFile(file, ports.ownVault)))
          throw new InvalidArgumentError('This is the vault of this window. It is open already.');
        const one = add(source);
        if (mayAskForPassword(source) && !(await ports.confirm(caller, keyringQuestion(source))))
          return list();
        await open(one);
        return list();
      },
      importSource(caller, id) {
        const { source } = find(id);
        ports.useGesture(caller);
        return ports.planImport(source.file);
      },
      showSource(caller, id) {
        const { source } = find(id);
        ports.useGesture(caller);
        ports.showFile(source.file);
      },
      async openProgram(caller, id) {
        const { leaving } = find(id).source;
        ports.useGesture(caller);
        const opens = opensOf({ leaving });
        if (opens === null)
          throw new InvalidArgumentError('Tokenkeep can’t open this program. Nothing was done.');
        await ports.openProgram(opens);
      },
    },
    opened: () =>
      [...kept.values()].flatMap(({ id, source, reading }) =>
        reading === null ? [] : [{ id, name: source.name, source, reading }],
      ),
    async readAgain(id) {
      const one = kept.get(id);
      if (one === undefined || one.reading === null) return;
      await read(one);
      if (isKept(one)) ports.onChange();
    },
    async changeHere(id, work) {
      const one = kept.get(id);
      if (one === undefined || one.reading === null) {
        await work();
        return;
      }
      const before = await timesOf(one.source);
      one.changing += 1;
      let isChanged = false;
      try {
        isChanged = await work();
      } finally {
        const times = await timesOf(one.source);
        const isByProgram = !isChanged && times !== before;
        try {
          if (!isByProgram && isKept(one)) await read(one);
        } finally {
          one.changing -= 1;
        }
        // Work that failed may have written nothing.
        if (isChanged && times !== before) [one.own, one.lastChange] = [times, null];
        if (isByProgram) await follow(one);
        else if (isKept(one)) ports.onChange();
      }
    },
    close() {
      for (const [id, one] of kept) {
        one.stop();
        kept.set(id, { ...one, ...CLOSED });
      }
      ports.onChange();
    },
    stop() {
      for (const { stop } of kept.values()) stop();
      kept.clear();
    },
  };
}

/** The times of a cache's files, which each write changes. */
async function timesOf({ file, place }: FoundSource): Promise<string> {
  const all = await Promise.all(
    [file, ...(place.signals ?? [])].map((each) => stat(each).catch(() => undefined)),
  );
  return all.map((about) => `${about?.ino ?? ''} ${about?.mtimeMs ?? ''}`).join('\n');
}

function itemOf({ id, source, reading, changedAt, lastChange, own }: Kept, home: string): SourceItem {
  const cache = reading?.cache ?? null;
  const accounts = cache === null ? [] : [...cachedAccounts(cache).byId.values()];
  const { content } = source.place;
  const command = commandToLeave(source);
  return {
    id,
    program: source.program,
    name: source.name,
    sharedBy: source.sharedBy,
    file: displayPath(source.file, home),
    sealing: source.sealing,
    asksFirst: mayAskForPassword(source),
    state: reading?.state ?? 'found',
    problem: reading?.problem ?? null,
    viewOnly: isViewOnly(source),
    leave: howToLeave(source),
    opens: opensOf(source)?.name ?? null,
    command,
    accounts: accounts.length + (reading?.names.length ?? 0),
    tokens: accounts.reduce(
      (sum, one) => sum + one.accessTokens.length + one.refreshTokens.length + one.idTokens.length,
      0,
    ),
    names: (reading?.names ?? []).map((one) => ({
      ...one,
      command: command === null ? commandToLeave(source, one) : null,
    })),
    writtenAt: reading?.writtenAt ?? source.writtenAt,
    changedAt,
    changedHere: own !== null,
    lastChange,
    importable: content === 'msal' && source.sealing === 'none' && reading?.state === 'accounts',
  };
}

/** Whether two paths lead to one file. */
async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((file) => stat(file).catch(() => null)));
  return a !== null && a !== undefined && a.ino === b?.ino && a.dev === b.dev;
}

/** Returns the link that opens the program in which the user signs out; null if there is none. */
export function opensOf({ leaving }: Pick<FoundSource, 'leaving'>): { name: string; url: string } | null {
  return leaving.by === 'program' ? (leaving.opens ?? null) : null;
}

/** Whether Tokenkeep never changes a cache. */
export const isViewOnly = ({ leaving, place }: FoundSource): boolean =>
  leaving.by !== 'tokenkeep' || (place.content !== 'msal' && place.content !== 'vault');

const mayAskForPassword = ({ sealing }: FoundSource): boolean =>
  sealing === 'secret-service' ||
  sealing === 'keychain' ||
  sealing === 'key-in-keyring' ||
  sealing === 'vault';

function keyringQuestion({ name: given, sealing }: FoundSource): Question {
  const name = printable(given, 120); // may be the name of a file, which anyone can choose
  if (sealing === 'vault')
    return {
      message: `Open the vault ${name}?`,
      detail: 'Its key is in the system keychain, which may ask for your password next. It is only read.',
      yes: 'Open',
    };
  const what = sealing === 'key-in-keyring' ? 'Its key is' : 'It is';
  return {
    message: `Open the cache of ${name}?`,
    detail: `${what} in the system keyring, which may ask for your password next. It is only read.`,
    yes: 'Open',
  };
}
