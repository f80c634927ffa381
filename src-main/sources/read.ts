/** Reads a source: its contents, or a state and a message that explain why it cannot be read. Never changes it. */
import { stat } from 'node:fs/promises';
import { brokerSignIns } from './broker.ts';
import { SerializableTokenCache } from '../cache/document/serializable-token-cache.ts';
import { markNumbers, unmarkNumbers } from '../cache/document/numbers.ts';
import { isRecord } from '../cache/json.ts';
import type { AccountSummary } from '../cache/schema/entities.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { DocumentError, TokenkeepError } from '../errors.ts';
import { checkOptions, type OptionNames, AMOUNT, FLAG, FUNCTION, RECORD } from '../options.ts';
import type { FoundSource } from './find.ts';
import { isKeyed, type KeyedContent, type NamedSignIn, namesIn, namesInDatabase } from './names.ts';
import { readText, refused, signalsOf } from './program-file.ts';
import { isHeld } from './program-lock.ts';
import { type SecretReaders, sealedStores } from './sealed.ts';
import type { Content, SourceState, Unread } from './source-state.ts';
import { readVault } from './vault-source.ts';

/** The current contents of a source. */
export interface SourceReading {
  readonly state: SourceState;
  /** A message to display: the problem and the remedy. Absent if there is none. */
  readonly problem?: string;
  /** The accounts, one per user; [] unless `state` is `accounts`. */
  readonly accounts: readonly AccountSummary[];
  /** A copy of the cache; changes to it are not written back. null if only names can be read. */
  readonly cache: TokenCache | null;
  /** Sign-ins of programs that do not use MSAL documents: names, and expiry times if known. */
  readonly names: readonly NamedSignIn[];
  /** Time of the last change in seconds since the epoch; null if unknown. */
  readonly writtenAt: number | null;
}

/** Options for `readSource`. */
export interface ReadOptions {
  /** The mechanisms that open sealed caches. Default: those of this computer. */
  secrets?: SecretReaders;
  /** Seconds since the epoch. */
  now?: () => number;
  /** Milliseconds before an incomplete document is read again. Default: 500. */
  pause?: number;
  /** Asks the system to unlock a locked keyring, which prompts the user for its password: tell them first. Default: false. */
  unlock?: boolean;
}

export const READ_OPTIONS: OptionNames<ReadOptions> = {
  secrets: RECORD,
  now: FUNCTION,
  pause: AMOUNT,
  unlock: FLAG,
};

/** Number of attempts, since programs write in place and a document may be incomplete for a moment. */
const LOOKS = 3;

/**
 * Reads a source. An incomplete document is read up to three times. Does not throw: `state` and `problem` describe failures.
 *
 * @example
 * ```ts
 * import { findSources, readSource } from 'tokenkeep/sources';
 *
 * for (const source of await findSources()) {
 *   const { state, accounts } = await readSource(source);
 *   console.log(source.name, state, accounts.map((account) => account.username));
 * }
 * ```
 */
export async function readSource(source: FoundSource, options: ReadOptions = {}): Promise<SourceReading> {
  checkOptions('readSource', options, READ_OPTIONS);
  return readingOf({ ...source, writtenAt: await lastWritten(source) }, options);
}

async function readingOf(source: FoundSource, options: ReadOptions): Promise<SourceReading> {
  const { content } = source.place;
  if (content === 'sealed') {
    return nothing(source, 'sealed', `Only ${source.name} can open this. ${howToLeave(source)}`);
  }
  if (content === 'vault') return vaultReading(source, options);
  if (content === 'broker') return brokerReading(source, options);
  for (let look = 1; ; look += 1) {
    let reading: SourceReading;
    if (isKeyed(content)) reading = await databaseReading(source, content);
    else {
      const found = await contentOf(source, options);
      if ('state' in found) return nothing(source, found.state, found.problem);
      reading = await understood(source, found, options);
    }
    if (reading.state !== 'not-understood') return reading;
    if (look === LOOKS) return (await isHeld(source.place)) ? inUse(source) : reading;
    await new Promise((resolve) => setTimeout(resolve, options.pause ?? 500));
  }
}

/** Returns the time of the last change now: that of the file, or of those that signal changes of an item. */
async function lastWritten({ place, writtenAt }: FoundSource): Promise<number | null> {
  const times = await Promise.all(
    (await signalsOf(place)).map((file) =>
      stat(file).then(
        ({ mtimeMs }) => [Math.floor(mtimeMs / 1000)],
        () => [],
      ),
    ),
  );
  return times.flat().length === 0 ? writtenAt : Math.max(...times.flat());
}

async function databaseReading(source: FoundSource, content: KeyedContent): Promise<SourceReading> {
  const { file, name, writtenAt } = source;
  try {
    const names = await namesInDatabase(content, file);
    if (names === null) return nothing(source, 'not-understood', notUnderstood(source));
    return { state: names.length === 0 ? 'empty' : 'accounts', accounts: [], cache: null, names, writtenAt };
  } catch (error) {
    const { state, problem } = refused(file, name, error);
    return nothing(source, state, problem);
  }
}

async function brokerReading(source: FoundSource, { secrets }: ReadOptions): Promise<SourceReading> {
  try {
    const names = await (secrets?.broker ?? ownBroker)();
    if (names === null)
      return nothing(
        source,
        'sealed',
        'The broker is not running, and Tokenkeep does not start it. Start a program that uses it, such as Microsoft Edge, then open this again.',
      );
    const { writtenAt } = source;
    return { state: names.length === 0 ? 'empty' : 'accounts', accounts: [], cache: null, names, writtenAt };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return nothing(source, 'sealed', `The broker did not list its accounts: ${words}`);
  }
}

// eslint-disable-next-line no-restricted-syntax -- the environment names the session bus
const ownBroker = (): Promise<NamedSignIn[] | null> => brokerSignIns(process.env);

async function vaultReading(source: FoundSource, { now, secrets }: ReadOptions): Promise<SourceReading> {
  try {
    const found = await readVault(source, now, secrets?.vault);
    if ('state' in found) return nothing(source, found.state, found.problem);
    const { cache, problem } = found;
    const accounts = cache.accounts();
    const { writtenAt } = source;
    const state = accounts.length === 0 ? 'empty' : 'accounts';
    return { state, accounts, cache, names: [], writtenAt, ...(problem === undefined ? {} : { problem }) };
  } catch (error) {
    if (error instanceof TokenkeepError) return nothing(source, 'not-understood', error.message);
    throw error;
  }
}

async function contentOf(
  source: FoundSource,
  options: ReadOptions,
): Promise<Content & { readonly problem?: string }> {
  const { file, sealing } = source.place;
  if (sealing === 'none') return readText(file, source.name);
  const open = sealedStores(source, options.secrets, options.unlock);
  const found = 'state' in open ? open : await open();
  if ('state' in found) return found;
  const texts: string[] = [];
  const unread: Unread[] = [];
  for (const store of found.value.stores) {
    const one = await store.read();
    if ('state' in one) unread.push(one);
    else texts.push(one.value.text);
  }
  const [first] = unread;
  if (texts.length === 0 && first !== undefined) return first;
  const understandable = texts.length === 1 ? texts : texts.filter(isCache);
  const odd = understandable.length === texts.length ? undefined : notUnderstood(source);
  const problem = first?.problem ?? odd ?? found.value.problem;
  const [text = texts[0] ?? '', ...more] = understandable;
  return {
    text: more.length === 0 ? text : together(understandable),
    writtenAt: source.writtenAt,
    ...(problem === undefined ? {} : { problem }),
  };
}

function isCache(text: string): boolean {
  try {
    cacheIn(text);
    return true;
  } catch (error) {
    if (error instanceof DocumentError) return false;
    throw error;
  }
}

/** Returns one document with the entries of several, to look at: each keeps its own. */
function together(texts: readonly string[]): string {
  const all: Record<string, Record<string, unknown>> = {};
  for (const text of texts) {
    const roots: unknown = JSON.parse(text.trim() === '' ? '{}' : markNumbers(text.replace(/^\ufeff/, '')));
    for (const [name, root] of Object.entries(isRecord(roots) ? roots : {}))
      if (isRecord(root)) all[name] = { ...all[name], ...root };
  }
  return unmarkNumbers(JSON.stringify({ Account: {}, ...all }));
}

async function understood(
  source: FoundSource,
  { text, writtenAt, problem }: Extract<Content, { text: string }> & { readonly problem?: string },
  { now }: ReadOptions,
): Promise<SourceReading> {
  const { content } = source.place;
  if (content !== 'msal') {
    const isNamed = content !== 'sealed' && content !== 'vault' && content !== 'broker' && !isKeyed(content);
    const names = isNamed ? namesIn(content, text, source.file) : [];
    if (names === null) return nothing(source, 'not-understood', notUnderstood(source));
    return { state: names.length === 0 ? 'empty' : 'accounts', accounts: [], cache: null, names, writtenAt };
  }
  if (SEALED_BY_GO.test(text))
    return nothing(
      source,
      'sealed',
      `${source.file} is sealed with a key that the kernel keeps until the next restart. Only the program that wrote it can open it.`,
    );
  try {
    const cache = cacheIn(text, now);
    await breathe();
    const accounts = cache.accounts();
    const state = accounts.length === 0 ? 'empty' : 'accounts';
    return { state, accounts, cache, names: [], writtenAt, ...(problem === undefined ? {} : { problem }) };
  } catch (error) {
    if (error instanceof DocumentError) return nothing(source, 'not-understood', notUnderstood(source));
    throw error;
  }
}

/** Yields to the event loop between two steps, which take up to 1.5 s each for a document of 100 MB. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** azidentity for Go, such as in kubelogin, seals its cache on Linux as a JWE in compact form. */
const SEALED_BY_GO = /^eyJ[\w-]+(?:\.[\w-]*){4}\s*$/;

/** @throws DocumentError */
export function cacheIn(text: string, now?: () => number): SerializableTokenCache {
  const cache = new SerializableTokenCache(now === undefined ? {} : { now });
  // Programs empty a cache by truncating the file; some leave white space or a byte order mark.
  cache.deserialize(text.trim() === '' ? '' : text);
  return cache;
}

function nothing(source: FoundSource, state: SourceState, problem: string): SourceReading {
  return { state, problem, accounts: [], cache: null, names: [], writtenAt: source.writtenAt };
}

function inUse(source: FoundSource): SourceReading {
  return nothing(
    source,
    'in-use',
    `A running program has locked ${source.file} and is writing it. Open this again when it is done.`,
  );
}

function notUnderstood({ name, file, place }: FoundSource): string {
  if (place.content !== 'msal')
    return `${file} is not in a format of ${name} that Tokenkeep knows. ${name} may be writing it, or is of another version.`;
  return `${file} is not a document that an MSAL library can read. ${name} may be writing it.`;
}

/**
 * Returns how to sign out of a program: that Tokenkeep does it, which command to run, or where to go.
 *
 * @param signIn one of the program's sign-ins, whose names are filled into the command
 * @example
 * ```ts
 * import { findSources, howToLeave } from 'tokenkeep/sources';
 *
 * for (const source of await findSources()) console.log(source.name, howToLeave(source));
 * ```
 */
export function howToLeave(
  { leaving, name }: Pick<FoundSource, 'leaving' | 'name'>,
  signIn?: NamedSignIn,
): string {
  if (leaving.by === 'program') return leaving.where;
  if (leaving.by === 'tokenkeep') return `Tokenkeep can sign out of ${name}.`;
  return `To sign out, run: ${filled(leaving.command, signIn)}`;
}

/**
 * Returns the command that signs out of a program, to copy into a shell.
 *
 * @param signIn the sign-in that the command names
 * @returns null if the program has no such command, the command names a sign-in and none was given, or the shells of this system have no
 *   common way to quote its name
 * @example
 * import { commandToLeave, findSources } from 'tokenkeep/sources';
 *
 * for (const source of await findSources()) console.log(source.name, commandToLeave(source));
 */
export function commandToLeave(
  { leaving }: Pick<FoundSource, 'leaving'>,
  signIn?: NamedSignIn,
): string | null {
  if (leaving.by !== 'command') return null;
  if (!NAME.test(leaving.command) && !HOST.test(leaving.command)) return leaving.command;
  if (signIn === undefined) return null;
  const { command } = leaving;
  const words = [
    ...(NAME.test(command) ? [signIn.name] : []),
    ...(HOST.test(command) ? [signIn.at ?? ''] : []),
  ];
  return words.every((word) => asWord(word) !== null) ? filled(command, signIn) : null;
}

const NAME = /\b(?:NAME|CLIENT_ID)\b/;
const HOST = /\bHOST\b/;

/** A name that can't be quoted leaves its placeholder. */
function filled(command: string, signIn: NamedSignIn | undefined): string {
  if (signIn === undefined) return command;
  return command
    .replace(NAME, (placeholder) => asWord(signIn.name) ?? placeholder)
    .replace(HOST, (placeholder) => asWord(signIn.at ?? '') ?? placeholder);
}

/**
 * Quotes a name for a shell: it comes from a file, and the user may paste the command.
 *
 * @returns null if the command would take it for an option, and on Windows, whose two shells quote differently, unless the name needs no
 * quotes in either
 */
function asWord(name: string): string | null {
  const plain = name.replace(/[\u0000-\u001f\u007f]/g, ' ');
  if (plain.startsWith('-')) return null;
  if (/^[\w.:/+][\w@.:/+-]*$/.test(plain)) return plain;
  if (process.platform === 'win32' || plain === '') return null;
  return `'${plain.replaceAll("'", `'\\''`)}'`;
}
