/** Opens a source: what it holds, or one word and one sentence about why it can't be shown. Changes nothing. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { SerializableTokenCache } from '../cache/document/serializable-token-cache.ts';
import type { AccountSummary } from '../cache/schema/entities.ts';
import type { TokenCache } from '../cache/token-cache.ts';
import { DocumentError } from '../errors.ts';
import type { FoundSource } from './find.ts';
import { type NamedSignIn, namesIn } from './names.ts';
import { readSecret, type SecretReaders } from './sealed.ts';
import type { Content, SourceState, Unread } from './source-state.ts';

/** A source as it is now. */
export interface SourceReading {
  readonly state: SourceState;
  /** For people: what is the matter, and what to do. Absent where all is well. */
  readonly problem?: string;
  /** One for each user; [] unless `state` is `accounts`. */
  readonly accounts: readonly AccountSummary[];
  /** The accounts and tokens, to look at. Changing it changes nothing on disk. null where only names can be read. */
  readonly cache: TokenCache | null;
  /** Sign-ins of programs that keep no MSAL document: a name, and until when where that can be read. */
  readonly names: readonly NamedSignIn[];
  /** Seconds since the epoch; null where nothing tells. */
  readonly writtenAt: number | null;
}

/** What reading takes from outside. */
export interface ReadOptions {
  /** How sealed caches are opened. Default: those that this computer has. */
  secrets?: SecretReaders;
  /** Seconds since the epoch. */
  now?: () => number;
  /** Milliseconds between two looks at a document that was torn. Default: 500. */
  pause?: number;
}

/** A document of 10,000 accounts has 100 MB. More than this is not read into memory. */
const MOST_BYTES = 256 * 1024 * 1024;
/** Programs write in place: a document may be half there for a moment. */
const LOOKS = 3;

/**
 * Reads a source. A document that is torn is read again, three times in all.
 *
 * @throws nothing: what is the matter is in `state` and `problem`
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
  if (source.place.content === 'sealed') {
    return nothing(source, 'sealed', `Only ${source.name} can open this. ${howToLeave(source)}`);
  }
  for (let look = 1; ; look += 1) {
    const content = await contentOf(source, options);
    if ('state' in content) return nothing(source, content.state, content.problem);
    const reading = understood(source, content, options);
    if (reading.state !== 'not-understood' || look === LOOKS) return reading;
    await new Promise((resolve) => setTimeout(resolve, options.pause ?? 500));
  }
}

async function contentOf(source: FoundSource, options: ReadOptions): Promise<Content> {
  const { file, sealing } = source.place;
  if (sealing === 'none') return readText(file, source.name);
  return readSecret(source, options.secrets);
}

function understood(
  source: FoundSource,
  { text, writtenAt }: Extract<Content, { text: string }>,
  { now }: ReadOptions,
): SourceReading {
  const { content } = source.place;
  if (content !== 'msal') {
    const names = content === 'sealed' ? [] : namesIn(content, text, source.file);
    if (names === null) return nothing(source, 'not-understood', notUnderstood(source));
    return { state: names.length === 0 ? 'empty' : 'accounts', accounts: [], cache: null, names, writtenAt };
  }
  try {
    const cache = cacheIn(text, now);
    const accounts = cache.accounts();
    return { state: accounts.length === 0 ? 'empty' : 'accounts', accounts, cache, names: [], writtenAt };
  } catch (error) {
    if (error instanceof DocumentError) return nothing(source, 'not-understood', notUnderstood(source));
    throw error;
  }
}

/** @throws DocumentError */
export function cacheIn(text: string, now?: () => number): SerializableTokenCache {
  const cache = new SerializableTokenCache(now === undefined ? {} : { now });
  // Programs empty a cache by cutting the file to nothing, and some leave white space or a byte order mark.
  cache.deserialize(text.trim() === '' ? '' : text);
  return cache;
}

function nothing(source: FoundSource, state: SourceState, problem: string): SourceReading {
  return { state, problem, accounts: [], cache: null, names: [], writtenAt: source.writtenAt };
}

function notUnderstood({ name, file }: FoundSource): string {
  return `${file} is not a document that an MSAL library can read. ${name} may be writing it; nothing was changed.`;
}

/** What to do where Tokenkeep can't sign out by itself. */
export function howToLeave({ leaving, name }: FoundSource): string {
  if (leaving.by === 'command') return `To sign out, run: ${leaving.command}`;
  return leaving.by === 'program' ? leaving.where : `Tokenkeep can sign out of ${name}.`;
}

const NON_BLOCKING = process.platform === 'win32' ? 0 : constants.O_NONBLOCK;

/** Reads a plain file of at most 256 MiB; never waits for a pipe. */
export async function readText(file: string, name: string): Promise<Content> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | NON_BLOCKING);
  } catch (error) {
    return refused(file, name, error);
  }
  try {
    const about = await handle.stat();
    if (!about.isFile())
      return { state: 'not-understood', problem: `${file} is not a file. Nothing was read.` };
    if (about.size > MOST_BYTES)
      return {
        state: 'not-understood',
        problem: `${file} has ${Math.round(about.size / 1024 / 1024)} MB, more than any token cache. Nothing was read.`,
      };
    const text = await handle.readFile('utf8');
    return { text, writtenAt: Math.floor(about.mtimeMs / 1000) };
  } catch (error) {
    return refused(file, name, error);
  } finally {
    await handle.close();
  }
}

function refused(file: string, name: string, error: unknown): Unread {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return { state: 'gone', problem: `${file} is not there any more. ${name} may have signed out.` };
  if (code === 'EACCES' || code === 'EPERM')
    return {
      state: 'no-permission',
      problem: `You don’t have permission to read ${file}. It belongs to another user, or the system protects it.`,
    };
  return {
    state: 'not-understood',
    problem: `${file} can’t be read (${code === '' ? 'unknown error' : code}).`,
  };
}
