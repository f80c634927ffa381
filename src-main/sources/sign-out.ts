/** Signs an account out of another program's cache and verifies the result. Other accounts are not changed. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import type { SerializableTokenCache } from '../cache/document/serializable-token-cache.ts';
import { isRecord } from '../cache/json.ts';
import type { AccountSummary, SignOutReceipt } from '../cache/schema/entities.ts';
import { systemClock } from '../cache/clock.ts';
import { SourceError, type SourceErrorCode } from '../errors.ts';
import { checkOptions } from '../options.ts';
import { azureProfileWithout } from './azure-profile.ts';
import type { FoundSource } from './find.ts';
import { whileLocked } from './program-lock.ts';
import { readText, setAhead, writeWhole } from './program-file.ts';
import { cacheIn, howToLeave, READ_OPTIONS, readSource, type ReadOptions } from './read.ts';
import { type SealedStore, sealedStore } from './sealed.ts';
import type { Unread } from './source-state.ts';

/**
 * The result of a sign-out at a source.
 *
 * @example
 * import { findSources, readSource, signOutAtSource, type SourceReceipt } from 'tokenkeep/sources';
 *
 * const receipts: SourceReceipt[] = [];
 * for (const source of await findSources())
 *   for (const account of (await readSource(source)).accounts) receipts.push(await signOutAtSource(source, account));
 * for (const receipt of receipts) await receipt.undo();
 */
export interface SourceReceipt {
  readonly source: FoundSource;
  /** Seconds since the epoch. */
  readonly at: number;
  /** Number of removed entries by type. All zero if the account was already gone. */
  readonly removed: SignOutReceipt['removed'];
  /** Number of remaining entries of the account, counted after reading the file back. */
  readonly remaining: number;
  /** A message to display about what the program may still show. */
  readonly left?: string;
  /**
   * Restores the removed entries and keeps what the program has written since. Works until `done` is called or this
   * process ends.
   */
  undo(): Promise<void>;
  /** Deletes the undo data. */
  done(): void;
}

/** Options for `signOutAtSource`. */
export interface SourceSignOutOptions extends ReadOptions {
  /** Milliseconds to wait for another program's lock. Default: 5,000. */
  deadline?: number;
  /** Also removes the account's subscriptions from Azure CLI's list. Default: true. */
  profile?: boolean;
}

/**
 * Removes an account and all its entries from another program's cache. The document is read again under the program's own
 * lock, replaced atomically, and read back for verification.
 *
 * Tokens are not revoked: an access token that a program holds in memory works until it expires, a refresh token until the
 * provider revokes it.
 *
 * @throws SourceError if the sign-out failed; nothing is changed
 * @example
 * ```ts
 * import { findSources, readSource, signOutAtSource } from 'tokenkeep/sources';
 *
 * const [source] = await findSources();
 * if (source !== undefined) {
 *   const [account] = (await readSource(source)).accounts;
 *   if (account !== undefined) console.log((await signOutAtSource(source, account)).removed);
 * }
 * ```
 */
export async function signOutAtSource(
  source: FoundSource,
  account: AccountSummary,
  options: SourceSignOutOptions = {},
): Promise<SourceReceipt> {
  checkOptions(
    'signOutAtSource',
    options,
    { ...READ_OPTIONS, deadline: true, profile: true },
    'Nothing was changed.',
  );
  if (source.leaving.by !== 'tokenkeep' || source.place.content !== 'msal')
    throw new SourceError(
      'source_view_only',
      `Tokenkeep does not change what ${source.name} keeps. ${howToLeave(source)}`,
    );
  const { now = systemClock, deadline } = options;
  const medium = mediumOf(source, options);
  // Do everything that is slow or may fail before taking the lock.
  await medium.prepare();
  const { removed, before } = await whileLocked(
    source.place,
    () => changeDocument(source, medium, (cache) => cache.signOut(account).removed),
    { deadline, now },
  );
  const profile =
    source.place.profile === undefined || options.profile === false
      ? null
      : await withoutSubscriptions(source.place.profile, account, source);
  const { remaining, problem } = await leftOf(source, account, options);
  if (problem !== undefined) throw new SourceError('source_unreadable', problem);
  const sealed = sealedInMemory(JSON.stringify(before));
  return {
    source,
    at: Math.floor(now()),
    removed,
    remaining,
    ...(source.leaving.left === undefined ? {} : { left: source.leaving.left }),
    async undo() {
      const roots: unknown = JSON.parse(sealed.open());
      await whileLocked(source.place, () => putBack(source, medium, roots), { deadline, now });
      await profile?.restore();
      sealed.forget();
    },
    done: () => sealed.forget(),
  };
}

/** Reads and replaces a document, independent of where it is stored. */
interface Medium {
  prepare(): Promise<void>;
  read(): Promise<string>;
  write(text: string): Promise<void>;
}

function mediumOf(source: FoundSource, { secrets }: ReadOptions): Medium {
  if (source.place.sealing === 'none') return fileMedium(source);
  const store = sealedStore(source, secrets);
  if (!('state' in store)) return sealedMedium(source, store);
  throw new SourceError(
    'source_view_only',
    `${store.problem} ${howToLeave({ ...source, leaving: { by: 'program', where: `Sign out in ${source.name}.` } })}`,
  );
}

function fileMedium(source: FoundSource): Medium {
  let file = source.file;
  return {
    async prepare() {
      // Change the target of a symbolic link and keep the link.
      file = await realpath(source.file).catch(() => source.file);
    },
    async read() {
      const content = await readText(file, source.name);
      if ('state' in content) throw new SourceError(CODES[content.state], content.problem);
      return content.text;
    },
    write: (text) => writeWhole(file, Buffer.from(text, 'utf8')),
  };
}

function sealedMedium(source: FoundSource, store: SealedStore): Medium {
  const done = <T>(result: { value: T } | Unread): T => {
    if ('value' in result) return result.value;
    throw new SourceError(CODES[result.state], result.problem);
  };
  return {
    async prepare() {
      done(await store.read());
    },
    read: async () => done(await store.read()),
    async write(text) {
      done(await store.write(text));
      // A program that runs looks at this file's time, and would bring the account back without it.
      await setAhead(source.file).catch(() => undefined);
    },
  };
}

const CODES: Readonly<Record<Unread['state'], SourceErrorCode>> = {
  locked: 'source_locked',
  'no-permission': 'source_no_permission',
  sealed: 'source_unreadable',
  'not-understood': 'source_unreadable',
  gone: 'source_unreadable',
};

type Roots = Record<string, Record<string, unknown>>;

/** Changes the document under the lock. Returns the removed entries unchanged. */
async function changeDocument<T>(
  source: FoundSource,
  medium: Medium,
  change: (cache: SerializableTokenCache) => T,
): Promise<{ removed: T; before: Roots }> {
  const text = await medium.read();
  const cache = understood(source, text);
  const roots = rootsOf(cache.serialize());
  const removed = change(cache);
  if (!cache.hasStateChanged) return { removed, before: {} };
  const after = cache.serialize();
  const gone = difference(roots, rootsOf(after));
  await medium.write(after.replace(/^\ufeff/, '')); // azure-cli does not read a byte order mark
  return { removed, before: gone };
}

function understood(source: FoundSource, text: string): SerializableTokenCache {
  try {
    return cacheIn(text);
  } catch (cause) {
    throw new SourceError(
      'source_unreadable',
      `${source.file} is not a document that an MSAL library can read. Nothing was changed. Try again when ${source.name} is idle.`,
      { cause },
    );
  }
}

function rootsOf(text: string): Roots {
  const roots: unknown = JSON.parse(text);
  const found: Roots = {};
  if (!isRecord(roots)) return found;
  for (const [name, root] of Object.entries(roots)) if (isRecord(root)) found[name] = { ...root };
  return found;
}

function difference(before: Roots, after: Roots): Roots {
  const gone: Roots = {};
  for (const [name, root] of Object.entries(before))
    for (const [key, value] of Object.entries(root)) {
      if (after[name] !== undefined && Object.hasOwn(after[name], key)) continue;
      (gone[name] ??= {})[key] = value;
    }
  return gone;
}

async function putBack(source: FoundSource, medium: Medium, gone: unknown): Promise<void> {
  const text = await medium.read();
  understood(source, text);
  const document: unknown = JSON.parse(text.trim() === '' ? '{}' : text.replace(/^\ufeff/, ''));
  const roots: Record<string, unknown> = isRecord(document) ? { ...document } : {};
  for (const [name, entries] of Object.entries(isRecord(gone) ? gone : {})) {
    const root = isRecord(roots[name]) ? roots[name] : {};
    // The user has signed in again: the program's entries are newer.
    roots[name] = { ...(isRecord(entries) ? entries : {}), ...root };
  }
  const cache = cacheIn(JSON.stringify(roots));
  await medium.write(cache.serialize());
}

async function leftOf(
  source: FoundSource,
  account: AccountSummary,
  options: SourceSignOutOptions,
): Promise<{ remaining: number; problem?: string }> {
  const { deadline, profile, ...reading } = options; // readSource refuses what it does not know
  const { state, cache, problem } = await readSource(source, reading);
  if (state === 'empty' || state === 'gone') return { remaining: 0 };
  if (cache === null)
    return { remaining: 0, problem: `The account was removed, but it can’t be checked: ${problem ?? state}` };
  const { removed } = cache.signOut(account);
  return { remaining: Object.values<number>({ ...removed }).reduce((sum, count) => sum + count, 0) };
}

async function withoutSubscriptions(
  path: string,
  account: AccountSummary,
  source: FoundSource,
): Promise<{ restore(): Promise<void> } | null> {
  const file = await realpath(path).catch(() => path);
  const before = await readFile(file, 'utf8').catch(() => null);
  const after = before === null ? null : azureProfileWithout(before, account.username);
  if (before === null || after === null) return null;
  try {
    await writeWhole(file, Buffer.from(after, 'utf8'));
  } catch (cause) {
    throw new SourceError(
      'source_failed',
      `The account was removed from ${source.file}, but ${file} still lists its subscriptions. Run az logout to remove them.`,
      { cause },
    );
  }
  return {
    async restore() {
      // Entries that the program has written since are newer.
      if ((await readFile(file, 'utf8')) === after) await writeWhole(file, Buffer.from(before, 'utf8'));
    },
  };
}

/** Keeps removed entries encrypted in memory, since they may contain refresh tokens. The key is deleted with them. */
function sealedInMemory(text: string): { open(): string; forget(): void } {
  const key = randomBytes(32);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  const tag = cipher.getAuthTag();
  let isForgotten = false;
  return {
    open() {
      if (isForgotten)
        throw new SourceError(
          'source_failed',
          'What was removed is not kept any more, so it can’t be put back.',
        );
      const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(tag);
      return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
    },
    forget() {
      isForgotten = true;
      key.fill(0);
      sealed.fill(0);
    },
  };
}
